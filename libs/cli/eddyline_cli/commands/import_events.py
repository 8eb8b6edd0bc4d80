"""``eddyline import``: send files of events through ingest, each event once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import click
from rich.console import Console

from eddyline_cli.commands.event_files import check_files, csv_options, event_file_options, opened
from eddyline_cli.commands.options import data_option, examples
from eddyline_cli.data_folder import state_of_running
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import console
from eddyline_cli.sending.datasets import left_out
from eddyline_cli.sending.event_lines import DamagedFile, EventFile
from eddyline_cli.sending.ingest_client import IngestAway, IngestClient, IngestRefused
from eddyline_cli.sending.log_position import LogAway, LogPosition
from eddyline_cli.sending.progress import SendingProgress
from eddyline_cli.sending.reading import read_ahead
from eddyline_cli.sending.tally import Tally
from eddyline_cli.sending.translated import Accounted, LineSource
from eddyline_contracts.csv_table import UnknownColumn

_INGEST, _LOG_WRITER = "http://127.0.0.1:7441", "http://127.0.0.1:7444"


@click.command(
    name="import",
    epilog=examples(
        "eddyline import events.jsonl",
        "eddyline import january.jsonl.gz february.jsonl.gz",
        "zstdcat events.jsonl.zst | eddyline import -",
        "eddyline import events.jsonl --url http://10.0.0.5:7441 --no-wait",
        "eddyline import shares.csv.gz --user personId --item contentId --action eventType --time timestamp",
        "eddyline import ratings.csv --user userId --item movieId --value rating --time timestamp --items movies.csv",
        "eddyline import ml-latest-small --dry-run",
        "eddyline import gorse-export",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--url", help="Where ingest is.  [default: as `eddyline up` here, else port 7441]")
@click.option("--log-url", help="Where the log writer is.  [default: as `eddyline up` here, else port 7444]")
@event_file_options
@data_option
@click.option("--dry-run", is_flag=True, help="Send nothing: report what there is, and the first faults.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the log has the events.")
def command(
    files: tuple[str, ...],
    url: str | None,
    log_url: str | None,
    data: Path,
    dry_run: bool,
    no_wait: bool,
    **csv: Any,
) -> None:
    """Send events: one JSON object a line, native or Metarank form, or rows of CSV, or the folder of a MovieLens data
    set or of what Gorse exports (items.jsonl, users.jsonl, feedback.jsonl); .gz or not; `-` is standard input.

    Events reach the inbox in the order of the file. It may be interrupted and repeated: an event counts once, by its
    id. A line without an id gets one from its text and how often that text occurred before in the file; so does a row
    of CSV: a file that has grown can be imported again. So the same line without an id counts once even if it is in
    two files: give events ids, or at least times, where that would be wrong. CSV is sorted by time. Rows that lack
    something are counted and told, by reason. --dry-run reads and checks all of it as the log would, and sends nothing.

    \b
    Exit code: 0 when every event was taken (now or before), 1 when some were refused or it could not
    go on, 130 when it was interrupted.
    """
    form = csv_options(**csv)
    check_files(files, form)
    sources = opened(files, form)
    for path in files:
        if (said := left_out(path)) is not None:
            click.echo(said, err=True)
    if dry_run:
        raise SystemExit(_dry_run(sources))
    state = state_of_running(data)
    url = url or (state and state.url("ingest")) or _INGEST
    log_url = log_url or (state and state.url("log-writer")) or _LOG_WRITER
    screen = console()
    try:
        tally = asyncio.run(_import(screen, sources, url, None if no_wait else log_url))
    except (IngestAway, IngestRefused, DamagedFile, UnknownColumn) as error:
        raise Refused(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted: repeat the same command to go on, nothing counts twice", err=True)
        raise SystemExit(130) from None
    if tally.refused or tally.unreadable:
        raise SystemExit(1)


def _dry_run(sources: list[Callable[[], LineSource]]) -> int:
    """Report what is there; the exit code."""
    from eddyline_cli.sending.dry_run import show, survey

    screen = console()
    try:
        found = survey(sources)
    except (DamagedFile, UnknownColumn) as error:
        raise Refused(str(error)) from error
    show(screen, found)
    return 1 if found.refused else 0


async def _import(
    screen: Console, sources: list[Callable[[], LineSource]], url: str, log_url: str | None
) -> Tally:
    tally = Tally()
    began = time.monotonic()
    async with aiohttp.ClientSession() as session:
        with SendingProgress(screen) as progress:
            position = 0
            client = IngestClient(
                session, url, on_wait=lambda why: progress.show(position, tally.sent, f"waiting: {why}")
            )
            accounted: list[Accounted] = []
            indistinct = 0
            for source in sources:
                file = source()
                path = file.path
                if isinstance(file, Accounted):
                    accounted.append(file)
                progress.begin(path, file.size, tally.sent)
                async for position, batch in read_ahead(file):
                    # One request at a time keeps the order.
                    tally.add(path, batch, await client.send([line.raw for line in batch]))
                    progress.show(position, tally.sent)
                progress.show(file.size or 0, tally.sent)
                if isinstance(file, EventFile):
                    indistinct += file.indistinct
        in_log = await _wait(screen, session, log_url, tally.sequence) if log_url else None
    _summary(screen, tally, time.monotonic() - began, in_log)
    if indistinct:
        _tell_indistinct(screen, indistinct)
    for file in accounted:
        tally.unreadable += file.counts.refused.total()
        tell_rows(screen, file)
    return tally


def _tell_indistinct(screen: Console, n: int) -> None:
    screen.print(
        f"warning: {n:,} events have neither an id nor a time. They happened when they were received, and one whose "
        "line is the same as a line of another file or import counts as the same event: give them `id` or `occurred_at`"
    )


async def _wait(screen: Console, session: aiohttp.ClientSession, url: str, sequence: int) -> bool:
    try:
        await LogPosition(session, url).reached(sequence)
    except LogAway as error:
        screen.print(f"the inbox has all, whether the log has them is not known: {error}", markup=False)
        return False
    return True


def tell_rows(screen: Console, file: Accounted) -> None:
    """Say how a file of rows was understood, and which rows made no event."""
    screen.print(f"{file.path}: {file.counts.rows:,} rows, {file.counts.events:,} events", markup=False)
    for note in [*file.notes, *file.counts.reasons()]:
        screen.print(f"  {note}", markup=False)


def _summary(screen: Console, tally: Tally, seconds: float, in_log: bool | None) -> None:
    where = "now in the log" if in_log else "stored in the inbox"
    if not tally.accepted:
        where = "nothing was new"
    screen.print(
        f"{tally.accepted:,} accepted, {tally.duplicates:,} already there, {tally.refused:,} refused; "
        f"{where} after {seconds:.1f} s ({tally.sent / max(seconds, 1e-9):,.0f} events/s)"
    )
    for reason in tally.reasons:
        screen.print(f"  refused  {reason}", markup=False)
    if tally.refused > len(tally.reasons):
        screen.print(f"  … and {tally.refused - len(tally.reasons):,} more: see `eddyline rejected`")
