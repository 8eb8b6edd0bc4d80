"""Options that name files of events in any form, for every command that reads such files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from msgspec import Struct

from eddyline_cli.refusals import Refused
from eddyline_cli.sending.csv_file import CsvFile
from eddyline_cli.sending.datasets import GORSE, MOVIELENS, UnknownDataset, form_of, sources_of
from eddyline_cli.sending.event_lines import EventFile
from eddyline_cli.sending.translated import LineSource
from eddyline_contracts.csv_interactions import CsvColumns

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--format",
        "form",
        type=click.Choice(["auto", "jsonl", "csv", MOVIELENS, GORSE]),
        default="auto",
        show_default=True,
        help="Form of the files: events (native or Metarank), CSV, a folder of MovieLens or of Gorse's export; "
        "auto goes by names and first lines.",
    ),
    click.option("--user", metavar="C", help="CSV: column of the user."),
    click.option("--item", metavar="C", help="CSV: column of the item."),
    click.option("--time", metavar="C", help="CSV: column of the time (seconds, ms, or a date)."),
    click.option("--action", metavar="C", help="CSV: column of the action."),
    click.option(
        "--action-name", metavar="WORD", help="CSV: the action of every row, where no column says it."
    ),
    click.option("--value", metavar="C", help="CSV: column of a number, as a rating."),
    click.option("--session", metavar="C", help="CSV: column of the session."),
    click.option(
        "--items",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="CSV of items, read first: its --item column, and the others as fields (a|b is a list).",
    ),
)


class CsvOptions(Struct, frozen=True, kw_only=True):
    """What the options say of the form of files."""

    form: str = "auto"
    columns: CsvColumns | None = None
    items: str | None = None


def event_file_options(command: _F) -> _F:
    """Add the options; `csv_options` takes their values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def csv_options(
    *,
    form: str,
    user: str | None,
    item: str | None,
    time: str | None,
    action: str | None,
    action_name: str | None,
    value: str | None,
    session: str | None,
    items: str | None,
) -> CsvOptions:
    """The options as one value.

    Raises
    ------
    Refused
        If some of the columns that CSV needs are named and others not.
    """
    named = {"--user": user, "--item": item, "--time": time, "--action": action, "--value": value}
    named |= {"--session": session, "--action-name": action_name, "--items": items}
    if not any(named.values()):
        return CsvOptions(form=form)
    if action and action_name:
        raise Refused("--action names a column and --action-name a constant: give one of them")
    missing = [option for option in ("--item", "--time") if not named[option]]
    if not user and not session:
        missing.insert(0, "--user")
    if missing or item is None or time is None:
        raise Refused(f"CSV needs {', '.join(missing)} too: which column is it?")
    columns = CsvColumns(
        item=item, user=user, session=session, time=time, action=action, action_name=action_name, value=value
    )
    return CsvOptions(form=form, columns=columns, items=items)


def check_files(files: Sequence[str], options: CsvOptions) -> None:
    """Refuse what is not there, and CSV of which the columns are not named.

    Raises
    ------
    Refused
        For the first such file.
    """
    for path in files:
        if path != "-" and not Path(path).exists():
            raise Refused(f"there is no file {path}: name one that is there, or - for standard input")
        if path.lower().endswith(".zip"):
            raise Refused(f"{path} is packed: unpack it, and name the folder")
        form = _dataset(path, options)
        if form is not None:
            try:
                sources_of(path, form)
            except UnknownDataset as error:
                raise Refused(str(error)) from error
            continue
        if Path(path).is_dir():
            raise Refused(
                f"{path} is a folder, and neither one of MovieLens (ratings.csv and movies.csv, or u.data) nor of "
                "Gorse's export (items.jsonl, users.jsonl, feedback.jsonl): name the files in it"
            )
        if _is_csv(path, options) and options.columns is None:
            raise Refused(
                f"{path} is CSV: name its columns, as --user C --item C --time C [--action C] [--value C]"
            )
    if options.columns is not None and not any(_is_csv(path, options) for path in files):
        raise Refused("columns are named, but no file is CSV: add --format csv, or leave them out")


def opened(files: Sequence[str], options: CsvOptions) -> list[Callable[[], LineSource]]:
    """For each file, in the order in which they should be read, what opens it; items come first."""
    found: list[Callable[[], LineSource]] = []
    if options.items is not None and options.columns is not None:
        found.append(_csv(options.items, options.columns, "items"))
    for path in files:
        form = _dataset(path, options)
        if form is not None:
            found += sources_of(path, form)
        elif _is_csv(path, options) and options.columns is not None:
            found.append(_csv(path, options.columns, "interactions"))
        else:
            found.append(_lines(path))
    return found


def _csv(path: str, columns: CsvColumns, holds: str) -> Callable[[], LineSource]:
    return lambda: CsvFile(path, columns, holds)


def _lines(path: str) -> Callable[[], LineSource]:
    return lambda: EventFile(path)


def _dataset(path: str, options: CsvOptions) -> str | None:
    if options.form in (MOVIELENS, GORSE):
        return options.form
    # What is said about columns is meant for CSV.
    return form_of(path) if options.form == "auto" and options.columns is None else None


def _is_csv(path: str, options: CsvOptions) -> bool:
    if options.form != "auto":
        return options.form == "csv"
    return path.lower().removesuffix(".gz").endswith((".csv", ".tsv"))
