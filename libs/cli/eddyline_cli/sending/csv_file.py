"""CSV files as numbered lines of events, in the order in which the events happened."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from eddyline_cli.sending.event_lines import EventFile, Line
from eddyline_contracts.csv_interactions import CsvColumns, CsvInteractions
from eddyline_contracts.csv_items import CsvItems
from eddyline_contracts.csv_table import CsvCounts, CsvEvent, UnknownColumn, decoded_lines

MOST_SORTED = 5_000_000
"""Rows that are sorted in memory; about 300 bytes each."""


@dataclass
class CsvFile:
    """One file of interactions, or of items. Read from its start, by the ending or the content compressed or not.

    Features and evaluation go by the order of events, and exports are often sorted by user. So a file whose times go
    backwards is sorted first, which needs it in memory; standard input is taken as it comes.
    """

    path: str
    columns: CsvColumns
    holds: str = "interactions"
    """``interactions`` or ``items``."""
    counts: CsvCounts = field(default_factory=CsvCounts)
    """Of the newest pass."""
    notes: list[str] = field(default_factory=list)
    """What was found out about the file, for people."""
    _file: EventFile = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._file = EventFile(self.path)

    @property
    def size(self) -> int | None:
        """Bytes of the file, compressed; unknown for standard input."""
        return self._file.size

    def position(self) -> int:
        """Bytes of the file that were read, for the progress."""
        return self._file.position()

    def lines(self) -> Iterator[Line]:
        """The events, each with an id made from its row and how often that occurred before.

        Raises
        ------
        DamagedFile
            If a compressed file breaks off or is no such file.
        UnknownColumn
            If a column is missing, or the file is too long to be sorted.
        """
        try:
            for event in self._events():
                yield Line(event.number, event.raw)
        finally:
            self._file.close()

    def _events(self) -> Iterable[CsvEvent]:
        if self.holds == "items":
            return self._items()
        if self.path == "-" or self._is_in_order():
            return self._interactions(note=True)
        return self._sorted()

    def _items(self) -> CsvItems:
        items = CsvItems(decoded_lines(self._file.raw_lines()), self.columns.item)
        self.counts = items.counts
        return items

    def _interactions(self, *, note: bool = False) -> Iterator[CsvEvent]:
        reader = CsvInteractions(decoded_lines(self._file.raw_lines()), self.columns)
        self.counts = reader.counts
        yield from reader
        if note:
            self._note(reader)

    def _is_in_order(self) -> bool:
        times = (event.occurred_at or 0 for event in self._interactions())
        in_order = all(earlier <= later for earlier, later in itertools.pairwise(times))
        # Read again from its start.
        self._file.close()
        self._file = EventFile(self.path)
        return in_order

    def _sorted(self) -> list[CsvEvent]:
        events: list[CsvEvent] = []
        for event in self._interactions(note=True):
            events.append(event)
            if len(events) > MOST_SORTED:
                raise UnknownColumn(
                    f"{self.path} is not sorted by {self.columns.time}, and has more than {MOST_SORTED:,} rows: sort "
                    "it by that column first"
                )
        # Stable: rows of the same time keep their order.
        events.sort(key=lambda event: event.occurred_at or 0)
        self.notes.append(f"not sorted by {self.columns.time}: sorted before it was read")
        return events

    def _note(self, reader: CsvInteractions) -> None:
        if reader.time_form is not None:
            self.notes.append(f"{self.columns.time}: {reader.time_form.name}")
        if reader.not_taken:
            self.notes.append(
                f"columns not taken: {', '.join(name or '(no name)' for name in reader.not_taken)}"
            )
