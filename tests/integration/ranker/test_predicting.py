"""What is expected of pairs: by the booster where its scores mean something, else by the model in the fold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_features.state import State
from eddyline_runtime.bus import connected
from tests.support.bundles import a_bundle, promote, scores_by
from tests.support.serving import RankerClient, a_feature_store, a_ranker, fixture_log, fixture_view, folded
from tests.support.waiting import wait_until

AT = 1_736_200_000_000
VIEW = fixture_view()
RANK = a_bundle(VIEW.id, VIEW.columns, priors={"i3": 0.9})
ITEMS = [f"i{k}" for k in range(8)] + ["nobody"]
PAIRS = [{"user": f"u{k % 3}", "item": item} for k, item in enumerate(ITEMS)]


@asynccontextmanager
async def serving(
    nats_server: NatsServer, objective: str | None, **settings: Any
) -> AsyncIterator[tuple[RankerClient, State]]:
    log = fixture_log()
    async with connected(nats_server.url, "test") as client:
        bundle = None if objective is None else structs.replace(RANK, objective=objective)
        if bundle is not None:
            await promote(client, bundle)
        async with (
            a_feature_store(nats_server.url, log) as store,
            a_ranker(nats_server.url, features_timeout_ms=5_000, **settings) as ranker,
        ):
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: bundle is None or ranker.model == bundle.model)
            await wait_until(lambda: _asked(ranker))
            yield ranker, await folded(log, VIEW)


async def test_a_place_that_is_not_reached_is_waited_for_once_and_not_by_each_person(
    nats_server: NatsServer,
) -> None:
    async with serving(nats_server, None, max_wait_ms=150) as (ranker, state):
        pairs = [{"user": f"u{k}", "item": "i1"} for k in range(320)]
        told = await predict(ranker, pairs, min_sequence=state.sequence + 1)
        assert told["degraded"] == ["min_sequence"]
        # By each in turn, sixteen at a time, it would be three seconds.
        assert told["took_ms"] < 1_500


async def _asked(ranker: RankerClient) -> bool:
    return (await predict(ranker, PAIRS[:1]))["features_sequence"] is not None


async def predict(ranker: RankerClient, pairs: list[dict[str, Any]], **request: Any) -> dict[str, Any]:
    status, told = await ranker.post("/v1/predict", pairs=pairs, **request)
    assert status == 200, told
    return told


def expected(state: State, how: str) -> list[float]:
    """Of `PAIRS`, each person's items as one list."""
    values = [0.0] * len(PAIRS)
    for user in ("u0", "u1", "u2"):
        places = [k for k, pair in enumerate(PAIRS) if pair["user"] == user]
        items = [PAIRS[k]["item"] for k in places]
        if how == "online":
            told = state.first_scores(user, None, items, AT).tolist()
        else:
            at = state.time_of(AT, 0)
            told = scores_by(RANK, state.vectors(user, None, items, None, {"device": "desk"}, at))
        for k, value in zip(places, told, strict=True):
            values[k] = value
    return values


@pytest.mark.parametrize("objective", ["rating", "click"])
async def test_a_booster_whose_scores_mean_something_predicts(
    nats_server: NatsServer, objective: str
) -> None:
    async with serving(nats_server, objective) as (ranker, state):
        asked: dict[str, Any] = {"context": {"device": "desk"}, "occurred_at": AT}
        told = await predict(ranker, PAIRS, **asked)
        raw = np.array(expected(state, "booster"))
        values = raw if objective == "rating" else 1.0 / (1.0 + np.exp(-raw))
        found = told["predictions"]
        assert [(one["user"], one["item"]) for one in found] == [(p["user"], p["item"]) for p in PAIRS]
        np.testing.assert_allclose([one["value"] for one in found], values, rtol=1e-12)
        unit = "value" if objective == "rating" else "probability"
        assert {(one["unit"], one["by"]) for one in found} == {(unit, "booster")}
        assert (told["model"], told["degraded"]) == (RANK.model, [])
        assert told["features_sequence"] == state.sequence
        # A pair that comes again is no other candidate.
        again = await predict(ranker, [*PAIRS, *PAIRS[:4]], **asked)
        assert again["predictions"] == [*found, *found[:4]]


@pytest.mark.parametrize("objective", ["rank", None])
async def test_where_scores_only_order_the_online_model_predicts(
    nats_server: NatsServer, objective: str | None
) -> None:
    async with serving(nats_server, objective) as (ranker, state):
        told = await predict(ranker, PAIRS, occurred_at=AT)
        assert [one["value"] for one in told["predictions"]] == expected(state, "online")
        assert {(one["unit"], one["by"]) for one in told["predictions"]} == {("probability", "online")}
        assert (told["model"], told["degraded"], told["view"]) == (None, [], VIEW.id)


async def test_without_features_the_item_alone_is_told_and_said_so(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client:
        await promote(client, RANK)
        async with a_ranker(nats_server.url) as ranker:
            none = await predict(ranker, PAIRS[:2])
            await wait_until(lambda: ranker.model == RANK.model)
            told = await predict(ranker, PAIRS)
    assert [one["value"] for one in told["predictions"]] == pytest.approx(
        [0.9 if pair["item"] == "i3" else 0.5 for pair in PAIRS]
    )
    assert {(one["unit"], one["by"]) for one in told["predictions"]} == {("rate", "prior")}
    assert (told["degraded"], told["features_sequence"]) == (["features"], None)
    assert {(one["value"], one["by"]) for one in none["predictions"]} <= {(None, "nothing"), (0.5, "prior")}


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([], "pairs"),
        ([{"item": "i1"}], "`pairs[0]`: `user` or `session` is required"),
        ([{"user": "u", "item": "i1"}] * 1_001, "1,000"),
        ([{"user": "u", "item": "x" * 129}], "128"),
        ([{"user": "u", "item": "i1", "nonsense": 1}], "nonsense"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    nats_server: NatsServer, pairs: list[dict[str, Any]], words: str
) -> None:
    async with a_ranker(nats_server.url) as ranker:
        status, problem = await ranker.post("/v1/predict", pairs=pairs)
        assert status == 422
        assert words in problem["detail"]
