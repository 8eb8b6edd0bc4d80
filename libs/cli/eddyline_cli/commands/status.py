"""``eddyline status``: what runs, and whether it is ready."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import click
import msgspec

from eddyline_cli.commands.options import data_option, examples
from eddyline_cli.data_folder import RunState, state_of_running
from eddyline_cli.refusals import Refused
from eddyline_cli.report import ProcessReport, Report, report_on
from eddyline_cli.screen import console, table
from eddyline_contracts.record import EPOCH_SHIFT


@click.command(
    name="status",
    epilog=examples(
        "eddyline status", "eddyline status --json | jq .champion", "until eddyline status; do sleep 1; done"
    ),
)
@data_option
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
def command(data: Path, as_json: bool) -> None:
    """Show each process, where it is, whether it is ready and what it waits for; the log, its lag, the champion.

    Exit code: 0 only when everything is ready.
    """
    state = state_of_running(data)
    if state is None:
        if as_json:
            click.echo(msgspec.json.encode({"running": False, "ready": False}))
            raise SystemExit(1)
        raise Refused(f"nothing runs in {data}: start it with `eddyline up`")
    report = asyncio.run(_report(state))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2))
    else:
        _print(report)
    raise SystemExit(0 if report.ready else 1)


async def _report(state: RunState) -> Report:
    async with aiohttp.ClientSession() as session:
        return await report_on(session, state)


def _print(report: Report) -> None:
    screen = console()
    listed = table("process", "pid", "address", "state", "restarts", "waits for")
    for name, process in report.processes.items():
        listed.add_row(
            name,
            str(process.pid or "–"),
            process.url,
            _state(process),
            str(process.restarts),
            ", ".join(process.waiting_for),
        )
    screen.print(listed)
    screen.print()
    figures: list[tuple[str, Any]] = [("view", report.view), ("log stands at", _place(report.log_position))]
    if report.former_view is not None:
        figures.insert(
            1, ("changing from", f"{report.former_view}, whose models serve until the new view has one")
        )
    figures += [(f"{name} is behind by", lag) for name, lag in report.lag.items()]
    figures.append(("champion", report.champion or "none yet"))
    for what, value in figures:
        screen.print(f"{what:<28} {'unknown' if value is None else value}", markup=False)


def _place(sequence: int | None) -> str | None:
    if sequence is None:
        return None
    epoch, number = divmod(sequence, 1 << EPOCH_SHIFT)
    return f"{sequence} (number {number:,} of epoch {epoch})"


def _state(process: ProcessReport) -> str:
    if process.ready:
        return "[green]ready[/green]"
    return "[yellow]not ready[/yellow]" if process.live else "[red]down[/red]"
