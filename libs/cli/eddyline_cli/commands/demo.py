"""``eddyline demo``: everything in a temporary folder, a file of events through it, and what was measured."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path

import click
import msgspec
from rich.console import Console

from eddyline_cli.background import Background
from eddyline_cli.commands.options import examples
from eddyline_cli.configuration import read_config
from eddyline_cli.data_folder import RunState, read_state
from eddyline_cli.demo.summary import Summary, show
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import console, say_on
from eddyline_features.view import View

_FIXTURE = Path(__file__).parents[4] / "tests" / "data" / "events.jsonl"
_START_S = 120.0


@click.command(
    name="demo",
    epilog=examples(
        "eddyline demo",
        "eddyline demo --events ranklens/events.jsonl.gz --summary summary.json",
        "eddyline demo --events shop.jsonl --config shop.yaml --keep",
    ),
)
@click.option(
    "--events",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of events in the order in which they happened.  [default: a small made-up shop]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The view of these events.  [default: one that fits them, as `eddyline autoconfig` proposes]",
)
@click.option(
    "--summary", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here as JSON."
)
@click.option("--keep", is_flag=True, help="Leave everything running, and say where.")
def command(events: Path | None, config: Path | None, summary: Path | None, keep: bool) -> None:
    """Send a history through the real services, in its own order, and measure what came of it.

    Each slate is first ranked by the running system, at its own time and before its clicks are known; then it and its
    clicks are sent as they stand. The ranker's order is judged by those clicks. Everything runs in a temporary folder
    on free ports and is gone at the end.
    """
    screen = console()
    path = events or _FIXTURE
    if not path.exists():
        raise Refused(f"there is no {path}: name a file of events with --events")
    if config is not None:
        # What is wrong with it is told before anything is made.
        read_config(config)
    folder = Path(tempfile.mkdtemp(prefix="eddyline-demo-"))
    # PostgreSQL may have to run as another user, who must be able to reach its data.
    folder.chmod(0o711)
    # A terminated demo cleans up like an interrupted one.
    signal.signal(signal.SIGTERM, _interrupt)
    kept = False
    if config is None:
        config = _proposed(screen, path, folder)
    view = read_config(config)
    system = Background(folder, ["--config", str(config), "--free-ports"], outlives=keep, environ=_environ())
    try:
        say_on(screen, f"starting everything in {folder}")
        state = system.wait_ready(_START_S)
        say_on(screen, "PostgreSQL, nats-server and five services are ready")
        found = _measured(screen, state, path, view, folder)
        show(screen, found)
        if summary is not None:
            summary.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        if keep:
            kept = True
            _invite(screen, state, folder)
    except KeyboardInterrupt:
        say_on(screen, "interrupted")
        raise SystemExit(130) from None
    finally:
        if not kept:
            say_on(screen, "stopping everything")
            system.stop()
            shutil.rmtree(folder, ignore_errors=True)


def _proposed(screen: Console, path: Path, folder: Path) -> Path:
    """A view that fits the events, written beside the data."""
    from eddyline_cli.examining import config_for
    from eddyline_cli.sending.event_lines import DamagedFile

    say_on(screen, f"no --config: looking through {path} for features that fit")
    try:
        proposed = config_for([path])
    except DamagedFile as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Refused(str(error)) from error
    config = folder / "eddyline.yaml"
    config.write_text(proposed)
    return config


def _measured(screen: Console, state: RunState, path: Path, view: View, folder: Path) -> Summary:
    from eddyline_cli.demo.replay import RankFailed
    from eddyline_cli.demo.run import run
    from eddyline_cli.sending.event_lines import DamagedFile
    from eddyline_cli.sending.ingest_client import IngestAway, IngestRefused
    from eddyline_cli.sending.log_position import LogAway

    try:
        found = asyncio.run(run(screen, state, str(path), view))
    except (IngestAway, IngestRefused, RankFailed, LogAway, DamagedFile) as error:
        raise Refused(f"{error}\nThe logs of all processes are kept in {_saved_logs(folder)}") from error
    now = read_state(folder)
    restarts = sum(process.restarts for process in now.processes.values()) if now else 0
    return msgspec.structs.replace(found, restarts=restarts)


def _saved_logs(folder: Path) -> Path:
    kept = Path(tempfile.mkdtemp(prefix="eddyline-demo-logs-"))
    shutil.copytree(folder / "logs", kept, dirs_exist_ok=True)
    return kept


def _environ() -> dict[str, str]:
    """Ours, but never somebody's real log: the demo brings its own servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EDDYLINE_")}


def _invite(screen: Console, state: RunState, folder: Path) -> None:
    from eddyline_cli.commands.up import show as show_addresses

    stop = f"eddyline down --data {folder} && eddyline reset --yes --data {folder}"
    show_addresses(screen, state, how_to_stop=f"When you have seen enough: `{stop}`")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
