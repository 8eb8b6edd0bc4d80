"""A request is answered with the model's scores of the live vectors, and logged so that it can be replayed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import numpy as np
import pytest
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.bundle import Bundle
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SlateServed
from eddyline_contracts.subjects import INBOX_STREAM, message_id
from eddyline_contracts.vectors import VectorsRequest
from eddyline_eventlog.memory import MemoryLog
from eddyline_features.state import State
from eddyline_ranker.bus_link import BusLink
from eddyline_ranker.errors import FeaturesLost
from eddyline_ranker.features_client import FeaturesClient
from eddyline_runtime.alongside import alongside
from eddyline_runtime.bus import connected
from tests.support.a_log import an_item
from tests.support.bundles import a_bundle, promote, scores_by
from tests.support.serving import (
    RankerClient,
    a_feature_store,
    a_ranker,
    fixture_log,
    fixture_view,
    folded,
    inbox,
    make_inbox,
)
from tests.support.waiting import wait_until

VIEW = fixture_view()
AT = 1_736_200_000_000
ITEMS = [f"i{k}" for k in range(30)] + ["nobody"]


WIDE = ["\U0001f600" * 124 + f"{k:04}" for k in range(1_000)]
"""514 kB as a request, twice that as a slate."""


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


class Served:
    """A ranker with a feature-store, a champion and an inbox."""

    def __init__(
        self, client: Client, log: MemoryLog, bundle: Bundle, ranker: RankerClient, state: State
    ) -> None:
        self.client = client
        self.log = log
        self.bundle = bundle
        self.ranker = ranker
        self.state = state

    async def slates(self, n: int) -> list[SlateServed]:
        """The first n logged slates, once there are so many."""

        async def there() -> list[bytes]:
            found = await inbox(self.client)
            return found if len(found) >= n else []

        events = [decode_event(raw) for raw in await wait_until(there)]
        assert all(isinstance(event, SlateServed) for event in events)
        return events  # type: ignore[return-value]


@pytest.fixture
async def served(nats_server: NatsServer) -> AsyncIterator[Served]:
    async with serving(nats_server) as it:
        yield it


@asynccontextmanager
async def serving(nats_server: NatsServer) -> AsyncIterator[Served]:
    log = fixture_log()
    bundle = a_bundle(VIEW.id, VIEW.columns, priors={"i3": 0.9, "i7": 0.8})
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        await promote(client, bundle)
        async with a_feature_store(nats_server.url, log) as store, a_ranker(nats_server.url) as ranker:
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: ranker.model == bundle.model)
            await wait_until(lambda: _whole(ranker))
            yield Served(client, log, bundle, ranker, await folded(log, VIEW))


async def _whole(ranker: RankerClient) -> bool:
    return not (await ranker.rank(["i1"], log=False))["degraded"]


async def test_scores_are_those_of_the_model_for_the_live_vectors(served: Served) -> None:
    items = [{"item": item, "fields": {"relevancy": k / 7}} for k, item in enumerate(ITEMS)]
    slate = await served.ranker.rank(
        items, user="u1", session="x1", context={"device": "desk"}, occurred_at=AT
    )
    fields = [{"relevancy": k / 7} for k in range(len(ITEMS))]
    at = served.state.time_of(AT, 0)
    vectors = served.state.vectors("u1", "x1", ITEMS, fields, {"device": "desk"}, at)
    expected = dict(zip(ITEMS, scores_by(served.bundle, vectors), strict=True))
    assert {item["item"]: item["score"] for item in slate["items"]} == expected
    scores = [item["score"] for item in slate["items"]]
    assert scores == sorted(scores, reverse=True)
    assert {item["propensity"] for item in slate["items"]} == {1.0}
    assert (slate["model"], slate["view"], slate["degraded"]) == (served.bundle.model, VIEW.id, [])
    assert (slate["features_sequence"], slate["ranked_at"]) == (served.state.sequence, at)
    assert slate["took_ms"] > 0


async def test_a_thousand_candidates_get_their_scores_as_a_few_do(served: Served) -> None:
    """Each the score of its vector, however it was computed; some columns compare candidates, so vectors differ."""
    thousand = [f"i{k}" for k in range(1_000)]
    for items in (thousand, thousand[:10]):
        slate = await served.ranker.rank(items, occurred_at=AT)
        vectors = served.state.vectors("u1", None, items, None, {}, served.state.time_of(AT, 0))
        assert {item["item"]: item["score"] for item in slate["items"]} == dict(
            zip(items, scores_by(served.bundle, vectors), strict=True)
        )


async def test_the_slate_is_logged_as_it_was_shown(served: Served) -> None:
    before = time.time_ns() // 1_000_000
    shown = await served.ranker.rank(
        [{"item": "i1", "fields": {"relevancy": 3}}, "i2", "i3"], context={"device": "phone"}
    )
    (logged,) = await served.slates(1)
    assert logged.id == shown["slate"]
    assert [item.item for item in logged.items] == [item["item"] for item in shown["items"]]
    np.testing.assert_allclose(
        [item.score or 0.0 for item in logged.items], [item["score"] for item in shown["items"]], rtol=1e-3
    )
    assert logged.candidates in (None, ["i1", "i2", "i3"])
    assert {item.item: item.fields for item in logged.items} == {"i1": {"relevancy": 3}, "i2": {}, "i3": {}}
    assert (logged.features_sequence, logged.ranked_at) == (shown["features_sequence"], shown["ranked_at"])
    assert (logged.model, logged.view, logged.policy) == (shown["model"], shown["view"], "greedy")
    assert logged.context == {"device": "phone"}
    assert isinstance(logged.occurred_at, int)
    assert before <= logged.occurred_at <= time.time_ns() // 1_000_000
    stored = await served.client.jetstream().get_msg(INBOX_STREAM, 1)
    assert stored.subject == "events.slate"
    assert (stored.headers or {})["Nats-Msg-Id"] == message_id(shown["slate"])


async def test_history_is_ranked_and_logged_at_its_own_time(served: Served) -> None:
    slate = await served.ranker.rank(ITEMS, occurred_at="2025-01-06T21:46:40Z")
    (logged,) = await served.slates(1)
    assert logged.occurred_at == AT
    assert logged.ranked_at == slate["ranked_at"] == AT


async def test_nothing_is_logged_that_shall_not_be(served: Served) -> None:
    await served.ranker.rank(ITEMS, log=False)
    shown = await served.ranker.rank(ITEMS)
    (logged,) = await served.slates(1)
    assert logged.id == shown["slate"]


@pytest.mark.parametrize("number", [2**64, -(10**30), 10**400])
async def test_a_number_beyond_64_bits_is_ranked_and_logged(served: Served, number: int) -> None:
    items = [{"item": item, "fields": {"relevancy": number}} for item in ITEMS]
    request = {"user": "u1", "items": items, "context": {"device": number}, "occurred_at": AT}
    status, slate = await served.ranker.post(**request, request_id="r-1")
    assert (status, slate["degraded"]) == (200, [])
    assert await served.ranker.post(**request, request_id="r-1") == (200, slate)
    # What a replay of the logged slate reads gives the vectors that were served.
    (logged,) = await served.slates(1)
    fields = {item.item: item.fields for item in logged.items}
    vectors = served.state.vectors(
        "u1", None, ITEMS, [fields[item] for item in ITEMS], logged.context, slate["ranked_at"]
    )
    expected = dict(zip(ITEMS, scores_by(served.bundle, vectors), strict=True))
    assert {item["item"]: item["score"] for item in slate["items"]} == expected


async def test_a_question_that_cannot_be_asked_costs_no_answer(nats_server: NatsServer) -> None:
    link = BusLink(nats_server.url, "test")
    features = FeaturesClient(link, timeout_ms=100, retrieval_timeout_ms=100)
    async with alongside(link.run(), features.run()):
        await link.first_connection()
        with pytest.raises(FeaturesLost) as caught:
            await wait_until(lambda: _asked(features))
    assert caught.value.reason == "error"


async def _asked(features: FeaturesClient) -> bool:
    try:
        await features.vectors("view", VectorsRequest("u", None, ["i"], None, {"x": 2**64}))
    except FeaturesLost as lost:
        if lost.reason != "bus":
            raise
    return False


async def test_a_person_sees_the_own_click_in_the_next_slate(served: Served) -> None:
    sequence = served.log.append(an_item("brand-new", at=AT, price=1, popularity=99))
    slate = await served.ranker.rank(["brand-new"], min_sequence=sequence)
    assert slate["features_sequence"] >= sequence
    assert slate["degraded"] == []


async def test_a_place_that_is_not_reached_is_said(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client:
        bundle = a_bundle(VIEW.id, VIEW.columns)
        await promote(client, bundle)
        async with a_feature_store(nats_server.url, fixture_log(100)) as store:
            async with a_ranker(nats_server.url, max_wait_ms=40) as ranker:
                await wait_until(store.fold.caught_up.is_set)
                await wait_until(lambda: ranker.model == bundle.model)
                await wait_until(lambda: _whole(ranker))
                started = time.monotonic()
                slate = await ranker.rank(["i1", "i2"], min_sequence=10_000)
                assert time.monotonic() - started < 1.0
                assert slate["degraded"] == ["min_sequence"]
                assert slate["features_sequence"] == 100
                assert slate["model"] == bundle.model


async def test_a_retry_gets_the_same_slate_and_is_logged_once(served: Served) -> None:
    request = {"user": "u1", "items": ITEMS, "request_id": "r-1"}
    first, second = await served.ranker.post(**request), await served.ranker.post(**request)
    assert first == second
    status, problem = await served.ranker.post(**{**request, "items": ITEMS[:5]})
    assert (status, problem["code"]) == (409, "conflict")
    await served.ranker.rank(ITEMS)
    logged = await served.slates(2)
    assert [slate.id for slate in logged].count(first[1]["slate"]) == 1
    assert len(logged) == 2


async def test_a_retry_at_another_replica_gets_the_same_slate_id(
    served: Served, nats_server: NatsServer
) -> None:
    request = {"user": "u1", "items": ITEMS, "request_id": "r-1"}
    _, first = await served.ranker.post(**request)
    async with a_ranker(nats_server.url) as other:
        await wait_until(lambda: other.model == served.bundle.model)
        _, second = await other.post(**request)
    assert first["slate"] == second["slate"]
    await served.ranker.rank(ITEMS)
    # The bus knows the id already; were its window over, the log would.
    assert [slate.id for slate in await served.slates(2)].count(first["slate"]) == 1


@pytest.mark.parametrize(
    ("request_", "status", "code", "words"),
    [
        ({"items": ["a", "a"], "user": "u"}, 422, "duplicate_item", "'a' occurs twice"),
        ({"items": ["a"]}, 422, "invalid", "`user` or `session` is required"),
        ({"items": [], "user": "u"}, 422, "invalid", "items"),
        ({"items": [f"i{k}" for k in range(1001)], "user": "u"}, 422, "too_many_items", "1,000"),
        ({"items": ["a"], "user": "u", "min_sequence": "x"}, 422, "invalid", "min_sequence"),
        ({"items": ["a"], "user": "u", "nonsense": 1}, 422, "invalid", "nonsense"),
        ({"items": ["a"], "user": "u", "context": {"x": "y" * 700_000}}, 413, "too_large", ""),
        (
            {"items": ["a"], "user": "u", "context": {"x": nested(63)}},
            422,
            "malformed",
            "nested deeper than 64",
        ),
        (
            {"items": ["a"], "user": "u", "occurred_at": "1913-05-05T12:00:00Z"},
            422,
            "invalid",
            "from 1970 on",
        ),
        ({"items": WIDE, "user": "u"}, 422, "event_too_large", "send fewer items"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    nats_server: NatsServer, request_: dict[str, object], status: int, code: str, words: str
) -> None:
    async with a_ranker(nats_server.url) as ranker:
        got, problem = await ranker.post(**request_)
        assert (got, problem.get("code", "invalid")) == (status, code)
        assert words in problem["detail"]


async def test_what_every_service_answers(served: Served) -> None:
    status, ready = await served.ranker.get("/health/ready")
    assert (status, ready["status"]) == (200, "ready")
    assert ready["details"]["model"] == served.bundle.model
    status, document = await served.ranker.get("/openapi.json")
    assert status == 200
    schema = document["components"]["schemas"]
    assert "RankRequest" in schema
    assert "Slate" in schema
    assert msgspec.json.encode(document["paths"]["/v1/rank"]["post"])
