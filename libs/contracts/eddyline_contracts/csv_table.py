"""Rows of a CSV file, ids for them, and an account of those that make no event.

Much data comes as CSV. It is translated in one place (here, and in `csv_interactions` and `csv_items`), so that import,
autoconfig and evaluation see the same events. Pure: lines in, events as JSON out.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from eddyline_contracts.limits import MAX_ID_CHARS, Refusal

csv.field_size_limit(2**24)

_DELIMITERS = ",\t;"
_KEPT_LINES = 5


class UnknownColumn(ValueError):
    """The file has no such column, or one is needed that was not named; the text says which there are."""


class BadRow(Refusal):
    """A row that makes no event. Its text names the reason only, so that rows can be counted by it."""

    code = "bad_row"


class CsvEvent(Struct, frozen=True, array_like=True):
    """A row as an event."""

    number: int
    """Line of the file where the row ends, from 1."""
    occurred_at: int | None
    raw: bytes
    """JSON in the native form, with an id made from the row and how often it occurred before."""


class CsvCounts:
    """What became of the rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.events = 0
        self.refused: Counter[str] = Counter()
        """By reason."""
        self.first_lines: dict[str, list[int]] = {}
        """The first few lines of each reason."""

    def refuse(self, reason: str, line: int) -> None:
        """Count a row that makes no event."""
        self.refused[reason] += 1
        lines = self.first_lines.setdefault(reason, [])
        if len(lines) < _KEPT_LINES:
            lines.append(line)

    def reasons(self) -> list[str]:
        """A line for each reason, the most frequent first."""
        return [
            f"{n:,} row{'s' * (n > 1)}: {reason} (line{'s' * (n > 1)} {', '.join(map(str, self.first_lines[reason]))}"
            f"{', …' if n > len(self.first_lines[reason]) else ''})"
            for reason, n in self.refused.most_common()
        ]


def read_table(lines: Iterable[str]) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Header, and rows with the number of their last line. The delimiter is the header's most frequent candidate."""
    source = iter(lines)
    head = next(source, "").removeprefix("\ufeff")
    delimiter = max(_DELIMITERS, key=head.count)

    def again() -> Iterator[str]:
        yield head
        yield from source

    # A NUL would end the reader with an error in some versions.
    reader = csv.reader((line.replace("\0", "") for line in again()), delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]

    def rows() -> Iterator[tuple[int, list[str]]]:
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise UnknownColumn(f"line {reader.line_num}: {error}: is it a CSV file?") from error
            if row:
                yield reader.line_num, row

    return header, rows()


def place_of(header: list[str], column: str | None, option: str) -> int | None:
    """Where a column is; None for one that was not named.

    Raises
    ------
    UnknownColumn
        If it is not there, or there twice. ``option`` is how it was named.
    """
    if column is None:
        return None
    if column not in header:
        known = ", ".join(name or "(no name)" for name in header[:30]) or "none"
        raise UnknownColumn(f"{option} {column}: there is no such column; the columns are {known}")
    if header.count(column) > 1:
        raise UnknownColumn(f"{option} {column}: there are {header.count(column)} columns of this name")
    return header.index(column)


class RowIds:
    """Ids from what a row says and how often that was said before."""

    def __init__(self, *origin: Any) -> None:
        # How columns are read is part of it: a second import with other columns must not pass for a repetition.
        self._origin = msgspec.json.encode(origin)
        self._seen: Counter[bytes] = Counter()

    def id_of(self, row: list[str]) -> str:
        """The id of the next row of the file."""
        digest = hashlib.sha256(self._origin + msgspec.json.encode(row)).digest()[:16]
        occurrence = self._seen[digest]
        self._seen[digest] += 1
        return f"csv-{digest.hex()}-{occurrence}"


def decoded_lines(source: Iterable[bytes]) -> Iterator[str]:
    """Bytes as text: UTF-8, or Latin-1 for a line that is not."""
    for line in source:
        try:
            yield line.decode()
        except UnicodeDecodeError:
            yield line.decode("latin-1")


def word_of(row: list[str], place: int, header: list[str]) -> str:
    """A cell that may not be empty, as an id or name.

    Raises
    ------
    BadRow
        If it is empty or too long.
    """
    cell = row[place].strip()
    if not cell:
        raise BadRow(f"no {header[place]}")
    if len(cell) > MAX_ID_CHARS:
        raise BadRow(f"{header[place]} has more than {MAX_ID_CHARS} characters")
    return cell


def check_length(row: list[str], header: list[str]) -> None:
    """Raise `BadRow` for a row that has not a cell for each column."""
    if len(row) != len(header):
        raise BadRow(f"not as many cells as the header has columns ({len(header)})")
