"""Whoever dies, every request is answered; and when they are back, so is everything."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median
from typing import Any

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.servers.postgres import start_postgres
from eddyline_eventlog.migrate import migrate
from eddyline_runtime.bus import connected
from tests.support.a_log import an_item
from tests.support.bundles import a_bundle, promote
from tests.support.database_log import writing
from tests.support.service_process import a_process
from tests.support.serving import CONFIG, DATA, RankerClient, a_ranker, fixture_view
from tests.support.waiting import wait_until

VIEW = fixture_view()
ITEMS = [f"i{k}" for k in range(30)]
BUNDLE = a_bundle(VIEW.id, VIEW.columns)


class Load:
    """Asks all the time; every answer must be one."""

    def __init__(self, ranker: RankerClient) -> None:
        self._ranker = ranker
        self.slates: list[dict[str, Any]] = []
        self._stop = asyncio.Event()

    async def run(self) -> None:
        while not self._stop.is_set():
            self.slates.append(await self._ranker.rank(ITEMS, log=False))
            await asyncio.sleep(0.002)

    async def seen(self, degraded: list[str], n: int = 20) -> None:
        """Wait for n more answers of this kind."""
        first = len(self.slates)
        await wait_until(lambda: sum(s["degraded"] == degraded for s in self.slates[first:]) >= n, 20.0)

    def stop(self) -> None:
        self._stop.set()


async def test_store_and_database_may_die_under_load(nats_server: NatsServer, tmp_path: Path) -> None:
    database = start_postgres(tmp_path / "postgres", durable=False)
    await migrate(database.url)
    environ = {
        "EDDYLINE_NATS_URL": nats_server.url,
        "EDDYLINE_DATABASE_URL": database.url,
        "EDDYLINE_CONFIG": str(CONFIG),
    }
    lines = (DATA / "events.jsonl").read_bytes().splitlines()
    async with connected(nats_server.url, "test") as client:
        await promote(client, BUNDLE)
        async with writing(database.url, client) as log:
            await log.append(lines)
        async with (
            a_process("eddyline_feature_store", tmp_path, environ) as store,
            a_ranker(nats_server.url) as ranker,
        ):
            await store.ready()
            load = Load(ranker)
            task = asyncio.create_task(load.run())
            await load.seen([])

            database.kill()
            await load.seen([])

            store.kill()
            await load.seen(["features"])
            database = start_postgres(tmp_path / "postgres", port=database.port, durable=False)
            store.restart()
            await load.seen([])

            store.freeze()
            await load.seen(["features"])
            hung = [slate["took_ms"] for slate in load.slates[-10:]]
            assert median(hung) < 40, "a store that hangs is no longer waited for"
            store.thaw()
            await load.seen([])

            async with writing(database.url, client) as log:
                sequence = await log.append([an_item("brand-new", at=time.time_ns() // 1_000_000)])
            slate = await ranker.rank(["brand-new"], min_sequence=sequence)
            assert (slate["degraded"], slate["features_sequence"]) == ([], sequence)

            load.stop()
            await task
            assert store.stop() == 0
    database.stop()
