"""Rows of CSV as interactions: whose columns mean what is said once, and rows that lack something are counted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

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
from eddyline_contracts.csv_times import TimeForm


class CsvColumns(Struct, frozen=True, kw_only=True):
    """Which column holds what, in a file of interactions."""

    item: str
    user: str | None = None
    session: str | None = None
    time: str
    action: str | None = None
    """Column of the action; none: every row is ``action_name``."""
    action_name: str | None = None
    """Default: ``rating`` where there is a value column, else ``click``."""
    value: str | None = None


class CsvInteractions:
    """Reads rows as interactions.

    Parameters
    ----------
    lines
        Of the file, the header first, with their line breaks.

    Raises
    ------
    UnknownColumn
        If the header does not hold what ``columns`` names.
    """

    def __init__(self, lines: Iterable[str], columns: CsvColumns) -> None:
        if columns.user is None and columns.session is None:
            raise UnknownColumn("name the column of the user (or the session): whom does a row concern?")
        self.counts = CsvCounts()
        self.time_form: TimeForm | None = None
        """As the first row that has a time says it; the others must agree."""
        self.header, self._rows = read_table(lines)
        self._item = place_of(self.header, columns.item, "--item")
        self._user = place_of(self.header, columns.user, "--user")
        self._session = place_of(self.header, columns.session, "--session")
        self._time = place_of(self.header, columns.time, "--time")
        self._action = place_of(self.header, columns.action, "--action")
        self._value = place_of(self.header, columns.value, "--value")
        self._constant = columns.action_name or ("rating" if columns.value else "click")
        self._ids = RowIds("interaction", columns)
        taken = {self._item, self._user, self._session, self._time, self._action, self._value}
        self.not_taken = [name for place, name in enumerate(self.header) if place not in taken]
        """Columns that go into no event."""

    def __iter__(self) -> Iterator[CsvEvent]:
        for line, row in self._rows:
            self.counts.rows += 1
            try:
                event = self._event(line, row)
            except BadRow as bad:
                self.counts.refuse(bad.detail, line)
                continue
            self.counts.events += 1
            yield event

    def _event(self, line: int, row: list[str]) -> CsvEvent:
        check_length(row, self.header)
        at = self._moment(row)
        event: dict[str, Any] = {"type": "interaction", "id": "", "occurred_at": at}
        if self._user is not None:
            event["user"] = self._word(row, self._user)
        if self._session is not None:
            event["session"] = self._word(row, self._session)
        event["item"] = self._word(row, self._item)
        event["action"] = self._constant if self._action is None else self._word(row, self._action)
        if self._value is not None:
            event["value"] = self._number(row, self._value)
        event["id"] = self._ids.id_of(row)
        return CsvEvent(line, at, msgspec.json.encode(event))

    def _word(self, row: list[str], place: int | None) -> str:
        assert place is not None
        return word_of(row, place, self.header)

    def _number(self, row: list[str], place: int) -> float:
        cell = self._word(row, place)
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise BadRow(f"{self.header[place]} is no number")
        return value

    def _moment(self, row: list[str]) -> int:
        assert self._time is not None
        cell = self._word(row, self._time)
        form = self.time_form or TimeForm.of(cell)
        at = form.read(cell) if form else None
        if at is None:
            name = self.header[self._time]
            expected = (
                self.time_form.name if self.time_form else "seconds or milliseconds since 1970, or RFC 3339"
            )
            raise BadRow(f"{name} is no time ({expected} expected)")
        self.time_form = form
        return at
