"""`eddyline report` of a system that runs: what the log and the trainer's tables hold is on the page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from eddyline_cli.main import main
from eddyline_cli.reporting import running
from eddyline_cli.servers.nats_server import NatsServer
from eddyline_runtime.bus import connected
from tests.support.database_log import writing
from tests.support.pages import examined, figure_of, words_of
from tests.support.serving import CONFIG, make_inbox
from tests.support.training import LINES, a_trainer, rows_of
from tests.support.waiting import wait_until


async def report(database_url: str, page: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and errors; in a thread, since the command has an event loop of its own."""
    found = await asyncio.to_thread(
        CliRunner().invoke,
        main,
        ["report", "--data", str(page.parent), "--out", str(page), *arguments],
        env={"EDDYLINE_DATABASE_URL": database_url},
    )
    return found.exit_code, found.stderr


async def test_the_page_shows_what_was_logged_and_learnt(
    tmp_path: Path, nats_server: NatsServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.html"
    code, said = await report(database_url, page)
    assert code == 1
    assert "--config" in said
    code, said = await report(database_url, page, "--config", str(CONFIG))
    assert code == 0, said
    assert "The log is empty" in words_of(examined(page.read_text()))
    async with connected(nats_server.url, "test") as bus, writing(database_url, bus) as log:
        await make_inbox(bus)
        await log.append(LINES)
        async with a_trainer(nats_server.url, database_url) as trainer:
            await wait_until(trainer.training.caught_up.is_set, 60)
    # The view comes with the champion.
    code, said = await report(database_url, page)
    assert code == 0, said
    root = examined(page.read_text())
    words = words_of(root)
    assert f"{len(LINES)} events" in words
    assert "200 lists" in words
    models = await rows_of(database_url)
    (champion,) = [row["model"] for row in models if row["role"] == "champion"]
    for slug in (
        "gate",
        "cost",
        "fresh",
        "importance",
        "clicks",
        "versions",
        "exposure",
        "lorenz",
        "ndcg",
        "loss",
    ):
        assert figure_of(root, slug).find(".//svg") is not None, slug
    assert champion[:8] in words_of(figure_of(root, "importance"))
    assert "promote" in words_of(figure_of(root, "gate"))
    assert len(figure_of(root, "cost").findall(".//tbody/tr")) >= 2
    # Of too many lists the newest are read, and that is told.
    monkeypatch.setattr(running, "MOST_LISTS", 50)
    code, said = await report(database_url, page)
    assert code == 0, said
    fewer = words_of(examined(page.read_text()))
    assert " 50 lists" in fewer
    assert "There were more lists than are read" in fewer
    code, said = await report(database_url, page, "--since", "2030-01-01")
    assert code == 0, said
    assert "look further back with --since" in words_of(examined(page.read_text()))
    code, said = await report(database_url, page, "--since", "yesterday")
    assert code == 1
    assert "--since yesterday" in said
