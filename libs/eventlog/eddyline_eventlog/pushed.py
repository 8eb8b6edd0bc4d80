"""The log in PostgreSQL, with each batch pushed by the log writer as soon as it is committed.

A push is a hint that saves a read, never the truth: what does not join on to the last batch, what was dropped or
lost, and every silence ends in reading the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator

import nats.errors
from msgspec import MsgspecError
from nats.aio.client import Client
from nats.aio.msg import Msg

from eddyline_contracts.record import Batch, decode_batch
from eddyline_contracts.subjects import COMMITTED
from eddyline_eventlog.batching import rest_of
from eddyline_eventlog.postgres import PostgresLog

log = logging.getLogger(__name__)
SILENCE_S = 0.5
MAX_PENDING_BYTES = 32 * 1024 * 1024


class PushedLog:
    """Follows by push, reads by ``log``."""

    def __init__(
        self,
        log: PostgresLog,
        bus: Client,
        *,
        silence_s: float = SILENCE_S,
        max_pending_bytes: int = MAX_PENDING_BYTES,
    ) -> None:
        self._log = log
        self._bus = bus
        self._silence_s = silence_s
        self._max_pending_bytes = max_pending_bytes

    def read(self, after: int, until: int) -> AsyncGenerator[Batch, None]:
        """See `Log.read`."""
        return self._log.read(after, until)

    async def last(self) -> int:
        """See `Log.last`."""
        return await self._log.last()

    async def identity(self) -> str:
        """See `Log.identity`."""
        return await self._log.identity()

    async def follow(self, after: int) -> AsyncGenerator[Batch, None]:
        """See `Log.follow`."""
        # A long way is gone first without listening: all that is pushed meanwhile would only be dropped.
        while (batch := await self._log.next_batch(after)) is not None:
            after = batch.last
            yield batch
        pushes = _Pushes(self._max_pending_bytes)
        subscription = await self._bus.subscribe(COMMITTED, cb=pushes.take)
        try:
            behind = True
            while True:
                if behind:
                    while (batch := await self._log.next_batch(after)) is not None:
                        after = batch.last
                        yield batch
                    behind = False
                push = await pushes.next(self._silence_s)
                if push is None:
                    behind = True
                elif push.previous <= after < push.last:
                    batch = rest_of(push, after)
                    after = batch.last
                    yield batch
                else:
                    behind = push.previous > after
        finally:
            # When the connection is closed, so is the subscription.
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()


class _Pushes:
    """What was pushed and not yet taken, bounded: past the bound all of it goes, since reading is cheaper then."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._waiting: deque[bytes] = deque()
        self._arrived = asyncio.Event()

    async def take(self, message: Msg) -> None:
        """Called by the bus, one message at a time; never blocks it."""
        self._waiting.append(message.data)
        self._n_bytes += len(message.data)
        if self._n_bytes > self._max_bytes:
            self._waiting.clear()
            self._n_bytes = 0
        self._arrived.set()

    async def next(self, silence_s: float) -> Batch | None:
        """The next push, or none when it stays silent so long or the push cannot be read."""
        while not self._waiting:
            self._arrived.clear()
            try:
                async with asyncio.timeout(silence_s):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        raw = self._waiting.popleft()
        self._n_bytes -= len(raw)
        try:
            return decode_batch(raw)
        except MsgspecError as error:
            log.warning("unreadable push on %s: %s", COMMITTED, error)
            return None
