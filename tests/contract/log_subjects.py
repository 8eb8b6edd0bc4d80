"""The four adapters of the log, each with a writer that does what the log writer would."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Protocol

import asyncpg
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.limits import Refusal
from eddyline_contracts.record import Batch, Record, encode_batch
from eddyline_contracts.subjects import COMMITTED
from eddyline_eventlog.admission import Admitted, admit
from eddyline_eventlog.appending import Appender
from eddyline_eventlog.database import database
from eddyline_eventlog.file import FileLog
from eddyline_eventlog.memory import MemoryLog
from eddyline_eventlog.port import Log
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_runtime.bus import connected

MAX_ROWS = 7
MAX_BYTES = 20_000


class Subject(Protocol):
    """An adapter under test."""

    live: bool
    log: Log

    async def write(self, payloads: Sequence[bytes]) -> int:
        """Offer events to the log, in one batch where it knows batches; returns the newest place."""
        ...

    def held(self) -> int:
        """What followers hold at the moment: connections, subscriptions."""
        ...


class MemorySubject:
    live = True

    def __init__(self) -> None:
        self._memory = MemoryLog(max_rows=MAX_ROWS, max_bytes=MAX_BYTES)
        self.log: Log = self._memory

    async def write(self, payloads: Sequence[bytes]) -> int:
        return [self._memory.append(payload) for payload in payloads][-1]

    def held(self) -> int:
        return 0


class FileSubject:
    live = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()
        self.log: Log = FileLog(path, max_rows=MAX_ROWS, max_bytes=MAX_BYTES)

    async def write(self, payloads: Sequence[bytes]) -> int:
        with self._path.open("ab") as file:
            file.writelines(payload + b"\n" for payload in payloads)
        self.log = FileLog(self._path, max_rows=MAX_ROWS, max_bytes=MAX_BYTES)
        return await self.log.last()

    def held(self) -> int:
        return 0


class PostgresSubject:
    live = True

    def __init__(self, pool: asyncpg.Pool, appender: Appender) -> None:
        self._pool = pool
        self._appender = appender
        self._places = itertools.count(1)
        self.log: Log = PostgresLog(pool, max_rows=MAX_ROWS, max_bytes=MAX_BYTES, poll_interval_s=0.01)

    async def write(self, payloads: Sequence[bytes]) -> int:
        return (await self.commit(payloads)).last

    async def commit(self, payloads: Sequence[bytes]) -> Batch:
        admitted: list[Admitted] = []
        previous = place = self._appender.cursor.sequence
        for payload in payloads:
            place = next(self._places)
            try:
                admitted.append(admit(place, payload, assigned_id=None, received_at=None, recorded_at=place))
            except Refusal:
                continue
        return Batch(previous, place, await self._appender.append(place, place, admitted))

    def held(self) -> int:
        return int(self._pool.get_size() - self._pool.get_idle_size())


class PushedSubject(PostgresSubject):
    def __init__(self, pool: asyncpg.Pool, appender: Appender, bus: Client) -> None:
        super().__init__(pool, appender)
        self._bus = bus
        self.log = PushedLog(
            PostgresLog(pool, max_rows=MAX_ROWS, max_bytes=MAX_BYTES),
            bus,
            silence_s=0.1,
            max_pending_bytes=4_000,
        )

    async def write(self, payloads: Sequence[bytes]) -> int:
        batch = await self.commit(payloads)
        await self._bus.publish(COMMITTED, encode_batch(batch))
        await self._bus.flush()
        return batch.last

    def held(self) -> int:
        return super().held() + len(self._bus._subs)


@asynccontextmanager
async def memory(tmp_path: Path, database_url: str, nats_server: NatsServer) -> AsyncIterator[Subject]:
    yield MemorySubject()


@asynccontextmanager
async def file(tmp_path: Path, database_url: str, nats_server: NatsServer) -> AsyncIterator[Subject]:
    yield FileSubject(tmp_path / "events.jsonl")


@asynccontextmanager
async def postgres(tmp_path: Path, database_url: str, nats_server: NatsServer) -> AsyncIterator[Subject]:
    async with database(database_url, max_connections=8) as pool:
        appender = await Appender.acquire(database_url)
        assert appender is not None
        yield PostgresSubject(pool, appender)
        await appender.close()


@asynccontextmanager
async def pushed(tmp_path: Path, database_url: str, nats_server: NatsServer) -> AsyncIterator[Subject]:
    async with database(database_url, max_connections=8) as pool, connected(nats_server.url, "test") as bus:
        appender = await Appender.acquire(database_url)
        assert appender is not None
        # The connection's own inbox subscription comes with its first request and stays.
        await bus.flush()
        yield PushedSubject(pool, appender, bus)
        await appender.close()


Opening = Callable[[Path, str, NatsServer], AbstractAsyncContextManager[Subject]]
LIVE: list[Opening] = [memory, postgres, pushed]
ALL: list[Opening] = [*LIVE, file]


async def collect(log: Log, after: int, until: int) -> tuple[list[Record], list[Batch]]:
    """Follow from ``after`` to ``until``, checking that the batches are contiguous."""
    records, batches, at = list[Record](), list[Batch](), after
    if at == until:
        return records, batches
    async with aclosing(log.follow(after)) as following:
        async for batch in following:
            assert batch.previous == at
            assert batch.last > batch.previous
            assert all(batch.previous < record.sequence <= batch.last for record in batch.records)
            at = batch.last
            batches.append(batch)
            records.extend(batch.records)
            if at >= until:
                break
    assert at == until
    return records, batches
