"""The log in a real database, written as the log writer does, without an inbox before it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from nats.aio.client import Client

from eddyline_contracts.events import Event, encode
from eddyline_contracts.record import Batch, encode_batch
from eddyline_contracts.subjects import COMMITTED
from eddyline_eventlog.admission import admit
from eddyline_eventlog.appending import Appender


class DatabaseLog:
    """Commits batches and pushes them to followers."""

    def __init__(self, appender: Appender, client: Client | None) -> None:
        self._appender = appender
        self._client = client

    async def append(self, events: Iterable[Event | bytes]) -> int:
        """Commit these events as one batch; returns the newest place."""
        previous = self._appender.cursor.sequence
        now = time.time_ns() // 1_000_000
        raws = [event if isinstance(event, bytes) else encode(event) for event in events]
        admitted = [
            admit(previous + 1 + k, raw, assigned_id=None, received_at=None, recorded_at=now)
            for k, raw in enumerate(raws)
        ]
        last = previous + len(raws)
        records = await self._appender.append(last, now * 1_000_000, admitted)
        if self._client is not None:
            await self._client.publish(COMMITTED, encode_batch(Batch(previous, last, records)))
        return last


@asynccontextmanager
async def writing(database_url: str, client: Client | None = None) -> AsyncIterator[DatabaseLog]:
    """Be the one writer of this database's log; with a client, push too."""
    appender = await Appender.acquire(database_url)
    assert appender is not None
    yield DatabaseLog(appender, client)
    await appender.close()
