"""kill -9 of each part while events flow: all that was acknowledged is in the log once, and followers see no gap."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_cli.servers.postgres import PostgresServer, start_postgres
from eddyline_contracts.record import Record
from eddyline_eventlog.database import database
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_runtime.bus import connected
from tests.support.inbox import rows_of
from tests.support.service_process import ServiceProcess, a_process
from tests.support.waiting import wait_until

BATCH = 50
PACE_S = 0.02


class Whole:
    """Everything from HTTP to the log, each part killable, with clients that send until they are acknowledged."""

    def __init__(
        self, nats: NatsServer, postgres: PostgresServer, ingest: ServiceProcess, writer: ServiceProcess
    ) -> None:
        self.nats = nats
        self.postgres = postgres
        self.ingest = ingest
        self.writer = writer
        self.acknowledged: list[str] = []
        self.followed: list[Record] = []
        self.at = 0
        self._seen: set[str] = set()
        self._numbers = itertools.count()

    def kill(self, part: str) -> None:
        """End a part as a crash would, and start it again on its port and data."""
        match part:
            case "nats":
                self.nats.kill()
                self.nats = start_nats(self.nats.folder, port=self.nats.port)
            case "postgres":
                self.postgres.kill()
                self.postgres = start_postgres(self.postgres.folder, port=self.postgres.port, durable=False)
            case "ingest" | "writer":
                process: ServiceProcess = getattr(self, part)
                process.kill()
                process.restart()

    async def send(self) -> None:
        """A client: batches one after another, each again until it is acknowledged."""
        async with aiohttp.ClientSession() as http:
            while True:
                ids = [f"e{next(self._numbers)}" for _ in range(BATCH)]
                body = b"\n".join(
                    b'{"type":"interaction","id":"%s","user":"u","item":"i"}' % name.encode() for name in ids
                )
                while not await self._acknowledged(http, body):  # noqa: ASYNC110
                    await asyncio.sleep(PACE_S)
                self.acknowledged += ids
                # Not all that the machine can, so that what waited during an outage is soon made up for.
                await asyncio.sleep(PACE_S)

    async def _acknowledged(self, http: aiohttp.ClientSession, body: bytes) -> bool:
        try:
            async with http.post(f"{self.ingest.url}/v1/events", data=body) as answer:
                receipt = json.loads(await answer.read())
                if answer.status == 503:
                    return False
                assert answer.status == 200, receipt
                assert receipt["accepted"] + receipt["duplicates"] == BATCH
                return True
        except aiohttp.ClientError:
            return False

    async def follow(self) -> None:
        """A follower through all of it."""
        async with database(self.postgres.url) as pool, connected(self.nats.url, "follower") as bus:
            async with aclosing(PushedLog(PostgresLog(pool), bus).follow(0)) as following:
                async for batch in following:
                    assert batch.previous == self.at
                    self.at = batch.last
                    self.followed += batch.records
                    self._seen.update(record.event_id for record in batch.records)

    async def goes_on(self) -> None:
        """Wait until newly sent events have come out at the end of the log."""
        n = len(self.acknowledged) + 5 * BATCH
        await wait_until(lambda: len(self.acknowledged) > n, 30)
        newest = self.acknowledged[-1]
        await wait_until(lambda: newest in self._seen, 30)


@asynccontextmanager
async def the_whole(folder: Path) -> AsyncIterator[Whole]:
    async with AsyncExitStack() as stack:
        nats, postgres = start_nats(folder / "nats"), start_postgres(folder / "postgres", durable=False)
        whole: Whole | None = None
        try:
            environ = {"EDDYLINE_NATS_URL": nats.url, "EDDYLINE_DATABASE_URL": postgres.url}
            writer = await stack.enter_async_context(a_process("eddyline_ingest.log_writer", folder, environ))
            ingest = await stack.enter_async_context(a_process("eddyline_ingest", folder, environ))
            await writer.ready()
            await ingest.ready()
            whole = Whole(nats, postgres, ingest, writer)
            tasks = [asyncio.ensure_future(work()) for work in (whole.send, whole.send, whole.follow)]
            await whole.goes_on()
            yield whole
            for task in tasks[:2]:
                task.cancel()
            await asyncio.wait(tasks[:2])
            tasks[2].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results), results
        finally:
            (whole.postgres if whole else postgres).stop()
            (whole.nats if whole else nats).stop()


async def judge(whole: Whole) -> None:
    """Everything acknowledged is in the log once, and the follower has seen that very log."""
    acknowledged = set(whole.acknowledged)
    await whole.goes_on()
    followed = list(whole.followed)
    async with rows_of(whole.postgres.url) as rows:
        assert (await rows.all())[: len(followed)] == followed
    times = Counter(record.event_id for record in followed)
    assert set(times.values()) == {1}
    assert acknowledged <= times.keys()


@pytest.mark.parametrize("part", ["nats", "postgres", "writer", "ingest"])
async def test_kill_of_one_part_loses_and_doubles_nothing(tmp_path: Path, part: str) -> None:
    async with the_whole(tmp_path) as whole:
        for _ in range(2):
            whole.kill(part)
            await whole.goes_on()
        await judge(whole)
