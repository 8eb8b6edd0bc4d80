"""Files of events as the log that importing them would give: the same order, ids, refusals and duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from eddyline_cli.sending.translated import Accounted, LineSource
from eddyline_contracts.events import InteractionRecorded, ItemEmbedded, SlateServed
from eddyline_contracts.limits import Refusal
from eddyline_contracts.public import check_public
from eddyline_contracts.record import Logged
from eddyline_eventlog.admission import Offline
from eddyline_learning.warmup import Warmup

_BATCH = 1_000
_KEPT_BYTES = 256 * 1024 * 1024
"""Of events as they stand in the files; decoded ones take some four times as much. A longer history is read again."""
_TELL = 5


@dataclass
class Found:
    """What one reading met."""

    events: int = 0
    slates: int = 0
    interactions: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Lines that are no events, by code; rows of CSV, by reason."""
    remarks: list[str] = field(default_factory=list)
    """For people: the first refused lines, and how CSV was understood."""


class Adding(Protocol):
    """Adds events to a history."""

    def add_to(self, batch: list[Logged]) -> list[Logged]:
        """The events of a batch, the next one each time, with others between; sequences are given anew."""


class History:
    """Events of all files, read once to see what is there and then again to go through them.

    A history that is not too long is kept, so that it is decoded once.
    """

    def __init__(
        self, sources: Sequence[Callable[[], LineSource]], embedding: Callable[[], Adding] | None = None
    ) -> None:
        """``embedding``: what adds vectors of texts, anew for each reading; None adds nothing."""
        self.found = Found()
        """What there is, once `look` has ended."""
        self._sources = sources
        self._embedding = embedding
        self._kept: list[list[Logged]] | None = []

    def look(self) -> Iterator[int]:
        """Read everything; yields the number of events so far, now and then.

        Raises
        ------
        DamagedFile
            If a compressed file breaks off.
        UnknownColumn
            If a CSV file has no such column.
        """
        found, n_bytes = self.found, 0
        for batch, size in self._read(found):
            found.events += sum(not isinstance(logged.event, ItemEmbedded) for logged in batch)
            found.slates += sum(isinstance(logged.event, SlateServed) for logged in batch)
            found.interactions += sum(isinstance(logged.event, InteractionRecorded) for logged in batch)
            n_bytes += size
            if self._kept is not None:
                self._kept.append(batch)
                if n_bytes > _KEPT_BYTES:
                    self._kept = None
            yield found.events

    def until(self, warmup: Warmup) -> Iterator[Logged]:
        """The events of a warm-up."""
        batches = self._kept if self._kept is not None else (b for b, _ in self._read(Found()))
        for batch in batches:
            for logged in batch:
                if warmup.ends_before(logged):
                    return
                yield logged

    def batches(self, *, last: bool = True) -> Iterator[list[Logged]]:
        """The events in order; unless this is the ``last`` time, they are kept for the next."""
        if not last and self._kept is not None:
            yield from self._kept
            return
        kept, self._kept = self._kept, None
        if kept is None:
            for batch, _ in self._read(Found()):
                yield batch
            return
        kept.reverse()
        while kept:
            yield kept.pop()

    def _read(self, found: Found) -> Iterator[tuple[list[Logged], int]]:
        embedding = None if self._embedding is None else self._embedding()
        for batch, size in _read(self._sources, found):
            yield (batch if embedding is None else embedding.add_to(batch)), size


def _read(sources: Sequence[Callable[[], LineSource]], found: Found) -> Iterator[tuple[list[Logged], int]]:
    intake = Offline()
    batch: list[Logged] = []
    n_bytes = 0
    for source in sources:
        file = source()
        for line in file.lines():
            try:
                logged = intake.take_decoded(line.raw)
                if logged is not None:
                    check_public(logged.event)
            except Refusal as refusal:
                _refuse(found, f"{file.path}:{line.number}", refusal.code, refusal.detail)
                continue
            if logged is None:
                found.duplicates += 1
            else:
                batch.append(logged)
                n_bytes += len(line.raw)
            if len(batch) >= _BATCH:
                yield batch, n_bytes
                batch, n_bytes = [], 0
        if isinstance(file, Accounted):
            found.refused.update(file.counts.refused)
            told = [f"{file.counts.rows:,} rows, {file.counts.events:,} events", *file.notes]
            found.remarks += [f"{file.path}: {said}" for said in [*told, *file.counts.reasons()]]
    if batch:
        yield batch, n_bytes


def _refuse(found: Found, place: str, code: str, detail: str) -> None:
    found.refused[code] += 1
    if found.refused.total() <= _TELL:
        found.remarks.append(f"{place}: refused: {detail} ({code})")
