"""``eddyline demo``: everything in a temporary folder, made-up people or a file of events, and what was measured."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

import click
import msgspec
from rich.console import Console

from eddyline_cli import simulating
from eddyline_cli.background import Background
from eddyline_cli.commands.interrupting import Interrupts
from eddyline_cli.commands.options import check_writable, examples
from eddyline_cli.commands.report import report_of_simulation, report_on_running, view_of_running
from eddyline_cli.commands.simulate import simulated, write
from eddyline_cli.configuration import read_config
from eddyline_cli.data_folder import RunState, read_state
from eddyline_cli.demo.summary import Summary, show
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import console, say_on
from eddyline_cli.simulating.run import Options
from eddyline_cli.simulating.summary import show as show_simulation
from eddyline_cli.simulating.target import Target
from eddyline_features.view import View
from eddyline_runtime.clock import system_clock

_SHOP = Path(simulating.__file__).with_name("shop.yaml")
_SHIFT_AT = 0.45
"""Share of the simulation after which tastes turn."""
_START_S = 120.0


@click.command(
    name="demo",
    epilog=examples(
        "eddyline demo",
        "eddyline demo --report report.html",
        "eddyline demo --seed 2 --keep",
        "eddyline demo --events ranklens/events.jsonl.gz --summary summary.json",
        "eddyline demo --events shop.jsonl --config shop.yaml --keep",
    ),
)
@click.option(
    "--events",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of events in the order in which they happened.  [default: none, but made-up people who click]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The view of these events.  [default: one that fits them, as `eddyline autoconfig` proposes]",
)
@click.option(
    "--summary", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here as JSON."
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Draw it as an HTML page at the end."
)
@click.option("--keep", is_flag=True, help="Leave everything running, and say what to try next.")
@click.option(
    "--minutes",
    type=click.FloatRange(0.2, 60.0),
    help="How long people come; tastes turn shortly before half of it.  [default: 2]",
)
@click.option("--rate", type=click.FloatRange(1.0, 1_000.0), help="Lists shown, each second.  [default: 60]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Of items, people and luck.  [default: 1]")
@click.option(
    "--recommend",
    type=click.FloatRange(0.0, 1.0),
    help="Share of the people for whom /v1/recommend chooses from all items.  [default: 0]",
)
def command(
    events: Path | None,
    config: Path | None,
    summary: Path | None,
    report: Path | None,
    keep: bool,
    minutes: float | None,
    rate: float | None,
    seed: int | None,
    recommend: float | None,
) -> None:
    """Watch it learn: made-up people click on what the real services show them, and their taste turns midway.

    It begins with nothing. A tenth of the people get their lists from the first model that it makes, frozen: the
    difference is what learning is worth. With --events a history is sent instead, in its own order: each slate is
    first ranked by the running system, before its clicks are known, and judged by them. Everything runs in a temporary
    folder on free ports and is gone at the end.
    """
    if events is None and config is not None:
        raise click.UsageError("--config is for --events: without them the demo makes up its own shop")
    for name, given in (
        ("--minutes", minutes),
        ("--rate", rate),
        ("--seed", seed),
        ("--recommend", recommend),
    ):
        if events is not None and given is not None:
            raise click.UsageError(f"{name} is for made-up people; a history has its own: leave {name} out")
    if config is not None:
        # What is wrong with it is told before anything is made.
        read_config(config)
    check_writable(summary, "--summary")
    check_writable(report, "--report")
    screen = console()
    seconds = 60.0 * (minutes or 2.0)
    options = Options(
        rate=rate or 60.0,
        seconds=seconds,
        shift_at=seconds * _SHIFT_AT,
        seed=1 if seed is None else seed,
        recommend=recommend or 0.0,
    )
    folder = Path(tempfile.mkdtemp(prefix="eddyline-demo-"))
    # PostgreSQL may have to run as another user, who must be able to reach its data.
    folder.chmod(0o711)
    interrupts = Interrupts()
    kept = False
    system: Background | None = None
    try:
        arguments = ["--free-ports"]
        if events is None:
            config = _SHOP
            arguments.append("--frozen-ranker")
        elif config is None:
            config = _proposed(screen, events, folder)
        say_on(screen, f"starting PostgreSQL, nats-server and the services in {folder}")
        arguments += ["--config", str(config)]
        with interrupts.held():
            # Between its start and its name it could not be stopped.
            system = Background(folder, arguments, outlives=keep, environ=_environ())
        state = system.wait_ready(_START_S)
        interrupts.check()
        say_on(screen, "everything is ready")
        if events is None:
            _simulated(screen, folder, options, summary, report)
        else:
            found = _measured(screen, state, events, read_config(config), folder)
            show(screen, found)
            if summary is not None:
                summary.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
            if report is not None:
                view = view_of_running(state, folder)
                report_on_running(report, state.database_url, state, view, since_ms=0, now_ms=system_clock())
                say_on(screen, f"the report is in {report}: open it in a browser")
        if keep:
            kept = True
            recommends = read_config(config).recommend is not None
            _invite(screen, state, folder, simulation=events is None, recommends=recommends)
    except KeyboardInterrupt:
        say_on(screen, "interrupted")
        raise SystemExit(130) from None
    finally:
        if not kept:
            # A second Ctrl-C must not leave half of it behind.
            interrupts.ignore()
            if system is not None:
                say_on(screen, "stopping everything")
                system.stop()
            shutil.rmtree(folder, ignore_errors=True)


def _simulated(
    screen: Console, folder: Path, options: Options, summary: Path | None, report: Path | None
) -> None:
    try:
        found = simulated(screen, Target(data=folder), options)
    except Refused as error:
        raise Refused(f"{error}\nThe logs of all processes are kept in {_saved_logs(folder)}") from error
    show_simulation(screen, found)
    write(found, summary)
    if report is not None:
        report_of_simulation(report, folder, found)
        say_on(screen, f"the report is in {report}: open it in a browser")


def _proposed(screen: Console, path: Path, folder: Path) -> Path:
    """A view that fits the events, written beside the data."""
    from eddyline_cli.examining import config_for
    from eddyline_cli.sending.event_lines import DamagedFile

    say_on(screen, f"no --config: looking through {path} for features that fit")
    try:
        proposed = config_for([path])
    except DamagedFile as error:
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


def _invite(screen: Console, state: RunState, folder: Path, *, simulation: bool, recommends: bool) -> None:
    from eddyline_cli.commands.up import show as show_addresses

    stop = f"eddyline down --data {folder} && eddyline reset --yes --data {folder}"
    how = f"When you have seen enough: `{stop}`"
    if not simulation:
        show_addresses(screen, state, recommends=recommends, how_to_stop=how)
        return
    ranker, ingest, store = (state.url(name) for name in ("ranker", "ingest", "feature-store"))
    screen.print("Everything is still running. Try:\n")
    for line in (
        "# what would this person see first?",
        f"curl -s {ranker}/v1/rank -d "
        """'{"user":"sim-user-7","items":["sim-item-1","sim-item-2","sim-item-3"]}'""",
        "# and of all that there is?",
        f"""curl -s {ranker}/v1/recommend -d '{{"user":"sim-user-7","n":5}}'""",
        "# click, and ask again",
        f"curl -s {ingest}/v1/events -d "
        """'{"type":"interaction","user":"sim-user-7","item":"sim-item-2","action":"click"}'""",
        "# what is known of an item, and of a person",
        f"curl -s {store}/v1/items/sim-item-2",
        f"curl -s {store}/v1/users/sim-user-7",
        "# what goes with an item, and what many people act on",
        f"curl -s '{store}/v1/similar/sim-item-2?n=5'",
        f"curl -s '{store}/v1/trending?n=5'",
        "# the models, and what the gate said of them",
        f"eddyline models --data {folder}",
        "# how everything is",
        f"eddyline status --data {folder}",
        "# more people",
        f"eddyline simulate --data {folder} --minutes 5 --seed 2 --shift-at 2",
    ):
        screen.print(f"  {line}", markup=False, soft_wrap=True)
    screen.print(f"\n{how}\n", markup=False, soft_wrap=True)
