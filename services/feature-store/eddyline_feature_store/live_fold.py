"""The state as it follows the log. Whoever asks comes before what is yet to be applied.

Everything happens on one event loop, so a reader sees the state between two events, never within one. Applying gives
the loop back every millisecond, for as many turns as a question needs to come in and its answer to go out.
"""

from __future__ import annotations

import asyncio
import heapq
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter

from eddyline_contracts.record import Batch, decode_record
from eddyline_eventlog.port import Log
from eddyline_feature_store import metrics
from eddyline_features.state import State
from eddyline_runtime.clock import Clock

_SLICE_S = 0.001
# Socket → reader → subscription → answer → socket: each a turn of the loop.
_TURNS = 5
_SLACK = 64


@dataclass(order=True, slots=True)
class _Waiter:
    sequence: int
    number: int
    reached: asyncio.Future[bool] = field(compare=False)


class LiveFold:
    """Owns the state and moves it forward."""

    def __init__(self, state: State, log: Log, *, target: int, snapshot_events: int, clock: Clock) -> None:
        self.state = state
        self._log = log
        self._target = target
        self._snapshot_events = snapshot_events
        self._clock = clock
        self._waiters: list[_Waiter] = []
        self._n_waited = 0
        self._n_waiting = 0
        self.caught_up = asyncio.Event()
        """Set once the state has reached where the log ended when this process started."""
        self.snapshot_due = asyncio.Event()
        """Set when enough has been applied since `snapshot_taken`."""
        self.unsaved = 0
        """Events applied since the last snapshot."""

    async def run(self) -> None:
        """Follow the log until cancelled.

        Raises
        ------
        LogEndsBefore
            If the log turns out to be another one: this state is then of a history that is gone.
        """
        self._look()
        async with aclosing(self._log.follow(self.state.sequence)) as batches:
            async for batch in batches:
                await self._apply(batch)

    async def reached(self, sequence: int, within_s: float) -> bool:
        """Wait until the state reflects this place; tell whether it came so far in time."""
        if self.state.sequence >= sequence:
            return True
        self._n_waited += 1
        self._n_waiting += 1
        waiter = _Waiter(sequence, self._n_waited, asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiters, waiter)
        metrics.WAITERS.inc()
        timer = asyncio.get_running_loop().call_later(within_s, _give_up, waiter)
        try:
            return await waiter.reached
        finally:
            timer.cancel()
            metrics.WAITERS.dec()
            self._n_waiting -= 1
            # Those who gave up on a place that never comes would stay in the heap for ever.
            if len(self._waiters) > 2 * self._n_waiting + _SLACK:
                self._waiters = [one for one in self._waiters if not one.reached.done()]
                heapq.heapify(self._waiters)

    def snapshot_taken(self, n_events: int) -> None:
        """``n_events`` of the unsaved ones are in a snapshot now."""
        self.unsaved -= n_events
        if self.unsaved < self._snapshot_events:
            self.snapshot_due.clear()

    async def _apply(self, batch: Batch) -> None:
        state = self.state
        n_events = 0
        slice_end = perf_counter() + _SLICE_S
        for record in batch.records:
            state.apply(decode_record(record))
            n_events += 1
            if perf_counter() >= slice_end:
                self._count(n_events)
                n_events = 0
                self._look()
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                slice_end = perf_counter() + _SLICE_S
        state.advance(batch.last)
        self._count(n_events)
        if self.caught_up.is_set() and batch.records:
            metrics.FOLD_LATENCY.observe(max(0, self._clock() - batch.records[0].recorded_at) / 1_000)
        self._look()

    def _count(self, n_events: int) -> None:
        metrics.APPLIED.inc(n_events)
        self.unsaved += n_events
        if self.unsaved >= self._snapshot_events:
            self.snapshot_due.set()

    def _look(self) -> None:
        """Wake those whose place has come."""
        sequence = self.state.sequence
        metrics.SEQUENCE.set(sequence)
        if sequence >= self._target:
            self.caught_up.set()
        waiters = self._waiters
        while waiters and (waiters[0].sequence <= sequence or waiters[0].reached.done()):
            waiter = heapq.heappop(waiters)
            if not waiter.reached.done():
                waiter.reached.set_result(True)


def _give_up(waiter: _Waiter) -> None:
    if not waiter.reached.done():
        waiter.reached.set_result(False)
