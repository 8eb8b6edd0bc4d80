"""The four adapters of the log, each with a writer that does what the log writer would."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import asyncpg
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.servers.postgres import PostgresServer
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
from tests.support.databases import a_database

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


@dataclass
class Servers:
    """What an adapter may need; each is there if its `Opening` says so."""

    folder: Path
    postgres_server: PostgresServer | None = None
    nats_server: NatsServer | None = None


@asynccontextmanager
async def memory(servers: Servers) -> AsyncIterator[Subject]:
    yield MemorySubject()


@asynccontextmanager
async def file(servers: Servers) -> AsyncIterator[Subject]:
    yield FileSubject(servers.folder / "events.jsonl")


@asynccontextmanager
async def _writing(servers: Servers) -> AsyncIterator[tuple[asyncpg.Pool, Appender]]:
    assert servers.postgres_server is not None
    async with a_database(servers.postgres_server) as url, database(url, max_connections=8) as pool:
        appender = await Appender.acquire(url)
        assert appender is not None
        yield pool, appender
        await appender.close()


@asynccontextmanager
async def postgres(servers: Servers) -> AsyncIterator[Subject]:
    async with _writing(servers) as (pool, appender):
        yield PostgresSubject(pool, appender)


@asynccontextmanager
async def pushed(servers: Servers) -> AsyncIterator[Subject]:
    assert servers.nats_server is not None
    url = servers.nats_server.url
    async with _writing(servers) as (pool, appender), connected(url, "test") as bus:
        yield PushedSubject(pool, appender, bus)


@dataclass(frozen=True)
class Opening:
    """How to open an adapter, and the fixtures that it needs."""

    open: Callable[[Servers], AbstractAsyncContextManager[Subject]]
    needs: tuple[str, ...] = ()


LIVE = [
    Opening(memory),
    Opening(postgres, ("postgres_server",)),
    Opening(pushed, ("postgres_server", "nats_server")),
]
ALL = [*LIVE, Opening(file)]


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
