"""The log as the encoder sees it: texts of items, and what has been read of them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from time import perf_counter

from eddyline_contracts.record import decode_record
from eddyline_encoder import metrics
from eddyline_encoding.shelf import Shelf
from eddyline_eventlog.port import Log

_SLICE_S = 0.005
_TYPES = frozenset(("item", "item_embedded"))
"""What the log calls the events that matter."""


class Following:
    """Moves a shelf forward; everything on one event loop, so that nobody sees it between two events."""

    def __init__(self, shelf: Shelf, log: Log, *, target: int) -> None:
        self.shelf = shelf
        self.sequence = 0
        """Place that the shelf reflects."""
        self.caught_up = asyncio.Event()
        """Set once it has reached where the log ended when this process started."""
        self.moved = asyncio.Event()
        """Set whenever something may have to be read that was not there before."""
        self._log = log
        self._target = target

    async def run(self) -> None:
        """Follow the log until cancelled.

        Raises
        ------
        LogEndsBefore
            If the log turns out to be another one.
        """
        self._look()
        async with aclosing(self._log.follow(0)) as batches:
            async for batch in batches:
                slice_end = perf_counter() + _SLICE_S
                for record in batch.records:
                    if record.type in _TYPES:
                        self.shelf.apply(record.event_id, decode_record(record).event)
                    if perf_counter() >= slice_end:
                        await asyncio.sleep(0)
                        slice_end = perf_counter() + _SLICE_S
                self.sequence = batch.last
                self._look()

    def _look(self) -> None:
        metrics.SEQUENCE.set(self.sequence)
        metrics.UNREAD.set(self.shelf.n_unread)
        if self.sequence >= self._target:
            self.caught_up.set()
        self.moved.set()
