"""`eddyline reload` asks only what can be asked: something that runs, is ready, and knows the signal."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from eddyline_cli.data_folder import RELOAD, RunState, digest_of_text, write_state
from eddyline_cli.main import main
from eddyline_cli.supervisor.data_lock import locked
from tests.support.serving import CONFIG


def reload(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["reload", "--data", str(data), *arguments])


@contextmanager
def an_up(
    data: Path, *, declared: str, phase: str = "ready", former: str | None = None
) -> Iterator[list[int]]:
    """This process as a running `eddyline up`; yields the signals that it got."""
    got: list[int] = []
    before = signal.signal(RELOAD, lambda number, _: got.append(number))
    with locked(data):
        state = RunState(
            pid=os.getpid(),
            phase=phase,
            started_at=0,
            config=str(CONFIG),
            view="shop-1",
            nats_url="",
            database_url="",
            processes={},
            declared=declared,
            former_view=former,
        )
        write_state(data, state)
        try:
            yield got
        finally:
            signal.signal(RELOAD, before)


def test_nothing_that_runs_is_told(tmp_path: Path) -> None:
    told = reload(tmp_path / "none")
    assert told.exit_code == 1
    assert "start it with `eddyline up`" in told.stderr


def test_where_no_view_is_replaced_nothing_is_claimed_of_models(tmp_path: Path) -> None:
    with an_up(tmp_path, declared=digest_of_text(CONFIG.read_text())):
        told = reload(tmp_path, "--wait", "5")
    assert told.exit_code == 0
    assert "nothing to wait for: shop-1 is the view of every answer" in told.stdout
    assert "model" not in told.stdout


def test_what_runs_already_is_not_asked_for_again(tmp_path: Path) -> None:
    with an_up(tmp_path, declared=digest_of_text(CONFIG.read_text()), former="shop-0") as got:
        told = reload(tmp_path)
        assert told.exit_code == 0
        assert "models of shop-0 serve until it has one of its own" in told.stdout
        late = reload(tmp_path, "--wait", "0.1")
        assert late.exit_code == 1
        assert "see `eddyline models`" in late.stderr
    assert not got


def test_one_that_would_die_of_the_signal_or_is_not_ready_gets_none(tmp_path: Path) -> None:
    with an_up(tmp_path, declared="") as got:
        assert "is of an older version" in reload(tmp_path).stderr
    with an_up(tmp_path, declared="something else", phase="starting") as more:
        assert "wait until it is ready" in reload(tmp_path).stderr
    assert not got
    assert not more
