"""The SDK against a whole Eddyline: by HTTP and on the bus, also while processes are killed; and every example runs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from eddyline_client import AsyncClient, Batching, Client, Conflict, Invalid, Misdirected, Rejected, Sent
from tests.support.serving import CONFIG
from tests.support.system import System, a_system
from tests.support.waiting import wait_until

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
BAD = {"type": "slate", "user": "u1", "items": []}


def a_click(name: str) -> dict[str, str]:
    return {"type": "interaction", "id": name, "user": "u1", "item": "i1", "action": "click"}


async def counts(system: System, pattern: str) -> dict[str, int]:
    """How often each id of that form is in the log."""
    conn = await asyncpg.connect(system.database_url)
    rows = await conn.fetch(
        "SELECT payload->>'id' AS id, count(*) AS n FROM event_log WHERE payload->>'id' LIKE $1 GROUP BY 1",
        pattern,
    )
    await conn.close()
    return {row["id"]: row["n"] for row in rows}


async def through_a_crash(system: System, client: AsyncClient, name: str, victim: str) -> None:
    for number in range(600):
        await client.interaction("i1", user="u1", id=f"{name}-{number}")
        if number == 200:
            killed = system.kill(victim)
        if number % 20 == 0:
            await asyncio.sleep(0)
    await client.flush()
    await system.replaced(victim, killed)

    async def the_ranker_has_features_again() -> bool:
        return "features" not in (await client.rank(["i1"], user="somebody", log=False)).degraded

    # Without the bus it answers all the same, and says that features are missing.
    await wait_until(the_ranker_has_features_again, 30)
    sent = await client.send([a_click(f"{name}-last")])
    await follows(system, client, sent)
    assert await counts(system, f"{name}-%") == {
        **{f"{name}-{number}": 1 for number in range(600)},
        f"{name}-last": 1,
    }


async def follows(system: System, client: AsyncClient, sent: Sent) -> None:
    """The next slate for that person has seen what was sent."""
    assert sent.sequence is not None
    slate = await client.rank(["i1", "i2"], user="u1")
    assert slate.features_sequence is not None
    assert slate.features_sequence >= sent.sequence
    assert "min_sequence" not in slate.degraded


async def rejects_one(client: AsyncClient, name: str) -> None:
    with pytest.raises(Rejected) as told:
        await client.send([a_click(f"{name}-0"), {**BAD, "id": f"{name}-bad"}, a_click(f"{name}-1")])
    assert [event.index for event in told.value.rejected] == [1]
    assert told.value.sequence is not None


async def test_each_event_counts_once_and_is_seen_by_the_next_slate(tmp_path: Path) -> None:
    async with a_system(tmp_path, CONFIG) as system:
        doors = {"ranker": system.url("ranker"), "ingest": system.url("ingest")}
        quick = Batching(attempt_timeout_s=2.0, max_events=50)
        async with AsyncClient(**doors, batching=quick, timeout_s=60) as client:
            await client.item("i1", {"title": "first"})
            await client.item("i2", {"title": "second"})
            await rejects_one(client, "refused-http")
            await through_a_crash(system, client, "http", "ingest")
            await client.rank(["i1"], user="u1", request_id="r1")
            with pytest.raises(Conflict):
                await client.rank(["i2"], user="u1", request_id="r1")
            with pytest.raises(Invalid):
                await client.rank([], user="u1")

        async with AsyncClient(**doors, nats=system.nats_url, batching=quick, timeout_s=60) as client:
            await rejects_one(client, "refused-bus")
            await through_a_crash(system, client, "bus", "nats")
            sent = await client.send([a_click("bus-place")])
            conn = await asyncpg.connect(system.database_url)
            place = "SELECT sequence FROM event_log WHERE payload->>'id' = 'bus-place'"
            # Stored is in the inbox; the log writer, whose bus has just come back, takes it from there.
            assert await wait_until(lambda: conn.fetchval(place), 20) == sent.sequence
            await conn.close()
        assert set(await counts(system, "refused-%")) == {
            "refused-http-0", "refused-http-1", "refused-bus-0", "refused-bus-1",
        }  # fmt: skip

        def without_a_loop() -> int:
            with Client(**doors) as client:
                client.interaction("i2", user="u2")
                return len(client.rank(["i1", "i2"], user="u2").items)

        assert await asyncio.to_thread(without_a_loop) == 2
        async with AsyncClient(
            ranker=system.url("trainer"), ingest=system.url("trainer"), timeout_s=1
        ) as lost:
            with pytest.raises(Misdirected):
                await lost.rank(["i1"], user="u1")

        where = {
            "EDDYLINE_RANKER_URL": system.url("ranker"),
            "EDDYLINE_INGEST_URL": system.url("ingest"),
            "EDDYLINE_NATS_URL": system.nats_url,
        }
        assert EXAMPLES
        for example in EXAMPLES:
            done = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, str(example)],
                env={**os.environ, **where},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            assert done.stdout.strip()
