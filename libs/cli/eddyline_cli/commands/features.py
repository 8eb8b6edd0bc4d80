"""``eddyline features``: the vectors of a person and items, now or at any place of the log."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console

from eddyline_cli.commands.event_files import CsvOptions, check_files, opened
from eddyline_cli.commands.options import config_option, data_option, examples
from eddyline_cli.configuration import find_config, read_config
from eddyline_cli.data_folder import state_of_running
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import console
from eddyline_cli.sending.event_lines import DamagedFile
from eddyline_runtime.clock import system_clock

if TYPE_CHECKING:
    from eddyline_cli.evaluating.progress import EvaluationProgress
    from eddyline_cli.travelling.place_in_log import Found, Wanted
    from eddyline_cli.travelling.question import Question
    from eddyline_cli.travelling.seen import Seen
    from eddyline_cli.travelling.sources import Source
    from eddyline_features.view import View


@click.command(
    name="features",
    epilog=examples(
        "eddyline features --user u1 --items i1,i2",
        "eddyline features --user u1 --items i1,i2 --at 2026-11-24T12:30:00Z",
        'eddyline features --session x7 --items \'["i1", {"item": "i2", "fields": {"relevancy": 2}}]\' '
        '--context \'{"device": "phone"}\'',
        "eddyline features --slate 0193-… --json | jq .vectors[0]     # what a slate was ranked by",
        "eddyline features --user u1 --items i1 --at 5000 --events events.jsonl.gz --config shop.yaml",
    ),
)
@click.option("--user", metavar="U", help="Whose vectors.")
@click.option("--session", metavar="S", help="Their visit; it stands for the user where none is named.")
@click.option(
    "--items",
    metavar="A,B",
    help="The candidates; or a JSON list as for /v1/rank, with fields of the request.",
)
@click.option("--context", metavar="JSON", help="Fields of the request, as the device or the query.")
@click.option("--slate", metavar="ID", help="Instead of all these: as a slate in the log was ranked.")
@click.option(
    "--at",
    metavar="SEQUENCE|TIME",
    help="The state after this place of the log (a whole number), or after the last event recorded at or before this "
    "time (RFC 3339).  [default: the log's end]",
)
@click.option(
    "--ranked-at",
    metavar="TIME",
    help="To when ages and decay are counted (RFC 3339, or ms since 1970); never before the newest slate or "
    "interaction.  "
    "[default: the time of --at; of its event where --at is a place; else now]",
)
@click.option(
    "--events",
    "files",
    multiple=True,
    metavar="FILE",
    help="Read these events instead of the running system's log; repeat it for more files.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object: all digits, and null for what is unknown."
)
@config_option
@data_option
def command(
    user: str | None,
    session: str | None,
    items: str | None,
    context: str | None,
    slate: str | None,
    at: str | None,
    ranked_at: str | None,
    files: tuple[str, ...],
    as_json: bool,
    config: Path | None,
    data: Path,
) -> None:
    """Print the vectors of a person and items: features as rows, items as columns, `-` where a value is unknown.

    The log is folded from its beginning to the place, by the code that serves and trains: about 40,000 events a
    second, so a million take half a minute. Nothing is changed, and no service is asked.

    TIME is the recorder's clock (when the bus stored an event), not the clients' `occurred_at`: only by it the log
    is in order, so that a time is one place of it. For files, it is the newest `occurred_at` so far.

    What was served is got with --slate, or by hand with --at its `features_sequence` and --ranked-at its `ranked_at`:
    equal to the bit, as long as the view is the same.
    """
    from eddyline_cli.travelling.place_in_log import moment_of, wanted_of
    from eddyline_cli.travelling.question import question_of
    from eddyline_cli.travelling.shown import show

    wanted = wanted_of(at)
    when = None if ranked_at is None else moment_of(ranked_at, "--ranked-at")
    question = None
    if slate is None:
        if items is None or (user is None and session is None):
            raise Refused("whose vectors of what? Give --user (or --session) and --items, or --slate")
        question = question_of(user, session, items, context)
    elif any(given is not None for given in (user, session, items, context, at, ranked_at)):
        raise Refused(
            "--slate says all: leave --user, --session, --items, --context, --at and --ranked-at out"
        )
    running = None if files else state_of_running(data)
    path = Path(running.config) if config is None and running is not None else find_config(config)
    view = read_config(path)
    url = (running.database_url if running else None) or os.environ.get("EDDYLINE_DATABASE_URL")
    if not files and not url:
        raise Refused(
            f"nothing runs in {data}: start it with `eddyline up`, set EDDYLINE_DATABASE_URL, or read files with "
            "--events FILE"
        )
    try:
        seen = asyncio.run(_look(files, url or "", view, question, slate, wanted, when))
    except DamagedFile as error:
        raise Refused(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if as_json:
        click.echo(msgspec.json.encode(seen.as_json()))
    else:
        show(console(), seen)
        console().print(f"\nfolded {seen.place.n_events:,} events in {seen.seconds:.1f} s", markup=False)


async def _look(
    files: tuple[str, ...],
    url: str,
    view: View,
    question: Question | None,
    slate: str | None,
    wanted: Wanted,
    ranked_at: int | None,
) -> Seen:
    from eddyline_cli.evaluating.progress import EvaluationProgress
    from eddyline_cli.travelling.seen import look

    notes = Console(stderr=True, highlight=False, soft_wrap=True)
    with EvaluationProgress(notes) as progress:
        async with _source(files, url, notes, progress) as source:
            if question is None:
                question, wanted, ranked_at = await _as_ranked(source, slate or "", view, notes)
            place = await source.find(wanted)
            if ranked_at is None:
                ranked_at = _default_time(source, wanted, place)
            progress.begin("folding", place.n_events)
            return await look(source, view, question, place, ranked_at=ranked_at, progress=progress.show)


def _default_time(source: Source, wanted: Wanted, place: Found) -> int:
    if wanted.recorded_at is not None:
        return wanted.recorded_at
    if wanted.sequence is None and source.is_live:
        return system_clock()
    return place.recorded_at or 0


@asynccontextmanager
async def _source(
    files: tuple[str, ...], url: str, notes: Console, progress: EvaluationProgress
) -> AsyncIterator[Source]:
    from eddyline_cli.evaluating.history import History
    from eddyline_cli.travelling.sources import FileSource, reading

    if not files:
        async with reading(url) as source:
            yield source
        return
    for path in files:
        if path == "-" or path.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
            raise Refused(
                f"--events {path}: files of events are expected; `eddyline import` takes CSV and `-`"
            )
    check_files(files, CsvOptions())
    history = History(opened(files, CsvOptions()))
    read = FileSource(history)
    progress.begin("reading")
    for n in read.load():
        progress.show(n)
    for remark in history.found.remarks:
        notes.print(remark, markup=False)
    yield read


async def _as_ranked(source: Source, slate: str, view: View, notes: Console) -> tuple[Question, Wanted, int]:
    """What a slate of the log was asked, and when."""
    from eddyline_cli.travelling.place_in_log import Wanted
    from eddyline_cli.travelling.question import Question
    from eddyline_contracts.events import SlateServed
    from eddyline_learning.pending import pending_of

    logged = await source.slate(slate)
    if logged is None or not isinstance(logged.event, SlateServed):
        raise Refused(
            f"there is no slate {slate} in the log: see that the id is right; it may not be stored yet"
        )
    ranked = pending_of(logged, logged.event)
    if ranked.blind:
        raise Refused(
            f"slate {slate} was ordered without features ({logged.event.policy}), so it has no vectors: "
            "give --user, --items and --at to see what they would have been"
        )
    if logged.event.view not in (None, view.id):
        notes.print(
            f"the slate was ranked by the view {logged.event.view}; these are its vectors by {view.id}",
            markup=False,
        )
    question = Question(ranked.user, ranked.session, ranked.candidates, ranked.item_fields, ranked.context)
    return question, Wanted(sequence=ranked.features_sequence), ranked.ranked_at
