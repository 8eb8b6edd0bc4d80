"""A trainer in a test's own process, and what can be seen of its work from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
from nats.aio.client import Client
from nats.js.errors import BucketNotFoundError, NotFoundError

from eddyline_contracts.bundle import Bundle, Champion, decode_bundle
from eddyline_contracts.events import ModelPromoted
from eddyline_contracts.subjects import BUNDLES_BUCKET, CHAMPION_KEY, MODELS_BUCKET
from eddyline_trainer.service import RunningTrainer, running
from eddyline_trainer.settings import TrainerSettings
from tests.support.serving import CONFIG, DATA, inbox

LINES = (DATA / "events.jsonl").read_bytes().splitlines()


@asynccontextmanager
async def a_trainer(
    nats_url: str, database_url: str, *, config: Path = CONFIG, **settings: Any
) -> AsyncIterator[RunningTrainer]:
    """A trainer that looks at the bus every 50 ms."""
    told = {"announce_every_ms": 50, "nice": 0, **settings}
    made = TrainerSettings(nats_url=nats_url, database_url=database_url, config=config, port=0, **told)
    async with running(made) as trainer:
        yield trainer


async def champion_of(client: Client) -> Champion | None:
    """What the champion key says."""
    try:
        entry = await (await client.jetstream().key_value(MODELS_BUCKET)).get(CHAMPION_KEY)
    except (NotFoundError, BucketNotFoundError):
        return None
    return msgspec.json.decode(entry.value or b"", type=Champion)


async def bundle_of(client: Client, model: str) -> Bundle:
    """The bundle in the bucket."""
    store = await client.jetstream().object_store(BUNDLES_BUCKET)
    return decode_bundle((await store.get(model)).data or b"")


async def promotions_in(client: Client) -> list[ModelPromoted]:
    """The promotions that the inbox was told of."""
    events = [msgspec.json.decode(raw, type=ModelPromoted) for raw in await inbox(client)]
    return sorted(events, key=lambda event: event.model)


async def rows_of(database_url: str) -> list[dict[str, Any]]:
    """The registry, the oldest first, without the bundles' bytes (their digest instead)."""
    conn = await asyncpg.connect(database_url)
    try:
        rows = await conn.fetch(
            "SELECT model, view, parent, predecessor, last_sequence, n_slates, promoted_at, decided_at, role, "
            "created_at, md5(bundle) AS bundle FROM models ORDER BY (metrics #>> '{cut,sequence}')::bigint, created_at"
        )
    finally:
        await conn.close()
    return [dict(row) for row in rows]


async def promotions_of(database_url: str) -> list[dict[str, Any]]:
    """The decisions that changed the champion, the oldest first."""
    conn = await asyncpg.connect(database_url)
    try:
        rows = await conn.fetch(
            "SELECT cut, challenger, opponent, outcome, n, lower, delta, event_id FROM gate_decisions "
            "WHERE event_id IS NOT NULL ORDER BY id"
        )
    finally:
        await conn.close()
    return [dict(row) for row in rows]


async def execute(database_url: str, sql: str, *values: Any) -> None:
    """Change something behind the trainer's back."""
    conn = await asyncpg.connect(database_url)
    try:
        await conn.execute(sql, *values)
    finally:
        await conn.close()


async def post(url: str) -> tuple[int, Any]:
    """Status and body of a ``POST`` without a body."""
    async with aiohttp.ClientSession() as http, http.post(url) as answer:
        return answer.status, await answer.json(content_type=None)


async def get(url: str) -> tuple[int, Any]:
    """Status and body of a ``GET``."""
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, await answer.json(content_type=None)
