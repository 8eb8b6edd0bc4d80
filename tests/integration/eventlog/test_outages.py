"""Followers wait through outages of the database and the bus, and go on where they were."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_cli.servers.postgres import PostgresServer, start_postgres
from eddyline_contracts.record import Batch, Record
from eddyline_contracts.subjects import COMMITTED
from eddyline_eventlog.database import database
from eddyline_eventlog.migrate import migrate
from eddyline_eventlog.port import Log, LogEndsBefore, LogUnavailable
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_runtime.bus import connected
from tests.support.database_log import writing
from tests.support.waiting import wait_until


class Follower:
    """Follows a log and checks that its batches join on to each other."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.at = 0

    async def run(self, log: Log) -> None:
        async with aclosing(log.follow(0)) as following:
            async for batch in following:
                self.take(batch)

    def take(self, batch: Batch) -> None:
        assert batch.previous == self.at
        self.at = batch.last
        self.records += batch.records

    @property
    def ids(self) -> list[str]:
        return [record.event_id for record in self.records]


@asynccontextmanager
async def following(log: Log) -> AsyncIterator[Follower]:
    follower = Follower()
    task = asyncio.ensure_future(follower.run(log))
    try:
        yield follower
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def own_postgres(tmp_path: Path) -> PostgresServer:
    """A server that the test may kill."""
    return start_postgres(tmp_path / "postgres", durable=False)


def users(first: int, n: int) -> list[bytes]:
    return [b'{"type":"user","id":"e%d","user":"u"}' % k for k in range(first, first + n)]


def names(n: int) -> list[str]:
    return [f"e{k}" for k in range(n)]


@pytest.mark.parametrize("pushed", [False, True])
async def test_a_follower_waits_for_a_database_that_is_away(
    own_postgres: PostgresServer, nats_server: NatsServer, pushed: bool
) -> None:
    server = own_postgres
    try:
        await migrate(server.url)
        async with database(server.url) as pool, connected(nats_server.url, "test") as bus:
            plain = PostgresLog(pool)
            async with following(PushedLog(plain, bus, silence_s=0.05) if pushed else plain) as follower:
                async with writing(server.url, bus) as log:
                    await log.append(users(0, 10))
                    await wait_until(lambda: len(follower.records) == 10)
                server.kill()

                async def is_away() -> bool:
                    try:
                        await plain.last()
                    except LogUnavailable:
                        return True
                    return False

                await wait_until(is_away)
                server = start_postgres(server.folder, port=server.port, durable=False)
                async with writing(server.url, bus) as log:
                    await log.append(users(10, 10))
                    await wait_until(lambda: len(follower.records) == 20)
                assert follower.ids == names(20)
    finally:
        server.stop()


async def test_a_follower_of_a_bus_that_is_away_reads_the_database(
    nats_server: NatsServer, database_url: str
) -> None:
    server = nats_server
    async with database(database_url) as pool, connected(server.url, "test") as bus:
        async with (
            following(PushedLog(PostgresLog(pool), bus, silence_s=0.05)) as follower,
            writing(database_url, bus) as pushing,
        ):
            await pushing.append(users(0, 10))
            await wait_until(lambda: len(follower.records) == 10)
            server.kill()
            await wait_until(lambda: not bus.is_connected)
            await pushing.append(users(10, 10))
            await wait_until(lambda: len(follower.records) == 20)
            server = start_nats(server.folder, port=server.port)
            try:
                await wait_until(lambda: bus.is_connected)
                await pushing.append(users(20, 10))
                await wait_until(lambda: len(follower.records) == 30)
                assert follower.ids == names(30)
            finally:
                await bus.close()
                server.stop()


async def test_pushes_that_are_lost_come_from_the_database(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        database(database_url) as pool,
        connected(nats_server.url, "test") as bus,
        # So deaf to silence that only the gap tells.
        following(PushedLog(PostgresLog(pool), bus, silence_s=60)) as follower,
    ):
        await wait_until(lambda: any(s.subject == COMMITTED for s in bus._subs.values()))
        async with writing(database_url, None) as silent:
            await silent.append(users(0, 5))
        async with writing(database_url, bus) as pushing:
            await pushing.append(users(5, 5))
        await wait_until(lambda: len(follower.records) == 10)
        assert follower.ids == names(10)


async def test_silence_is_broken_by_asking(nats_server: NatsServer, database_url: str) -> None:
    async with (
        database(database_url) as pool,
        connected(nats_server.url, "test") as bus,
        following(PushedLog(PostgresLog(pool), bus, silence_s=0.05)) as follower,
        writing(database_url, None) as silent,
    ):
        await silent.append(users(0, 5))
        await wait_until(lambda: len(follower.records) == 5)
        await silent.append(users(5, 5))
        await wait_until(lambda: len(follower.records) == 10)
        assert follower.ids == names(10)


async def test_what_is_pushed_and_no_batch_is_passed_over(nats_server: NatsServer, database_url: str) -> None:
    async with (
        database(database_url) as pool,
        connected(nats_server.url, "test") as bus,
        following(PushedLog(PostgresLog(pool), bus, silence_s=60)) as follower,
        writing(database_url, bus) as log,
    ):
        await wait_until(lambda: any(s.subject == COMMITTED for s in bus._subs.values()))
        await log.append(users(0, 5))
        await wait_until(lambda: len(follower.records) == 5)
        for raw in (b"", b"\xff", b"nonsense"):
            await bus.publish(COMMITTED, raw)
        await log.append(users(5, 5))
        await wait_until(lambda: len(follower.records) == 10)
        assert follower.ids == names(10)


async def test_a_log_that_went_back_is_told_and_never_waited_for(database_url: str) -> None:
    async with database(database_url) as pool:
        async with writing(database_url) as log:
            await log.append(users(0, 10))
        async with aclosing(PostgresLog(pool).follow(0)) as follower:
            assert (await anext(follower)).last == 10
            await pool.execute("DELETE FROM event_log WHERE sequence > 5; UPDATE log_cursor SET sequence = 5")
            with pytest.raises(LogEndsBefore) as caught:
                await asyncio.wait_for(anext(follower), 5)
            assert (caught.value.after, caught.value.last) == (10, 5)


async def test_last_says_when_it_cannot_know(own_postgres: PostgresServer) -> None:
    await migrate(own_postgres.url)
    async with database(own_postgres.url) as pool:
        assert await PostgresLog(pool).last() == 0
        own_postgres.stop()
        with pytest.raises(LogUnavailable):
            await PostgresLog(pool).last()
