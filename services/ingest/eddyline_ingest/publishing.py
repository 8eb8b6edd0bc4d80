"""Storing events in the inbox: all that wait go together, in their order, by whichever way is quicker.

An answer that was lost leaves open whether the events were stored, so they are sent again under the same ids, which
the bus drops if it has them: from outside there is only stored, or come back later.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import NoReturn

import nats.errors
from msgspec import Struct
from nats.aio.client import Client

from eddyline_ingest import metrics
from eddyline_ingest.checking import Message
from eddyline_ingest.costs import Costs
from eddyline_ingest.inbox import COME_BACK, Inbox
from eddyline_ingest.jetstream import (
    BATCH_HAS_DUPLICATE,
    NO_STORAGE,
    STORE_FAILED,
    ApiError,
    is_transient,
)
from eddyline_ingest.storing import Answer, Pipeline, store_atomically
from eddyline_runtime.problems import Unavailable

log = logging.getLogger(__name__)
MAX_GROUP = 1_000
"""Messages of an atomic batch: JetStream's bound."""
MAX_GROUP_BYTES = 4 * 1024 * 1024
_ANSWER_S = 2.0
_RETRY_S = 0.02
_STORAGE_FULL = (STORE_FAILED, NO_STORAGE, 10023)


class Stored(Struct, frozen=True):
    """What became of the messages of one submission."""

    n_accepted: int
    n_duplicates: int
    last: int
    """Number of the newest in the stream; of a duplicate, where the first one lies."""


class _Submission:
    def __init__(self, messages: Sequence[Message], n_bytes: int) -> None:
        self.messages = messages
        self.n_bytes = n_bytes
        self.submitted_at = time.monotonic()
        self.stored: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()


class Publisher:
    """Takes submissions at any time and stores them in their order. `run` does the work."""

    def __init__(
        self,
        bus: Client,
        inbox: Inbox,
        *,
        max_pending_bytes: int,
        patience_s: float,
        costs: Costs | None = None,
    ) -> None:
        self._bus = bus
        self._inbox = inbox
        self._max_pending_bytes = max_pending_bytes
        self._patience_s = patience_s
        self._pipeline = Pipeline(bus)
        self._costs = costs or Costs()
        self._waiting: deque[_Submission] = deque()
        self._arrived = asyncio.Event()
        self._pending_bytes = 0

    def submit(self, messages: Sequence[Message], n_bytes: int) -> asyncio.Future[Stored]:
        """Hand over at most `MAX_GROUP` messages. The future raises `Unavailable` if they were not stored in time.

        Raises
        ------
        Unavailable
            If too much waits already.
        """
        self.check(n_bytes)
        submission = _Submission(messages, n_bytes)
        self._pending_bytes += n_bytes
        metrics.PENDING_BYTES.set(self._pending_bytes)
        self._waiting.append(submission)
        self._arrived.set()
        return submission.stored

    def check(self, n_bytes: int = 0) -> None:
        """Say whether so much more may be submitted.

        Raises
        ------
        Unavailable
            If too much waits already.
        """
        if self._pending_bytes and self._pending_bytes + n_bytes > self._max_pending_bytes:
            raise Unavailable(f"too many events wait for the bus already: {COME_BACK}")

    async def run(self) -> NoReturn:
        """Store what is submitted, for ever."""
        try:
            await self._run()
        finally:
            await self._pipeline.close()

    async def _run(self) -> NoReturn:
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            group = self._next_group()
            started = time.monotonic()
            try:
                # Patience counts from the request, or those behind an outage would wait for each other's in turn.
                await self._store(group, group[0].submitted_at + self._patience_s)
            except Unavailable as error:
                _fail(group, error)
            except Exception as error:
                log.exception("events could not be stored")
                _fail(group, error)
            except asyncio.CancelledError:
                _fail(group, Unavailable(f"ingest is stopping: {COME_BACK}"))
                raise
            finally:
                self._pending_bytes -= sum(submission.n_bytes for submission in group)
                metrics.PENDING_BYTES.set(self._pending_bytes)
            metrics.PUBLISH_SECONDS.observe(time.monotonic() - started)

    def _next_group(self) -> list[_Submission]:
        group = [self._waiting.popleft()]
        n, n_bytes = len(group[0].messages), group[0].n_bytes
        while self._waiting:
            following = self._waiting[0]
            n += len(following.messages)
            n_bytes += following.n_bytes
            if n > MAX_GROUP or n_bytes > MAX_GROUP_BYTES:
                break
            group.append(self._waiting.popleft())
        return group

    async def _store(self, group: list[_Submission], deadline: float) -> None:
        messages = [message for submission in group for message in submission.messages]
        metrics.GROUP_EVENTS.observe(len(messages))
        await self._connected(deadline)
        resent = False
        if self._costs.prefer_atomic(len(messages)):
            started = time.monotonic()
            try:
                last = await store_atomically(self._bus, messages, _ANSWER_S)
            except ApiError as error:
                if error.err_code in _STORAGE_FULL:
                    raise _unavailable(error) from error
                if error.err_code != BATCH_HAS_DUPLICATE:
                    log.warning("an atomic batch was refused, storing one by one: %s", error)
            except Exception as error:
                if not is_transient(error):
                    raise
                resent = True
            else:
                self._costs.took(len(messages), time.monotonic() - started, atomic=True)
                first = last - len(messages) + 1
                await self._settle(group, [Answer(first + n) for n in range(len(messages))])
                return
        await self._settle(group, await self._one_by_one(messages, deadline, resent=resent))

    async def _one_by_one(
        self, messages: Sequence[Message], deadline: float, *, resent: bool
    ) -> list[Answer]:
        """Store each by itself, again until it is."""
        stored: dict[int, Answer] = {}
        while True:
            missing = [n for n in range(len(messages)) if n not in stored]
            started = time.monotonic()
            failure: Exception = TimeoutError()
            try:
                answers = await self._pipeline.store([messages[n] for n in missing], _ANSWER_S)
            except Exception as error:
                if not is_transient(error):
                    raise
                answers, failure = [], error
            for n, answer in zip(missing, answers, strict=False):
                if isinstance(answer, Answer):
                    # Sent before with the answer lost, the first one is our own.
                    stored[n] = Answer(answer.seq, answer.duplicate and not resent)
                elif answer is not None and is_transient(answer):
                    failure = answer
                elif answer is not None:
                    raise _unavailable(answer) from answer
            if len(stored) == len(messages):
                if not resent:
                    self._costs.took(len(messages), time.monotonic() - started, atomic=False)
                return [stored[n] for n in range(len(messages))]
            resent = True
            if time.monotonic() > deadline:
                raise _unavailable(failure) from failure
            await asyncio.sleep(_RETRY_S)
            await self._connected(deadline)

    async def _settle(self, group: list[_Submission], answers: list[Answer]) -> None:
        """Tell each submission of the group what became of its messages."""
        new = [answer.seq for answer in answers if not answer.duplicate]
        if new:
            await self._inbox.stored(max(new))
        start = 0
        for submission in group:
            mine = answers[start : start + len(submission.messages)]
            start += len(mine)
            n_duplicates = sum(answer.duplicate for answer in mine)
            # Done already if the request behind it was given up.
            if not submission.stored.done():
                submission.stored.set_result(
                    Stored(len(mine) - n_duplicates, n_duplicates, max(answer.seq for answer in mine))
                )

    async def _connected(self, deadline: float) -> None:
        """Wait for the bus: what is sent without one only piles up."""
        while not self._bus.is_connected:
            if time.monotonic() > deadline:
                raise Unavailable(f"the bus is away: {COME_BACK}")
            await asyncio.sleep(_RETRY_S)


def _fail(group: list[_Submission], error: Exception) -> None:
    for submission in group:
        if not submission.stored.done():
            submission.stored.set_exception(error)
            # Nobody may be waiting any more, and that is no fault.
            submission.stored.exception()


def _unavailable(error: Exception) -> Unavailable:
    if isinstance(error, nats.errors.NoRespondersError):
        return Unavailable(f"there is no inbox: start the log writer, which makes it; then {COME_BACK}")
    if isinstance(error, ApiError) and error.err_code in _STORAGE_FULL:
        return Unavailable(f"the inbox is full ({error.description}): {COME_BACK}", retry_after_s=5)
    if isinstance(error, ApiError):
        return Unavailable(f"the bus does not take events: {error}; {COME_BACK}")
    return Unavailable(f"the bus does not answer: {COME_BACK}")
