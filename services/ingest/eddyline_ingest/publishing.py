"""Storing events in the inbox: all that wait go together, in their order, in one atomic batch.

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
import uuid_utils
from msgspec import Struct
from nats.aio.client import Client

from eddyline_ingest import metrics
from eddyline_ingest.checking import Message
from eddyline_ingest.inbox import COME_BACK, Inbox
from eddyline_ingest.jetstream import (
    BATCH_HAS_DUPLICATE,
    NO_STORAGE,
    STORE_FAILED,
    ApiError,
    checked,
    is_transient,
)
from eddyline_runtime.problems import Unavailable

log = logging.getLogger(__name__)
MAX_GROUP = 1_000
"""Messages of an atomic batch: JetStream's bound."""
MAX_GROUP_BYTES = 4 * 1024 * 1024
_AT_ONCE = 250
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

    def __init__(self, bus: Client, inbox: Inbox, *, max_pending_bytes: int, patience_s: float) -> None:
        self._bus = bus
        self._inbox = inbox
        self._max_pending_bytes = max_pending_bytes
        self._patience_s = patience_s
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
        if len(messages) > 1:
            try:
                last = await self._atomic(messages)
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
                await self._inbox.stored(last)
                first = last - len(messages) + 1
                for submission in group:
                    n = len(submission.messages)
                    _settle(submission, Stored(n, 0, first + n - 1))
                    first += n
                return
        answers = await self._one_by_one(messages, deadline, resent=resent)
        new = [number for number, duplicate in answers if not duplicate]
        if new:
            await self._inbox.stored(max(new))
        rest = iter(answers)
        for submission in group:
            mine = [next(rest) for _ in submission.messages]
            n_duplicates = sum(duplicate for _, duplicate in mine)
            last = max((number for number, _ in mine), default=0)
            _settle(submission, Stored(len(mine) - n_duplicates, n_duplicates, last))

    async def _atomic(self, messages: Sequence[Message]) -> int:
        """Store all or none; the number of the last one."""
        batch = uuid_utils.uuid7().hex
        for number, message in enumerate(messages[:-1], 1):
            headers = message.headers | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            await self._bus.publish(message.subject, message.payload, headers=headers)
        last = messages[-1]
        headers = last.headers | {
            "Nats-Batch-Id": batch,
            "Nats-Batch-Sequence": str(len(messages)),
            "Nats-Batch-Commit": "1",
        }
        answer = await self._bus.request(last.subject, last.payload, timeout=_ANSWER_S, headers=headers)
        number = checked(answer.data)["seq"]
        assert isinstance(number, int)
        return number

    async def _one_by_one(
        self, messages: Sequence[Message], deadline: float, *, resent: bool
    ) -> list[tuple[int, bool]]:
        """Store each by itself, again until it is; number and whether it was there before, in order."""
        answers: list[tuple[int, bool] | None] = [None] * len(messages)
        missing = list(range(len(messages)))
        while missing:
            await self._connected(deadline)
            failure: Exception | None = None
            for start in range(0, len(missing), _AT_ONCE):
                part = missing[start : start + _AT_ONCE]
                results = await asyncio.gather(
                    *(self._one(messages[n]) for n in part), return_exceptions=True
                )
                for n, result in zip(part, results, strict=True):
                    if isinstance(result, tuple):
                        number, duplicate = result
                        # Sent before with the answer lost: the first one is our own.
                        answers[n] = (number, duplicate and not resent)
                    elif isinstance(result, Exception) and is_transient(result):
                        failure = result
                    elif isinstance(result, ApiError):
                        raise _unavailable(result) from result
                    else:
                        raise result
                if failure is not None:
                    break
            missing = [n for n, answer in enumerate(answers) if answer is None]
            if failure is not None:
                resent = True
                if time.monotonic() > deadline:
                    raise _unavailable(failure) from failure
                await asyncio.sleep(_RETRY_S)
        return [answer for answer in answers if answer is not None]

    async def _one(self, message: Message) -> tuple[int, bool]:
        answer = await self._bus.request(
            message.subject, message.payload, timeout=_ANSWER_S, headers=message.headers
        )
        told = checked(answer.data)
        return told["seq"], bool(told.get("duplicate"))

    async def _connected(self, deadline: float) -> None:
        """Wait for the bus: what is sent without one only piles up."""
        while not self._bus.is_connected:
            if time.monotonic() > deadline:
                raise Unavailable(f"the bus is away: {COME_BACK}")
            await asyncio.sleep(_RETRY_S)


def _settle(submission: _Submission, stored: Stored) -> None:
    # Done already if the request behind it was given up.
    if not submission.stored.done():
        submission.stored.set_result(stored)


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
