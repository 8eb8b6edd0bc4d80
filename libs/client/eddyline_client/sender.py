"""Gathers events into batches and sends each until the inbox has stored it, in the order in which they were taken."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eddyline_client.backoff import pause_s
from eddyline_client.carrier import Again, Carrier, Outcome, Refused, Stored
from eddyline_client.errors import Closed, Misdirected, Rejected, RejectedEvent, Unavailable, UnsentEvent
from eddyline_client.options import Batching
from eddyline_client.outgoing import Outgoing, Ticket
from eddyline_client.own_writes import OwnWrites

log = logging.getLogger(__name__)
_KEPT_REJECTIONS = 1_000
OnRejected = Callable[[RejectedEvent], None]


@dataclass(frozen=True)
class Sent:
    """What became of the events of one ``send``."""

    stored: int
    sequence: int | None
    """A place in the log that is not before theirs, for ``min_sequence``; none if it is not known."""


class Sender:
    """One queue, one batch under way at a time: that keeps the order, and a batch is tried again until it is settled.

    Parameters
    ----------
    on_rejected
        Called for each refused event that nobody waits for. Without it they are kept (up to 1,000) and raised by the
        next ``flush`` or ``close``.
    """

    def __init__(
        self, carrier: Carrier, batching: Batching, own: OwnWrites, on_rejected: OnRejected | None = None
    ) -> None:
        self._carrier = carrier
        self._batching = batching
        self._own = own
        self._on_rejected = on_rejected
        self._queue: deque[Outgoing] = deque()
        self._under_way: list[Outgoing] = []
        self._n_bytes = 0
        self._taken = 0
        self._settled = 0
        """All events up to this number are settled."""
        self._hurry = 0
        """Somebody waits for the events up to this number: they do not linger."""
        self._changed = asyncio.Condition()
        self._rejected: list[RejectedEvent] = []
        self._n_more_rejected = 0
        self._trouble: Again | None = None
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    async def take(self, event: Outgoing, timeout_s: float) -> int:
        """Queue one event; waits while too many are held. Returns its number.

        Raises
        ------
        Unavailable
            If there was no room in time: this event was not taken.
        """
        size = len(event.payload)
        async with self._changed:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait_for(lambda: self._closed or self._has_room(size))
            except TimeoutError:
                late = self._unavailable(timeout_s)
                raise type(late)(f"event {event.id} was not taken, too many wait before it: {late}") from None
            if self._closed:
                raise Closed("this client was closed: make a new one")
            if self._task is None:
                self._task = asyncio.create_task(self._run(), name="eddyline-sender")
            self._taken += 1
            event.number = self._taken
            event.taken_at = asyncio.get_running_loop().time()
            self._queue.append(event)
            self._n_bytes += size
            self._own.taken(event.keys, event.number)
            self._changed.notify_all()
            return event.number

    async def settle(self, number: int, timeout_s: float) -> None:
        """Wait until every event up to this number is stored or refused.

        Raises
        ------
        Unavailable
            If it takes longer; the events stay with the client, which goes on trying.
        """
        async with self._changed:
            self._hurry = max(self._hurry, number)
            self._changed.notify_all()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait_for(lambda: self._settled >= number or self._closed)
            except TimeoutError:
                raise self._unavailable(timeout_s) from None
            if self._settled < number:
                raise Closed("this client was closed before the events were stored")

    async def flush(self, timeout_s: float) -> None:
        """Wait until all that was taken so far is settled, and raise what was refused with nobody waiting."""
        await self.settle(self._taken, timeout_s)
        self._raise_rejected()

    async def close(self, timeout_s: float) -> None:
        """Send what is left, then end.

        Raises
        ------
        Unavailable
            With the events that nobody acknowledged.
        Rejected
            For refused events that were not told before.
        """
        if self._closed:
            return
        late: Unavailable | None = None
        try:
            await self.settle(self._taken, timeout_s)
        except Unavailable as error:
            late = error
        finally:
            async with self._changed:
                self._closed = True
                self._changed.notify_all()
            if self._task is not None:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
            await self._carrier.close()
        if late is not None:
            left = [UnsentEvent(event.id, event.payload) for event in [*self._under_way, *self._queue]]
            raise type(late)(f"{late}; {len(left):,} events were not acknowledged", left)
        self._raise_rejected()

    def _has_room(self, size: int) -> bool:
        held = self._taken - self._settled
        fits = self._n_bytes + size <= self._batching.max_pending_bytes or held == 0
        return held < self._batching.max_pending_events and fits

    async def _run(self) -> None:
        rng = random.Random()
        while True:
            self._under_way = await self._batch()
            attempt = 0
            while self._under_way:
                outcomes = await self._attempt(self._under_way)
                again = await self._sort(self._under_way, outcomes)
                if again is None:
                    break
                attempt += 1
                self._trouble = again
                log.debug("events are sent again: %s", again.reason)
                await asyncio.sleep(
                    pause_s(
                        attempt,
                        first_s=self._batching.first_backoff_s,
                        most_s=self._batching.max_backoff_s,
                        asked_s=again.after_s,
                        rng=rng,
                    )
                )
            self._trouble = None

    async def _batch(self) -> list[Outgoing]:
        batching = self._batching
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._queue))
            until = self._queue[0].taken_at + batching.linger_s
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait_for(self._is_full)
            except TimeoutError:
                pass
            batch: list[Outgoing] = []
            n_bytes = 0
            while self._queue and len(batch) < batching.max_events:
                size = len(self._queue[0].payload)
                if batch and n_bytes + size > batching.max_bytes:
                    break
                batch.append(self._queue.popleft())
                n_bytes += size
            return batch

    def _is_full(self) -> bool:
        waited_for = self._queue[0].number <= self._hurry
        return (
            waited_for
            or len(self._queue) >= self._batching.max_events
            or self._n_bytes >= self._batching.max_bytes
        )

    async def _attempt(self, events: Sequence[Outgoing]) -> Sequence[Outcome]:
        try:
            async with asyncio.timeout(self._batching.attempt_timeout_s):
                return await self._carrier.send(events)
        except TimeoutError:
            return [Again(f"no answer within {self._batching.attempt_timeout_s:g} s")] * len(events)
        except Exception as error:
            # A fault of ours must not end the sending, and with it all that is held.
            log.exception("sending failed")
            return [Again(f"{type(error).__name__}: {error}")] * len(events)

    async def _sort(self, events: Sequence[Outgoing], outcomes: Sequence[Outcome]) -> Again | None:
        """Settle what can be, keep the rest under way; why it has to be sent again, if any has to."""
        again: Again | None = None
        left: list[Outgoing] = []
        async with self._changed:
            for event, outcome in zip(events, outcomes, strict=True):
                if isinstance(outcome, Again):
                    again = again or outcome
                    left.append(event)
                else:
                    self._settle(event, outcome)
            self._under_way = left
            ahead = [*left, *self._queue]
            self._settled = ahead[0].number - 1 if ahead else self._taken
            self._changed.notify_all()
        return again

    def _settle(self, event: Outgoing, outcome: Stored | Refused) -> None:
        self._n_bytes -= len(event.payload)
        ticket = event.ticket
        if isinstance(outcome, Stored):
            self._own.settled(event.keys, event.number, outcome.sequence)
            if ticket is not None:
                ticket.n_stored += 1
                if outcome.sequence is not None:
                    ticket.sequence = max(outcome.sequence, ticket.sequence or 0)
            return
        self._own.settled(event.keys, event.number, None)
        rejected = RejectedEvent(event.index, event.id, outcome.code, outcome.detail, event.payload)
        if ticket is not None:
            ticket.rejected.append(rejected)
        elif self._on_rejected is not None:
            try:
                self._on_rejected(rejected)
            except Exception:
                log.exception("on_rejected failed")
        else:
            log.warning("event %s was refused: %s", event.id, outcome.detail)
            if len(self._rejected) < _KEPT_REJECTIONS:
                self._rejected.append(rejected)
            else:
                self._n_more_rejected += 1

    def _raise_rejected(self) -> None:
        rejected, n_more = self._rejected, self._n_more_rejected
        self._rejected, self._n_more_rejected = [], 0
        if rejected:
            raise Rejected(rejected, n_more=n_more)

    def _unavailable(self, timeout_s: float) -> Unavailable:
        trouble = self._trouble
        why = f": {trouble.reason}" if trouble is not None else ""
        kind = Misdirected if trouble is not None and trouble.misdirected else Unavailable
        return kind(f"not stored within {timeout_s:g} s{why}")


def sent_of(ticket: Ticket) -> Sent:
    """The answer to one ``send``.

    Raises
    ------
    Rejected
        If some of its events were refused.
    """
    if ticket.rejected:
        raise Rejected(ticket.rejected, sequence=ticket.sequence)
    return Sent(ticket.n_stored, ticket.sequence)
