"""`kill -9` of every process in the midst of an import at full speed: nothing acknowledged is lost or counted twice."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
from pathlib import Path

import aiohttp
import asyncpg
import nats
import pytest

from eddyline_contracts.record import decode_record
from eddyline_contracts.subjects import SNAPSHOTS_BUCKET
from eddyline_eventlog.database import database
from eddyline_eventlog.postgres import PostgresLog
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from tests.support.system import System, a_system
from tests.support.traffic import an_event, catalogue
from tests.support.waiting import wait_until

CONFIG = Path(__file__).parents[1] / "data" / "eddyline.yaml"
N_ITEMS, N_USERS, BATCH = 150, 60, 200
VICTIMS = ("ingest", "log-writer", "feature-store", "trainer", "nats", "postgres", "ranker", "ranker-2")
BETWEEN = 3_000
"""Events acknowledged between one kill and the next, so that each falls into a running import."""


class Importer:
    """Sends events as fast as ingest takes them, and repeats a batch until it is acknowledged."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.acknowledged: set[str] = set()
        self.retries = 0
        self.done = asyncio.Event()

    async def run(self) -> None:
        rng = random.Random(11)
        batch = catalogue(N_ITEMS, rng)
        while not self.done.is_set():
            body = "\n".join(map(json.dumps, batch)).encode()
            while not await self._sent(body):
                self.retries += 1
                await asyncio.sleep(0.05)
            self.acknowledged.update(event["id"] for event in batch)
            batch = [an_event(rng, N_ITEMS, N_USERS) for _ in range(BATCH)]

    async def _sent(self, body: bytes) -> bool:
        headers = {"Content-Type": "application/x-ndjson"}
        try:
            async with self.system.client.post(
                self.system.url("ingest") + "/v1/events", data=body, headers=headers
            ) as answer:
                if answer.status == 503:
                    return False
                assert answer.status == 200, await answer.text()
                assert not (await answer.json())["rejected"]
                return True
        except (aiohttp.ClientError, TimeoutError):
            return False


class Asker:
    """Asks two rankers in turn, and the other one when the first cannot be reached."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.answered = self.failed_over = 0
        self.degraded: dict[str, int] = {}
        self.done = asyncio.Event()

    async def run(self) -> None:
        rng = random.Random(13)
        names = itertools.cycle(("ranker", "ranker-2"))
        while not self.done.is_set():
            body = {
                "user": f"u{rng.randrange(N_USERS)}",
                "items": [f"i{k}" for k in rng.sample(range(N_ITEMS), 20)],
            }
            first, second = next(names), next(names)
            if not await self._answered(first, body):
                self.failed_over += 1
                assert await self._answered(second, body), "neither ranker answered"
            self.answered += 1
            next(names)
            await asyncio.sleep(0.03)

    async def _answered(self, name: str, body: object) -> bool:
        try:
            async with self.system.client.post(self.system.url(name) + "/v1/rank", json=body) as answer:
                assert answer.status == 200, await answer.text()
                for reason in (await answer.json())["degraded"]:
                    self.degraded[reason] = self.degraded.get(reason, 0) + 1
                return True
        except aiohttp.ClientConnectionError:
            # Only a ranker that was killed may be unreachable.
            assert self.victim in ("ranker", "ranker-2"), (
                f"{name} did not answer while {self.victim} was dead"
            )
            return False

    victim = "none"


@pytest.mark.timeout(280)
async def test_nothing_acknowledged_is_lost_when_everything_is_killed(tmp_path: Path) -> None:
    view = load_view(CONFIG.read_text())
    async with a_system(tmp_path, CONFIG, "--rankers", "2", EDDYLINE_SNAPSHOT_EVENTS="2000") as system:
        importer, asker = Importer(system), Asker(system)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(importer.run())
            tasks.create_task(asker.run())
            for victim in VICTIMS:
                target = len(importer.acknowledged) + BETWEEN
                await wait_until(lambda target=target: len(importer.acknowledged) >= target, 90)
                asker.victim = victim
                killed = system.kill(victim)
                # A trainer that died reads the whole log again, which an import at full speed keeps away from it.
                await system.replaced(victim, killed, health="live" if victim == "trainer" else "ready")
                await wait_until(lambda: serving_is_ready(system), 90)
            target = len(importer.acknowledged) + BETWEEN
            await wait_until(lambda: len(importer.acknowledged) >= target, 90)
            importer.done.set()
            asker.done.set()
        assert importer.retries > 0
        assert asker.failed_over > 0
        assert asker.answered > 500

        async def all_logged() -> bool:
            ids = await logged_ids(system.database_url)
            assert len(ids) == len(set(ids))
            return importer.acknowledged <= set(ids)

        await wait_until(all_logged, 60)
        await live_state_equals_replayed(system, view)


async def serving_is_ready(system: System) -> bool:
    names = ("ingest", "log-writer", "feature-store", "ranker", "ranker-2")
    return all(await asyncio.gather(*map(system.ready, names)))


async def logged_ids(database_url: str) -> list[str]:
    conn = await asyncpg.connect(database_url)
    try:
        return [row[0] for row in await conn.fetch("SELECT event_id FROM event_log ORDER BY sequence")]
    finally:
        await conn.close()


async def live_state_equals_replayed(system: System, view: View) -> None:
    """What the live fold holds, after dying and coming back, and a fold of the log up to the same place."""
    async with database(system.database_url, name="test") as pool:
        log = PostgresLog(pool)
        end = await log.last()
        await wait_until(lambda: stands_at(system, end), 60)
        # Told to stop, the store leaves its state behind as a snapshot.
        pid = system.pid("feature-store")
        os.kill(pid, signal.SIGTERM)
        await system.replaced("feature-store", pid)
        live = await newest_snapshot(system, view)
        place = State.restore(view, live).sequence
        assert place >= end
        replayed = State(view)
        async for batch in log.read(0, place):
            replayed.apply_all(decode_record(record) for record in batch.records)
            replayed.advance(batch.last)
    assert replayed.snapshot() == live


async def stands_at(system: System, sequence: int) -> bool:
    async with system.client.get(system.url("feature-store") + "/health/ready") as answer:
        told = await answer.json()
    at: int = told["details"]["sequence"]
    return at >= sequence


async def newest_snapshot(system: System, view: View) -> bytes:
    bus = await nats.connect(system.nats_url)
    try:
        store = await bus.jetstream().object_store(SNAPSHOTS_BUCKET)
        entries = [entry for entry in await store.list() if not entry.deleted]
        snapshots = [(await store.get(entry.name)).data or b"" for entry in entries]
    finally:
        await bus.close()
    return max(snapshots, key=lambda raw: State.restore(view, raw).sequence)
