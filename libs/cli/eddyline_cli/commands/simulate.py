"""``eddyline simulate``: made-up people at a running Eddyline."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec
from rich.console import Console

from eddyline_cli.commands.interrupting import Interrupts
from eddyline_cli.commands.options import check_writable, data_option, examples
from eddyline_cli.commands.report import report_of_simulation
from eddyline_cli.data_folder import state_of_running
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import console, say_on
from eddyline_cli.simulating.run import Options, simulate
from eddyline_cli.simulating.summary import SimulationSummary, show
from eddyline_cli.simulating.target import Target


@click.command(
    name="simulate",
    epilog=examples(
        "eddyline up --config examples/simulated-shop.yaml      # in another terminal",
        "eddyline simulate --report report.html",
        "eddyline simulate --recommend 0.5",
        "eddyline simulate --users 1000 --items 5000 --rate 30 --minutes 10 --shift-at 5",
        "eddyline simulate --ranker http://host:7440 --ingest http://host:7441",
    ),
)
@click.option(
    "--users", type=click.IntRange(1, 1_000_000), default=400, show_default=True, help="How many people."
)
@click.option(
    "--items", type=click.IntRange(2, 200_000), default=2_000, show_default=True, help="How many items."
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 1_000.0),
    default=60.0,
    show_default=True,
    help="Lists that are shown, each second.",
)
@click.option(
    "--minutes", type=click.FloatRange(0.05, 100_000.0), default=2.0, show_default=True, help="How long."
)
@click.option(
    "--shift-at",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Minutes after the start at which tastes turn.  [default: never]",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of items, people, luck."
)
@click.option(
    "--recommend",
    type=click.FloatRange(0.0, 1.0),
    default=0.0,
    show_default=True,
    help="Share of the people for whom /v1/recommend chooses from all items.",
)
@click.option("--ranker", help="Address of the ranker, instead of the one in the data folder.")
@click.option("--ingest", help="Address of ingest, likewise.")
@data_option
@click.option(
    "--summary", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here as JSON."
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Draw it as an HTML page at the end."
)
def command(
    users: int,
    items: int,
    rate: float,
    minutes: float,
    shift_at: float | None,
    seed: int,
    recommend: float,
    ranker: str | None,
    ingest: str | None,
    data: Path,
    summary: Path | None,
    report: Path | None,
) -> None:
    """Let made-up people look at what a running Eddyline shows, and click: over HTTP, as real ones would.

    The catalogue of their shop is sent first; ids begin with `sim-`. The same seed gives the same items and people.
    People look at the top of a list more than further down. What is before them is twenty items that chance has drawn,
    in the order of /v1/rank; for the share of --recommend it is what /v1/recommend chooses, and is told apart. While
    something does not answer they wait, and what was not acknowledged is sent again with the same ids. The view that
    fits is examples/simulated-shop.yaml.
    """
    if (ranker is None) != (ingest is None):
        raise click.UsageError("give both --ranker and --ingest, or neither: then --data says where they are")
    if report is not None and ranker is not None:
        raise click.UsageError(
            "--report is drawn from the log of the Eddyline in --data: with --ranker, use `eddyline report` there"
        )
    if shift_at is not None and shift_at >= minutes:
        raise click.UsageError(f"--shift-at {shift_at:g} is not before the end, --minutes {minutes:g}")
    for name, url in (("--ranker", ranker), ("--ingest", ingest)):
        if url is not None and not url.startswith(("http://", "https://")):
            raise click.UsageError(f"{name} {url}: an address begins with http:// or https://")
    check_writable(summary, "--summary")
    check_writable(report, "--report")
    if ranker is None and state_of_running(data) is None:
        raise Refused(
            f"nothing runs in {data}: start it with `eddyline up --config examples/simulated-shop.yaml`, or name "
            "another Eddyline with --ranker and --ingest"
        )
    Interrupts()
    screen = console()
    target = Target(data=data if ranker is None else None, ranker=ranker, ingest=ingest)
    options = Options(
        users=users,
        items=items,
        rate=rate,
        seconds=minutes * 60.0,
        shift_at=None if shift_at is None else shift_at * 60.0,
        seed=seed,
        recommend=recommend,
    )
    try:
        found = simulated(screen, target, options)
    except KeyboardInterrupt:
        say_on(screen, "interrupted; what was acknowledged is kept")
        raise SystemExit(130) from None
    show(screen, found)
    write(found, summary)
    if report is not None:
        report_of_simulation(report, data, found)
        say_on(screen, f"the report is in {report}: open it in a browser")


def simulated(screen: Console, target: Target, options: Options) -> SimulationSummary:
    """Run it.

    Raises
    ------
    Refused
        If a service cannot do its part.
    """
    from eddyline_cli.sending.ingest_client import IngestAway, IngestRefused
    from eddyline_cli.simulating.traffic import RankRefused

    say_on(screen, f"{options.items:,} items are sent, then {options.users:,} people come")
    try:
        return asyncio.run(simulate(screen, target, options))
    except BaseExceptionGroup as group:
        expected, others = group.split((IngestAway, IngestRefused, RankRefused))
        if expected is None or others is not None:
            raise
        error: BaseException = expected
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise Refused(str(error)) from group


def write(found: SimulationSummary, path: Path | None) -> None:
    """The figures as JSON."""
    if path is not None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
