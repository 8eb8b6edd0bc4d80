"""A removed item is not recommended either while the feature-store is away, whatever has become of the bus."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from nats.aio.client import Client
from prometheus_client import REGISTRY

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_contracts.events import ItemUpserted
from eddyline_contracts.subjects import EVENT_ID, INBOX_STREAM, RECEIVED_AT
from eddyline_eventlog.memory import MemoryLog
from eddyline_runtime.bus import connected
from tests.support.a_log import an_item
from tests.support.bundles import a_bundle, promote
from tests.support.serving import RankerClient, a_feature_store, a_ranker, fixture_view, make_inbox
from tests.support.waiting import wait_until

VIEW = fixture_view()
PRIORS = {"i3": 0.9, "i7": 0.8, "i1": 0.7, "i2": 0.6}
BUNDLE = a_bundle(VIEW.id, VIEW.columns, priors=PRIORS)
WITHOUT_STORE = ["features"]
UNCHECKED = ["features", "removals"]


async def told(client: Client, item: str, headers: dict[str, str] | None = None, **event: Any) -> None:
    """An item event, as ingest stores it."""
    raw = json.dumps({"type": "item", "item": item, **event}).encode()
    await client.jetstream().publish("events.item", raw, headers=headers)


async def shown(ranker: RankerClient) -> tuple[list[str], list[str]]:
    slate = await ranker.recommend(log=False)
    return [item["item"] for item in slate["items"]], slate["degraded"]


async def shows(ranker: RankerClient, items: list[str], missing: list[str] = WITHOUT_STORE) -> None:
    """Wait for this answer."""

    async def so() -> bool:
        return await shown(ranker) == (items, missing)

    await wait_until(so)


@asynccontextmanager
async def serving(nats_url: str, **settings: Any) -> AsyncIterator[RankerClient]:
    """A ranker with a model, and no feature-store."""
    async with a_ranker(nats_url, **settings) as ranker:
        await wait_until(lambda: ranker.model is not None)
        yield ranker


async def test_what_was_removed_before_and_after_the_ranker_came_is_left_out_until_it_is_back(
    nats_server: NatsServer,
) -> None:
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        await promote(client, BUNDLE)
        await told(client, "i9", removed=True)
        await told(client, "i7", removed=True, id="e1")
        async with serving(nats_server.url) as ranker:
            await shows(ranker, ["i3", "i1", "i2"])
            await told(client, "i3", removed=True, occurred_at=1_790_000_000_000)
            await shows(ranker, ["i1", "i2"])
            # What may have come before, long ago, brings nothing back: the log drops it.
            again = {"id": "e0", "fields": {"price": 3}}
            await told(client, "i3", occurred_at=1_789_000_000_000, **again)
            await told(client, "i7", **again)
            await told(client, "i7", {EVENT_ID: "0" * 32 + "-1", RECEIVED_AT: "1790000000001"})
            await told(client, "i2", removed=True)
            await shows(ranker, ["i1"])
            await told(client, "i3", occurred_at=1_790_000_000_001, **again)
            await told(client, "i7", {EVENT_ID: "0199e5a8-3c1e-7d52-9b1f-6a2f0c9d4e71"})
            await told(client, "i2", fields={})
            await shows(ranker, ["i3", "i7", "i1", "i2"])


async def test_a_new_model_is_read_for_from_its_own_place_and_where_that_is_not_on_the_bus_the_store_is_asked(
    nats_server: NatsServer,
) -> None:
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        await promote(client, BUNDLE)
        for item in ("i7", "i1", "i3"):
            await told(client, item, removed=True)
        await told(client, "i7", fields={"price": 1})
        async with serving(nats_server.url) as ranker:
            await shows(ranker, ["i7", "i2"])
            # Made after i1 had gone and come back, as its place says; i3 went later.
            later = a_bundle(VIEW.id, VIEW.columns, seed=1, priors={**PRIORS, "i8": 0.1})
            await promote(client, msgspec.structs.replace(later, priors_sequence=2))
            await shows(ranker, ["i7", "i1", "i2", "i8"])
            await client.jetstream().purge_stream(INBOX_STREAM, seq=4)
            old = a_bundle(VIEW.id, VIEW.columns, seed=2, priors=PRIORS)
            await promote(client, msgspec.structs.replace(old, priors_sequence=2))
            await shows(ranker, [], UNCHECKED)
            log = MemoryLog()
            for item in ("i3", "i7", "i1"):
                log.append(an_item(item, at=1_790_000_000_000))
            log.append(ItemUpserted(id="e1", item="i7", removed=True))
            async with a_feature_store(nats_server.url, log):
                await wait_until(lambda: REGISTRY.get_sample_value("eddyline_removals_current") == 1.0)
            # Of i2 nobody has heard; and from there on it hears again.
            await shows(ranker, ["i3", "i1"])
            await told(client, "i3", removed=True)
            await shows(ranker, ["i1"])


async def test_while_the_bus_is_away_it_says_what_it_cannot_know_and_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    server = start_nats(tmp_path / "nats")  # Ends with this process, should an assertion fail.
    async with connected(server.url, "test") as client:
        await make_inbox(client)
        await promote(client, BUNDLE)
        async with serving(server.url) as ranker:
            await shows(ranker, ["i3", "i7", "i1", "i2"])
            await told(client, "i7", removed=True)
            await shows(ranker, ["i3", "i1", "i2"])
            server.kill()
            await shows(ranker, ["i3", "i1", "i2"], UNCHECKED)
            server = start_nats(tmp_path / "nats", port=server.port)
            await told(client, "i1", removed=True)
            await shows(ranker, ["i3", "i2"])
    server.stop()
