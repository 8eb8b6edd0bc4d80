"""A log in memory, for tests: append to it, follow it."""

from __future__ import annotations

import asyncio
import uuid
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncGenerator

from eddyline_contracts.events import Event, encode
from eddyline_contracts.limits import Refusal
from eddyline_contracts.record import Batch, Record
from eddyline_eventlog.admission import Offline
from eddyline_eventlog.batching import MAX_BYTES, MAX_ROWS, split
from eddyline_eventlog.port import LogEndsBefore


class MemoryLog:
    """Behaves as the inbox, the log writer and the log together."""

    def __init__(self, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> None:
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._intake = Offline()
        self._identity = str(uuid.uuid4())
        self._records: list[Record] = []
        self._grown = asyncio.Event()
        self.duplicates = 0
        self.refused: Counter[str] = Counter()
        """Refused events by code."""

    def append(
        self,
        event: bytes | Event,
        *,
        event_id: str | None = None,
        received_at: int | None = None,
        recorded_at: int | None = None,
    ) -> int:
        """Take an event as the log writer would, and return its place.

        ``event_id`` names one that brings no id. Without ``recorded_at`` the newest ``occurred_at`` so far counts.
        """
        payload = event if isinstance(event, bytes) else encode(event)
        try:
            record = self._intake.take(
                payload, assigned_id=event_id, received_at=received_at, recorded_at=recorded_at
            )
            if record is None:
                self.duplicates += 1
            else:
                self._records.append(record)
        except Refusal as refusal:
            self.refused[refusal.code] += 1
        self._grown.set()
        self._grown = asyncio.Event()
        return self._intake.sequence

    async def follow(self, after: int) -> AsyncGenerator[Batch, None]:
        """See `Log.follow`."""
        self._check(after)
        while True:
            grown = self._grown
            for batch in self._after(after, self._intake.sequence):
                after = batch.last
                yield batch
            if after == self._intake.sequence:
                await grown.wait()

    async def read(self, after: int, until: int) -> AsyncGenerator[Batch, None]:
        """See `Log.read`."""
        self._check(after)
        while after < until:
            grown = self._grown
            for batch in self._after(after, min(until, self._intake.sequence)):
                after = batch.last
                yield batch
            if after == self._intake.sequence < until:
                await grown.wait()

    async def last(self) -> int:
        """See `Log.last`."""
        return self._intake.sequence

    async def identity(self) -> str:
        """See `Log.identity`: every log in memory is its own."""
        return self._identity

    def _check(self, after: int) -> None:
        if after > self._intake.sequence:
            raise LogEndsBefore(after, self._intake.sequence)

    def _after(self, after: int, last: int) -> list[Batch]:
        if after >= last:
            return []
        first = bisect_right(self._records, after, key=lambda record: record.sequence)
        end = bisect_right(self._records, last, key=lambda record: record.sequence)
        batch = Batch(after, last, self._records[first:end])
        return list(split(batch, max_rows=self._max_rows, max_bytes=self._max_bytes))
