"""``eddyline report``: a page to look at, of a running system or of evaluations."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from rich.console import Console

from eddyline_cli.commands.options import check_writable, config_option, data_option, examples
from eddyline_cli.configuration import read_config
from eddyline_cli.data_folder import VIEWS, RunState, state_of_running
from eddyline_cli.refusals import Refused
from eddyline_features.durations import milliseconds
from eddyline_features.view import View
from eddyline_runtime.clock import system_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eddyline_cli.reporting.evaluation import EvaluationTold
    from eddyline_cli.reporting.off_policy import OffPolicyTold
    from eddyline_cli.simulating.summary import SimulationSummary

_OUT = Path("report.html")


@click.command(
    name="report",
    epilog=examples(
        "eddyline report",
        "eddyline report --since 1h --out today.html",
        "EDDYLINE_DATABASE_URL=postgresql://me@db/eddyline eddyline report",
        "eddyline evaluate events.jsonl --json > all.json && eddyline report --evaluation all.json",
        "eddyline report --evaluation before.json --evaluation after.json",
    ),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=_OUT,
    show_default=True,
    help="Where the page is written.",
)
@click.option(
    "--since",
    default="7d",
    show_default=True,
    metavar="TIME",
    help="How far to look back: a duration (1h), or a time (RFC 3339).",
)
@click.option(
    "--evaluation",
    "evaluations",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw what `eddyline evaluate --json` printed instead; repeat it to compare.",
)
@config_option
@data_option
@click.pass_context
def command(
    ctx: click.Context,
    out: Path,
    since: str,
    evaluations: tuple[Path, ...],
    config: Path | None,
    data: Path,
) -> None:
    """Draw one HTML page: metrics over time, models, the gate's decisions, freshness, exposure, cost.

    The page is one file that needs no network; open it in a browser, or send it to somebody. Of a running system, the
    log and the trainer's tables are read, by about 50,000 events a second; nothing is changed.
    """
    from eddyline_cli.reporting.page import write_page

    check_writable(out, "--out")
    if evaluations:
        from eddyline_cli.reporting.evaluation import read_evaluation
        from eddyline_cli.reporting.of_evaluation import page_of

        _refuse_options_of_running(ctx)
        told = [read_evaluation(path) for path in evaluations]
        _check_comparable(told)
        write_page(page_of(told), out)
    else:
        state = state_of_running(data)
        url = (state.database_url if state else None) or os.environ.get("EDDYLINE_DATABASE_URL")
        if not url:
            raise Refused(
                f"nothing runs in {data}: start it with `eddyline up`, set EDDYLINE_DATABASE_URL, or draw an "
                "evaluation with --evaluation FILE"
            )
        now = system_clock()
        try:
            report_on_running(
                out, url, state, _view(config, state, data), since_ms=_since(since, now), now_ms=now
            )
        except KeyboardInterrupt:
            raise SystemExit(130) from None
    click.echo(f"the report is in {out}: open it in a browser")


def _refuse_options_of_running(ctx: click.Context) -> None:
    given = [
        f"--{name}"
        for name in ("since", "config", "data")
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise Refused(
            f"{', '.join(given)}: of a running system only, and --evaluation draws a file as it is: leave "
            f"{'it' if len(given) == 1 else 'them'} out, or leave --evaluation out"
        )


def _check_comparable(told: Sequence[EvaluationTold | OffPolicyTold]) -> None:
    """Refuse what was judged in different ways: their figures beside each other would say nothing."""
    if len({each.protocol for each in told}) > 1:
        named = ", ".join(f"{each.name}: {each.protocol}" for each in told)
        raise Refused(
            f"evaluations of different protocols cannot be compared ({named}): draw a page for each "
            "protocol, or use the same --protocol for all"
        )


def report_on_running(
    out: Path,
    url: str,
    state: RunState | None,
    view: View | None,
    *,
    since_ms: int,
    now_ms: int,
    simulation: SimulationSummary | None = None,
) -> None:
    """Gather, draw and write; progress goes to standard error.

    Parameters
    ----------
    simulation
        Where made-up people were there: it comes first, and the turn of their tastes is marked everywhere.
    """
    from eddyline_cli.evaluating.progress import EvaluationProgress
    from eddyline_cli.reporting.of_running import page_of, page_of_simulated
    from eddyline_cli.reporting.page import write_page
    from eddyline_cli.reporting.running import gather

    with EvaluationProgress(Console(stderr=True, highlight=False, soft_wrap=True)) as progress:
        progress.begin("reading the log")
        told = asyncio.run(
            gather(url, view, state=state, since_ms=since_ms, now_ms=now_ms, progress=progress.show)
        )
        progress.begin("drawing", None)
        page = page_of(told) if simulation is None else page_of_simulated(told, simulation)
    write_page(page, out)


def report_of_simulation(out: Path, data: Path, simulation: SimulationSummary) -> None:
    """Of a running Eddyline that made-up people have just used, from a moment before they came."""
    state = state_of_running(data)
    if state is None:
        raise Refused(
            f"the report cannot be drawn: nothing runs in {data} any more: start it with `eddyline up`"
        )
    report_on_running(
        out,
        state.database_url,
        state,
        view_of_running(state, data),
        since_ms=simulation.began_at - 5_000,
        now_ms=system_clock(),
        simulation=simulation,
    )


def view_of_running(state: RunState, data: Path) -> View:
    """What the running Eddyline was started with: its own copy, since the user's file may have changed since."""
    kept = data / VIEWS / f"{state.view}.yaml"
    return read_config(kept if kept.is_file() else Path(state.config))


def _view(config: Path | None, state: RunState | None, data: Path) -> View | None:
    if config is not None:
        return read_config(config)
    return None if state is None else view_of_running(state, data)


def _since(text: str, now_ms: int) -> int:
    from eddyline_cli.travelling.place_in_log import moment_of

    ago = milliseconds(text)
    if ago is not None:
        return now_ms - ago
    return moment_of(text, "--since", "a duration, as 1h, or ")
