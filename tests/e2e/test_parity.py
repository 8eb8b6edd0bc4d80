"""One fold: what the ranker saw is, to the bit, what the trainer sees when it replays the log."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import nats
import pytest

from eddyline_contracts.subjects import MSG_ID, message_id
from eddyline_eventlog.database import database
from eddyline_eventlog.postgres import PostgresLog
from eddyline_features.view import load_view
from eddyline_trainer.replay import replay_slates
from tests.support.system import System, a_system
from tests.support.traffic import Event, catalogue, produce
from tests.support.wiretap import tapped

CONFIG = Path(__file__).parents[1] / "data" / "eddyline.yaml"
N_SLATES, N_ITEMS, N_USERS = 500, 150, 60
PER_PRODUCER = 80.0


async def post(system: System, event: Event) -> None:
    async with system.client.post(system.url("ingest") + "/v1/events", json=event) as answer:
        assert answer.status == 200, await answer.text()


@pytest.mark.timeout(240)
async def test_live_and_replayed_vectors_are_equal_bit_for_bit(tmp_path: Path) -> None:
    view = load_view(CONFIG.read_text())
    settings = {"EDDYLINE_SNAPSHOT_EVENTS": "200", "EDDYLINE_SKEW_SHARE": "1"}
    async with a_system(tmp_path, CONFIG, **settings) as system:
        bus = await nats.connect(system.nats_url)
        stream = bus.jetstream()
        rng = random.Random(7)

        async def by_http(event: Event) -> None:
            await post(system, event)

        async def by_bus(event: Event) -> None:
            headers = {MSG_ID: message_id(event["id"])}
            await stream.publish(f"events.{event['type']}", json.dumps(event).encode(), headers=headers)

        for event in catalogue(N_ITEMS, rng):
            await post(system, event)
        done = asyncio.Event()
        async with tapped(system.nats_url, view.id) as heard, asyncio.TaskGroup() as tasks:
            producers = [
                tasks.create_task(
                    produce(
                        send,
                        random.Random(seed),
                        per_second=PER_PRODUCER,
                        until=done,
                        n_items=N_ITEMS,
                        n_users=N_USERS,
                    )
                )
                for seed, send in enumerate((by_http, by_http, by_bus, by_bus))
            ]
            started = asyncio.get_running_loop().time()
            first = await ranked(system, rng, N_SLATES // 2, first=0)
            killed = system.kill("feature-store")
            await system.replaced("feature-store", killed)
            second = await ranked(system, rng, N_SLATES - len(first), first=1_000_000)
            seconds = asyncio.get_running_loop().time() - started
            done.set()
        per_second = sum(producer.result() for producer in producers) / seconds
        await bus.close()

        live = {r.context["n"]: (r, a) for r, a in heard if "n" in r.context}
        slates = first | second
        assert len(slates) == N_SLATES
        assert per_second >= 200
        assert '"message":"restored"' in (system.data / "logs" / "feature-store.log").read_text()

        async with database(system.database_url, name="test") as pool:
            log = PostgresLog(pool)
            replayed = {
                slate.context["n"]: slate
                async for slate in replay_slates(log, view, await log.last())
                if slate.context.get("n") in slates
            }
    assert replayed.keys() == slates
    behind = 0
    for n, slate in replayed.items():
        request, answer = live[n]
        assert slate.candidates == request.items
        assert slate.features_sequence == answer.sequence
        assert slate.vectors is not None
        assert slate.vectors.astype("<f4").tobytes() == answer.vectors, (request.items, answer.sequence)
        # What is told of it in the log is what came over the bus.
        assert slate.served_vectors is not None
        assert b"".join(slate.served_vectors) == answer.vectors
        behind += slate.features_sequence < slate.sequence - 1
    assert behind >= 300


async def ranked(system: System, rng: random.Random, n: int, *, first: int) -> set[int]:
    """Have ``n`` slates ranked with features, one of them at a time, and give their numbers."""
    numbers: set[int] = set()
    for number in range(first, first + 100 * n):
        items = [f"i{k}" for k in rng.sample(range(N_ITEMS + 5), 24)]
        body = {
            "user": f"u{rng.randrange(N_USERS)}",
            "session": f"s{rng.randrange(N_USERS)}",
            "items": [{"item": item, "fields": {"relevancy": rng.random()}} for item in items],
            "context": {"n": number, "device": rng.choice(["phone", "desk"])},
        }
        async with system.client.post(system.url("ranker") + "/v1/rank", json=body) as answer:
            assert answer.status == 200, await answer.text()
            told = await answer.json()
        if "features" not in told["degraded"]:
            numbers.add(number)
        if len(numbers) == n:
            return numbers
    raise AssertionError("the feature-store did not come back")
