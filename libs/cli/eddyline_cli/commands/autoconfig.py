"""``eddyline autoconfig``: an eddyline.yaml from files of events."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from eddyline_cli.commands.event_files import check_files, csv_options, event_file_options, opened
from eddyline_cli.commands.options import examples
from eddyline_cli.examining import Examined, config_of, examine
from eddyline_cli.refusals import Refused
from eddyline_cli.sending.event_lines import DamagedFile
from eddyline_contracts.csv_table import UnknownColumn


@click.command(
    name="autoconfig",
    epilog=examples(
        "eddyline autoconfig events.jsonl.gz",
        "eddyline autoconfig january.jsonl february.jsonl --output eddyline.yaml",
        "eddyline autoconfig ratings.csv --user userId --item movieId --value rating --time timestamp",
        "eddyline autoconfig shares.csv.gz --user person --item page --time at --items pages.csv",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="EVENTS…")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write.  [default: standard output]",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--name", help="Name of the view.  [default: from the file's]")
@event_file_options
def command(files: tuple[str, ...], output: Path | None, force: bool, name: str | None, **csv: Any) -> None:
    """Propose an eddyline.yaml that fits files of events: actions, features, times, limits and sizes.

    It says in comments why each choice was made, with the figures it was made from. It is a good start, made to be
    changed. Files are read as `eddyline import` reads them, once and in bounded memory; the same events give the same
    text.
    """
    form = csv_options(**csv)
    check_files(files, form)
    if output is not None and output.exists() and not force:
        raise Refused(f"{output} is there already: name another file, or replace it with --force")
    began = time.monotonic()
    try:
        seen = examine(opened(files, form))
    except (DamagedFile, UnknownColumn) as error:
        raise Refused(str(error)) from error
    for line in seen.remarks:
        click.echo(line, err=True)
    if not seen.profile.n_events:
        raise Refused(
            "there are no events in these files, so nothing can be proposed: name files with one JSON event a line, "
            "or CSV with its columns (`eddyline autoconfig --help`)"
        )
    _write(seen, output, config_of(seen, files, name), time.monotonic() - began)


def _write(seen: Examined, output: Path | None, text: str, seconds: float) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text)
    except OSError as error:
        raise Refused(
            f"{output} cannot be written: {error.strerror}; name another file with --output"
        ) from error
    click.echo(f"{output}: from {seen.profile.n_events:,} events, in {seconds:.1f} s", err=True)
