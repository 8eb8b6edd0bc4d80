"""Rows of CSV as items: every column but the item's is a field, ``a|b`` a list, a column of numbers holds numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from eddyline_contracts.csv_table import (
    BadRow,
    CsvCounts,
    CsvEvent,
    RowIds,
    UnknownColumn,
    check_length,
    place_of,
    read_table,
    word_of,
)
from eddyline_contracts.csv_times import plain_number
from eddyline_contracts.limits import MAX_FIELDS, MAX_STRING_BYTES

LIST_SEPARATOR = "|"
_EXACT = 2**53


class CsvItems:
    """Reads rows as items.

    Reads all rows first, since what a column holds is decided by all of its cells.

    Raises
    ------
    UnknownColumn
        If there is no column ``item``.
    """

    def __init__(self, lines: Iterable[str], item: str) -> None:
        self.counts = CsvCounts()
        self.header, rows = read_table(lines)
        place = place_of(self.header, item, "--item")
        assert place is not None
        self._item = place
        if len(self.header) > MAX_FIELDS:
            raise UnknownColumn(f"{len(self.header):,} columns; an item takes at most {MAX_FIELDS} fields")
        self._ids = RowIds("item", item)
        self._kept: list[tuple[int, list[str]]] = []
        for line, row in rows:
            self.counts.rows += 1
            try:
                self._check(row)
            except BadRow as bad:
                self.counts.refuse(bad.detail, line)
            else:
                self._kept.append((line, row))
        self._columns = [
            (place, name, _column_type([row[place].strip() for _, row in self._kept]))
            for place, name in enumerate(self.header)
            if name and place != self._item
        ]

    def _check(self, row: list[str]) -> None:
        check_length(row, self.header)
        word_of(row, self._item, self.header)
        if any(len(cell.encode("utf-8", "replace")) > MAX_STRING_BYTES for cell in row):
            raise BadRow(f"a cell has more than {MAX_STRING_BYTES:,} bytes")

    def __iter__(self) -> Iterator[CsvEvent]:
        for line, row in self._kept:
            self.counts.events += 1
            fields = {
                name: _typed(cell, kind)
                for place, name, kind in self._columns
                if (cell := row[place].strip())
            }
            event = {
                "type": "item",
                "id": self._ids.id_of(row),
                "item": row[self._item].strip(),
                "fields": fields,
            }
            yield CsvEvent(line, None, msgspec.json.encode(event))


def _column_type(cells: list[str]) -> str:
    filled = [cell for cell in cells if cell]
    if filled and all(plain_number(cell) is not None for cell in filled):
        return "number"
    if filled and all(cell.lower() in ("true", "false") for cell in filled):
        return "boolean"
    return "list" if any(LIST_SEPARATOR in cell for cell in filled) else "text"


def _typed(cell: str, kind: str) -> Any:
    if kind == "number":
        value = float(cell)
        return (
            int(value)
            if value.is_integer() and abs(value) < _EXACT
            else value
            if math.isfinite(value)
            else cell
        )
    if kind == "boolean":
        return cell.lower() == "true"
    if kind == "list":
        return [part for part in (part.strip() for part in cell.split(LIST_SEPARATOR)) if part]
    return cell
