"""Files of other systems and data sets as numbered lines of events, in the order in which the events happened."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from eddyline_cli.sending.csv_file import MOST_SORTED, CsvFile
from eddyline_cli.sending.event_lines import DamagedFile, EventFile, Line
from eddyline_contracts.csv_table import CsvCounts, CsvEvent


class Reader(Protocol):
    """Rows as events, and an account of those that make none."""

    counts: CsvCounts

    def __iter__(self) -> Iterator[CsvEvent]: ...


@dataclass
class TranslatedFile:
    """One file, ``.gz`` or not, read once from its start.

    Where times go backwards the events are sorted, in memory: features and evaluation go by the order of events.
    """

    path: str
    translate: Callable[[Iterable[bytes]], Reader]
    counts: CsvCounts = field(default_factory=CsvCounts)
    notes: list[str] = field(default_factory=list)
    """What was found out about the file, for people."""
    _file: EventFile = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._file = EventFile(self.path)

    @property
    def size(self) -> int | None:
        """Bytes of the file, compressed."""
        return self._file.size

    def position(self) -> int:
        """Bytes of the file that were read, for the progress."""
        return self._file.position()

    def lines(self) -> Iterator[Line]:
        """The events, each with an id made from its row and how often that occurred before.

        Raises
        ------
        DamagedFile
            If a compressed file breaks off, or the file is too long to be sorted.
        """
        try:
            reader = self.translate(self._file.raw_lines())
            self.counts = reader.counts
            events = list(itertools.islice(reader, MOST_SORTED + 1))
        finally:
            self._file.close()
        if len(events) > MOST_SORTED:
            raise DamagedFile(
                f"{self.path} has more than {MOST_SORTED:,} rows: split it by time, and import in that order"
            )
        times = [event.occurred_at or 0 for event in events]
        if any(later < earlier for earlier, later in itertools.pairwise(times)):
            # Stable: rows of the same time keep their order.
            events.sort(key=lambda event: event.occurred_at or 0)
            self.notes.append("not sorted by time: sorted before it was read")
        for event in events:
            yield Line(event.number, event.raw)


Accounted = CsvFile | TranslatedFile
"""Files whose rows may make no event, and which say so."""
LineSource = EventFile | CsvFile | TranslatedFile
"""What events can be read from, line by line."""
