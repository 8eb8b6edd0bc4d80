"""``POST /rank/{model}``: Metarank's form in and out, and one slate in the log whoever tells of it."""

from __future__ import annotations

import json
import time
from typing import Any

import aiohttp
import numpy as np
import pytest

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SlateServed
from eddyline_contracts.record import decode_record
from eddyline_runtime.bus import connected
from tests.support.bundles import a_bundle, promote
from tests.support.inbox import a_log_writer, an_ingest, rows_of
from tests.support.serving import (
    RankerClient,
    a_feature_store,
    a_ranker,
    fixture_log,
    fixture_view,
    inbox,
    make_inbox,
)
from tests.support.waiting import wait_until

VIEW = fixture_view()
REQUEST: dict[str, Any] = {
    "event": "ranking",
    "id": "81f46c34-a4bb-469c-8708-f8127cd67d27",
    "timestamp": "1736200000000",
    "user": "u1",
    "session": "x1",
    "tenant": "default",
    "fields": [{"name": "device", "value": "desk"}],
    "items": [
        {"id": "i3", "fields": [{"name": "relevancy", "value": 2.0}]},
        {"id": "i1", "relevancy": 1.0, "label": 3},
        {"id": "i2"},
    ],
}
NATIVE = {
    "user": "u1",
    "session": "x1",
    "context": {"device": "desk"},
    "occurred_at": 1736200000000,
    "log": False,
}
ITEMS = [{"item": "i3", "fields": {"relevancy": 2.0}}, {"item": "i1", "fields": {"relevancy": 1.0}}, "i2"]


async def rank(url: str, body: Any, path: str = "/rank/xgboost") -> tuple[int, dict[str, Any]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as http, http.post(url + path, data=raw) as answer:
        return answer.status, json.loads(await answer.read())


async def whole(ranker: RankerClient) -> bool:
    return not (await ranker.rank(["i1"], log=False))["degraded"]


async def test_the_answer_is_that_of_our_own_door_in_metaranks_form(nats_server: NatsServer) -> None:
    bundle = a_bundle(VIEW.id, VIEW.columns)
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        await promote(client, bundle)
        async with a_feature_store(nats_server.url, fixture_log()), a_ranker(nats_server.url) as ranker:
            await wait_until(lambda: ranker.model == bundle.model)
            await wait_until(lambda: whole(ranker))
            ours = await ranker.rank(ITEMS, **NATIVE)
            status, told = await rank(ranker.url, REQUEST)
            assert status == 200
            assert told["items"] == [{"item": i["item"], "score": i["score"]} for i in ours["items"]]
            assert (told["model"], told["degraded"]) == (bundle.model, [])
            assert isinstance(told["took"], int)

            _, explained = await rank(ranker.url, REQUEST, "/rank/default?explain=true&log=false")
            seen = {i["item"]: {f["name"]: f["value"] for f in i["features"]} for i in explained["items"]}
            assert list(seen["i3"]) == VIEW.columns
            assert (seen["i3"]["relevancy"], seen["i1"]["relevancy"], seen["i2"]["relevancy"]) == (
                2.0,
                1.0,
                None,
            )
            assert np.isfinite([v for v in seen["i3"].values() if v is not None]).all()

            # The very same request is a retry; the tutorial's id for another one is not.
            assert await rank(ranker.url, REQUEST) == (200, told)
            status, again = await rank(
                ranker.url, REQUEST | {"items": [{"id": "i9"}], "timestamp": 1736200005000}
            )
            assert (status, [i["item"] for i in again["items"]]) == (200, ["i9"])

            async def logged() -> list[bytes]:
                return await inbox(client)

            (raw,) = await wait_until(logged)
            slate = decode_event(raw)
            assert isinstance(slate, SlateServed)
            assert (slate.id, slate.policy, slate.occurred_at) == (REQUEST["id"], "greedy", 1736200000000)
            assert slate.context == {"device": "desk"}

            # A clock that is fast does not age everything; nobody is named.
            nobodys = {"id": "r2", "timestamp": 2**52, "items": [{"id": "i1"}]}
            assert (await rank(ranker.url, nobodys))[0] == 200

            async def second() -> list[bytes]:
                found = await inbox(client)
                return found[1:]

            slate = decode_event((await wait_until(second))[0])
            assert isinstance(slate, SlateServed)
            assert (slate.user, slate.session) == (None, "r2")
            assert slate.ranked_at is not None
            assert slate.ranked_at <= time.time() * 1_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "id"),
        ({"items": []}, "items"),
        ({"items": [{"id": "a"}, {"id": "a"}]}, "twice"),
        ({"items": [{"id": str(k)} for k in range(1_001)]}, "1,000 items"),
        ({"event": "item"}, "event"),
        ({"timestamp": "yesterday"}, "2022-06-22T11:21:39Z"),
        ({"timestamp": -1}, "1970"),
        ({"fields": [{"name": "n", "value": 1}] * 257}, "256 fields"),
        ({"id": "a\0b"}, "NUL"),
    ],
)
async def test_what_cannot_be_ranked_is_refused_with_what_to_do(
    nats_server: NatsServer, change: dict[str, Any], words: str
) -> None:
    async with a_ranker(nats_server.url) as ranker:
        status, problem = await rank(ranker.url, REQUEST | change)
        assert status == 422
        assert words in problem["detail"]


async def test_bodies_options_and_models_that_are_none_are_refused(nats_server: NatsServer) -> None:
    async with a_ranker(nats_server.url, metarank_models="default, xgboost") as ranker:
        for body in (b"", b"{", b"\xff", b"[" * 10_000, b'{"id":"\xff"}'):
            assert (await rank(ranker.url, body))[0] in (400, 422)
        for body in (b"7", b"[]", b"null"):
            assert (await rank(ranker.url, body))[1]["code"] == "malformed"
        for query in ("explain=maybe", "log=", "min_sequence=-1", "min_sequence=9007199254740992"):
            status, problem = await rank(ranker.url, REQUEST, f"/rank/default?{query}")
            assert status == 422
            assert query.partition("=")[0] in problem["detail"]
        status, problem = await rank(ranker.url, REQUEST, "/rank/noop")
        assert status == 404
        assert "default, xgboost" in problem["detail"]
        # Without features it answers nevertheless, in the order of the request.
        status, told = await rank(ranker.url, REQUEST, "/rank/default?explain=true")
        assert (status, told["degraded"]) == (200, ["features", "model"])
        assert [i["item"] for i in told["items"]] == ["i3", "i1", "i2"]


@pytest.mark.parametrize("first", ["ranker", "client"])
async def test_the_rankers_slate_and_the_clients_ranking_event_are_one_slate(
    nats_server: NatsServer, database_url: str, first: str
) -> None:
    event = json.dumps(REQUEST | {"items": [{"id": "i1"}, {"id": "i3"}]}).encode()
    click = {"event": "interaction", "id": "c1", "timestamp": 1736200001000, "type": "click", "item": "i1"}
    async with (
        a_log_writer(nats_server.url, database_url),
        an_ingest(nats_server.url) as ingest,
        rows_of(database_url) as rows,
        a_ranker(nats_server.url) as ranker,
    ):

        async def tell() -> None:
            async with ingest.http.post(f"{ingest.url}/feedback", data=event) as answer:
                assert (await answer.json())["accepted"] == 1

        async def stored() -> bool:
            return len(ranker.ranker.outbox) == 0

        if first == "client":
            await tell()
        assert (await rank(ranker.url, REQUEST))[0] == 200
        await wait_until(stored)
        if first == "ranker":
            await tell()
        body = json.dumps(click | {"ranking": REQUEST["id"]}).encode()
        async with ingest.http.post(f"{ingest.url}/feedback", data=body) as answer:
            assert (await answer.json())["accepted"] == 1

        async def all_there() -> bool:
            return await rows.count() == 2

        await wait_until(all_there)
        slate, interaction = [decode_record(record).event for record in await rows.all()]
        assert isinstance(slate, SlateServed)
        assert slate.id == interaction.slate == REQUEST["id"]  # type: ignore[union-attr]
        # Who comes first is kept whole: what was ranked, and by whom; or what the page showed.
        assert (slate.policy is not None) == (first == "ranker")
        assert len(slate.items) == (3 if first == "ranker" else 2)
