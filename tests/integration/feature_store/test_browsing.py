"""``/v1/similar`` and ``/v1/trending`` over HTTP, and by the client: what the state knows, or what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import REGISTRY

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_client import AsyncClient, Client, Conflict, Invalid, Misdirected, Unknown
from eddyline_eventlog.memory import MemoryLog
from eddyline_feature_store.service import RunningFeatureStore
from tests.support.a_log import a_click, an_item
from tests.support.serving import a_feature_store
from tests.support.waiting import wait_until

AT = 1_736_200_000_000
ODD = 'a/b c?d=1&e%"ü+'
SHOP = """
view: shop
actions: {click: 1}
label_window: 10m
recommend: {fields: [brand, price], half_lives: [1h, 7d]}
features:
  - {name: rate, kind: rate, by: item, half_lives: [1h]}
"""
NOTHING_KEPT = "\n".join(line for line in SHOP.splitlines() if not line.startswith("recommend"))


def a_shop() -> MemoryLog:
    log = MemoryLog()
    log.append(an_item("kite", at=AT, brand="aloft", price=12))
    log.append(an_item("ball", at=AT, brand="aloft", price=6))
    log.append(an_item(ODD, at=AT, brand="glow", price=29))
    for n in range(3):
        for item in ("kite", ODD):
            log.append(a_click(item, at=AT + n, user=f"u{n}"))
    return log


@asynccontextmanager
async def a_store(
    nats_server: NatsServer, log: Any, tmp_path: Path, text: str = SHOP
) -> AsyncIterator[RunningFeatureStore]:
    config = tmp_path / "shop.yaml"
    config.write_text(text)
    async with a_feature_store(nats_server.url, log, config=config) as store:
        await wait_until(store.fold.caught_up.is_set)
        yield store


async def get(store: RunningFeatureStore, path: str, **query: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(store.url + path, params=query) as answer:
        return answer.status, await answer.json(content_type=None)


def answers(call: str, outcome: str) -> float:
    name = "eddyline_browse_answers_total"
    return REGISTRY.get_sample_value(name, {"call": call, "outcome": outcome}) or 0.0


def timed(call: str) -> float:
    return REGISTRY.get_sample_value("eddyline_browse_seconds_count", {"call": call}) or 0.0


async def test_what_goes_with_an_item_and_what_people_act_on(nats_server: NatsServer, tmp_path: Path) -> None:
    log = a_shop()
    async with a_store(nats_server, log, tmp_path) as store:
        status, told = await get(store, "/v1/similar/kite")
        assert (status, told["item"], told["by"]) == (200, "kite", ["together"])
        assert [(each["item"], each["found_by"]) for each in told["items"]] == [
            (ODD, ["together"]),
            ("ball", ["fields"]),
        ]
        assert (told["sequence"], told["stale"]) == (await log.last(), False)
        whole, short, n_timed = answers("similar", "whole"), answers("similar", "short"), timed("similar")
        status, told = await get(store, "/v1/similar/kite", filters=json.dumps({"price": {"lt": 10}}), n="1")
        assert (status, [each["item"] for each in told["items"]]) == (200, ["ball"])
        status, told = await get(store, "/v1/similar/kite", exclude=ODD, by="taste")
        assert (status, [each["item"] for each in told["items"]]) == (200, ["ball"])
        counted = answers("similar", "whole"), answers("similar", "short"), timed("similar")
        assert counted == (whole + 1, short + 1, n_timed + 2)
        status, told = await get(store, "/v1/trending", half_life="7d")
        assert (status, [each["item"] for each in told["items"]]) == (200, ["kite", ODD])
        assert (told["half_life"], told["over"], told["sequence"]) == ("7d", None, await log.last())
        # The log is of long ago, and so is its lately.
        status, told = await get(store, "/v1/trending", n="1")
        assert (status, told["items"][0]["item"], told["half_life"]) == (200, "kite", "1h")
        assert told["at"] == AT + 2
        for value, found in (("aloft", ["kite"]), ("glow", [ODD]), ("nobody", [])):
            status, told = await get(store, "/v1/trending", half_life="7d", field="brand", value=value)
            assert (status, [each["item"] for each in told["items"]]) == (200, found)
        status, told = await get(store, "/v1/trending", half_life="7d", field="price", value="12.0")
        assert (status, [each["item"] for each in told["items"]]) == (200, ["kite"])


async def test_what_is_wrong_is_said_with_what_to_do(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_store(nats_server, a_shop(), tmp_path) as store:
        refused = answers("similar", "refused"), answers("trending", "refused")
        for path, query, status, code, remedy in (
            ("/v1/similar/nobody", {}, 404, "unknown_item", "nothing is known of item 'nobody'"),
            ("/v1/similar/kite", {"limit": "3"}, 422, "invalid", "there are n, by, filters"),
            ("/v1/similar/kite", {"n": "0"}, 422, "invalid", ">= 1"),
            ("/v1/similar/kite", {"by": "magic"}, 422, "invalid", "Invalid enum value"),
            ("/v1/similar/kite", {"filters": "{brand: aloft}"}, 422, "invalid", "percent-encode"),
            ("/v1/similar/kite", {"filters": "[]"}, 422, "invalid_filter", "a condition is expected"),
            ("/v1/similar/kite", {"filters": '{"colour": "red"}'}, 422, None, "recommend.fields"),
            ("/v1/trending", {"half_life": "2h"}, 422, "invalid", "there are 1h, 7d"),
            ("/v1/trending", {"half_life": "7d", "over": "1h"}, 422, "invalid", "not longer"),
            ("/v1/trending", {"field": "brand"}, 422, "invalid", "say both"),
            ("/v1/trending", {"field": "colour", "value": "red"}, 422, None, "recommend.fields"),
        ):
            got, told = await get(store, path, **query)
            assert (got, remedy in told["detail"]) == (status, True), (path, query, told)
            assert code is None or told["code"] == code, told
        counted = answers("similar", "refused"), answers("trending", "refused")
        assert counted == (refused[0] + 7, refused[1] + 4)


async def test_without_the_section_it_says_what_to_add(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_store(nats_server, a_shop(), tmp_path, NOTHING_KEPT) as store:
        for path in ("/v1/similar/kite", "/v1/trending"):
            status, told = await get(store, path)
            assert (status, told["code"]) == (409, "conflict")
            assert "add `recommend: {}`" in told["detail"]


async def test_an_answer_waits_for_the_place_that_was_asked_for(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    log = a_shop()
    async with a_store(nats_server, log, tmp_path) as store:
        last = await log.last()
        waiting = asyncio.create_task(get(store, "/v1/similar/new", min_sequence=str(last + 1)))
        status, told = await get(store, "/v1/similar/kite", min_sequence=str(last))
        assert (status, told["stale"]) == (200, False)
        log.append(an_item("new", at=AT, brand="glow"))
        status, told = await waiting
        assert (status, told["sequence"], told["stale"]) == (200, last + 1, False)
        assert told["items"][0]["item"] == ODD
        status, told = await get(store, "/v1/trending", min_sequence=str(last + 9))
        assert (status, told["sequence"], told["stale"]) == (200, last + 1, True)


async def test_the_client_asks_for_them(nats_server: NatsServer, tmp_path: Path) -> None:
    log = a_shop()
    async with a_store(nats_server, log, tmp_path) as store:
        async with AsyncClient(feature_store=store.url + "/", timeout_s=5) as client:
            similar = await client.similar("kite", n=1, by=["together", "taste"], filters={"brand": ["glow"]})
            assert [found.item for found in similar.items] == [ODD]
            assert [found.item for found in (await client.similar(ODD, exclude=["ball"])).items] == ["kite"]
            lately = await client.trending(
                half_life="7d", field="brand", value="aloft", min_sequence=await log.last()
            )
            assert [found.item for found in lately.items] == ["kite"]
            assert (await client.trending(half_life="1h", over="7d", n=3, exclude=[ODD])).over == "7d"
            with pytest.raises(Unknown):
                await client.similar("nobody")
            with pytest.raises(Invalid, match="there are 1h, 7d"):
                await client.trending(half_life="2h")

        def without_a_loop() -> list[str]:
            with Client(feature_store=store.url) as client:
                client.trending(n=2)
                return [found.item for found in client.similar("kite", n=2).items]

        assert await asyncio.to_thread(without_a_loop) == [ODD, "ball"]
        async with AsyncClient(feature_store=store.url + "/elsewhere", timeout_s=2) as lost:
            with pytest.raises(Misdirected):
                await lost.trending()
    async with a_store(nats_server, log, tmp_path, NOTHING_KEPT) as store:
        async with AsyncClient(feature_store=store.url, timeout_s=5) as client:
            with pytest.raises(Conflict, match="recommend"):
                await client.trending()
