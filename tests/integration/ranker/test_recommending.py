"""A recommendation is the best of what was found, by the model in service, within the rules; and a fact in the log."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from prometheus_client import REGISTRY

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.bundle import Bundle
from eddyline_contracts.candidates import CandidatesAnswer, CandidatesRequest
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SlateServed
from eddyline_contracts.subjects import vectors_subject
from eddyline_contracts.vectors import VectorsAnswer, encode
from eddyline_features.state import State
from eddyline_features.view import load_view
from eddyline_runtime.bus import connected
from tests.support.bundles import a_bundle, promote, scores_by
from tests.support.finding import a_finder
from tests.support.serving import (
    CONFIG,
    RankerClient,
    a_feature_store,
    a_ranker,
    fixture_log,
    folded,
    inbox,
    make_inbox,
)
from tests.support.waiting import wait_until

AT = 1_736_200_000_000
RECOMMEND = "recommend: {candidates: 40, fields: [genres, price, title]}"
PRIORS = {"i3": 0.9, "i7": 0.8, "i1": 0.7, "i2": 0.6}


class Served:
    """A ranker with a champion, an inbox, and somebody who finds candidates."""

    def __init__(self, client: Client, ranker: RankerClient, bundle: Bundle | None, state: State) -> None:
        self.client = client
        self.ranker = ranker
        self.bundle = bundle
        self.state = state

    async def slates(self, n: int) -> list[SlateServed]:
        """All logged slates, once there are ``n``."""

        async def there() -> list[bytes]:
            raws = await inbox(self.client)
            return raws if len(raws) >= n else []

        events = [decode_event(raw) for raw in await wait_until(there)]
        assert len(events) == n
        assert all(isinstance(event, SlateServed) for event in events)
        return events  # type: ignore[return-value]


@asynccontextmanager
async def serving(
    nats_server: NatsServer,
    folder: Path,
    *,
    section: str = RECOMMEND,
    more: str = "",
    model: str | None = "",
    answer: Callable[[CandidatesRequest], CandidatesAnswer | None] | None = None,
    n_events: int | None = None,
    **told: Any,
) -> AsyncIterator[Served]:
    config = folder / "eddyline.yaml"
    config.write_text(re.sub("^recommend: .*$", section, CONFIG.read_text(), flags=re.MULTILINE) + more)
    view = load_view(config.read_text())
    log = fixture_log(n_events)
    state = await folded(log, view)
    bundle = None if model is None else a_bundle(model or view.id, view.columns, priors=PRIORS)
    patience = {"features_timeout_ms": 5_000, "retrieval_timeout_ms": 5_000, **told}
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        if bundle is not None:
            await promote(client, bundle)
        async with AsyncExitStack() as stack:
            heard: list[CandidatesRequest] | None = None
            if answer is None:
                store = await stack.enter_async_context(
                    a_feature_store(nats_server.url, log, config=config, client=client)
                )
                await wait_until(store.fold.caught_up.is_set)
                await client.flush()
            else:
                heard = await stack.enter_async_context(a_finder(client, view.id, answer))
            ranker = await stack.enter_async_context(a_ranker(nats_server.url, config=config, **patience))
            await wait_until(lambda: _ready(ranker, bundle))
            await wait_until(lambda: _asks(ranker, heard))
            yield Served(client, ranker, bundle, state)


async def _ready(ranker: RankerClient, bundle: Bundle | None) -> bool:
    status, _ = await ranker.get("/health/ready")
    return status == 200 and (bundle is None or ranker.model == bundle.model)


async def _asks(ranker: RankerClient, heard: list[CandidatesRequest] | None) -> bool:
    """Whether its line to whoever finds candidates is open."""
    status, told = await ranker.post("/v1/recommend", user="nobody", log=False)
    return status != 200 or bool(heard) if heard is not None else "features" not in told.get("degraded", ())


@pytest.fixture
async def served(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(nats_server, tmp_path) as it:
        yield it


def items_of(slate: dict[str, Any]) -> list[str]:
    return [item["item"] for item in slate["items"]]


async def test_the_best_of_what_was_found_are_shown_with_their_sources_and_logged_with_all_candidates(
    served: Served,
) -> None:
    slate = await served.ranker.recommend(n=5, context={"device": "desk"}, occurred_at=AT)
    at = served.state.time_of(AT, 0)
    chosen = served.state.candidates("u1", None, {"device": "desk"}, at, 40)
    vectors = served.state.vectors("u1", None, chosen.items, None, {"device": "desk"}, at)
    assert served.bundle is not None
    scores = dict(zip(chosen.items, scores_by(served.bundle, vectors), strict=True))
    sources = {item: chosen.sources[k] for item, k in zip(chosen.items, chosen.source.tolist(), strict=True)}
    assert items_of(slate) == sorted(scores, key=lambda item: -scores[item])[:5]
    for shown in slate["items"]:
        assert (shown["score"], shown["source"]) == (scores[shown["item"]], sources[shown["item"]])
        assert shown["propensity"] == 1.0
    assert (slate["model"], slate["degraded"]) == (served.bundle.model, [])
    assert (slate["features_sequence"], slate["ranked_at"]) == (served.state.sequence, at)
    (logged,) = await served.slates(1)
    assert logged.id == slate["slate"]
    assert [item.item for item in logged.items] == items_of(slate)
    assert [item.source for item in logged.items] == [item["source"] for item in slate["items"]]
    assert logged.candidates == chosen.items
    assert (logged.policy, logged.occurred_at, logged.ranked_at) == ("greedy", AT, at)
    assert (logged.user, logged.context) == ("u1", {"device": "desk"})


async def test_what_is_excluded_does_not_appear_and_a_session_will_do(served: Served) -> None:
    first = await served.ranker.recommend(user=None, session="x1", n=3)
    rest = await served.ranker.recommend(user=None, session="x1", n=1_000, exclude=items_of(first))
    assert rest["items"]
    assert not set(items_of(first)) & set(items_of(rest))
    logged = await served.slates(2)
    assert {(slate.user, slate.session) for slate in logged} == {(None, "x1")}


async def test_sentences_name_what_the_person_chose_and_the_rest_of_the_answer_is_as_without(
    served: Served,
) -> None:
    asked = {"n": 40, "occurred_at": AT, "log": False}
    plain = await served.ranker.recommend(**asked)
    told = await served.ranker.recommend(explain=True, **asked)
    assert plain["items"] == [{k: v for k, v in item.items() if k != "explanation"} for item in told["items"]]
    rows = served.state.retrieval.because(served.state.users.rows["u1"], np.zeros(0, np.int32)).recent
    titles = {title for (title,) in served.state.fields.texts("title", rows)}
    said = {item["explanation"]["sentence"] for item in told["items"] if item["source"] == "co_visitation"}
    assert said
    assert said <= {f"Because you chose {title}" for title in titles}


async def test_a_retry_gets_the_same_slate_and_is_logged_once(served: Served) -> None:
    request = {"user": "u1", "n": 4, "request_id": "r-1"}
    first = await served.ranker.post("/v1/recommend", **request)
    assert first == await served.ranker.post("/v1/recommend", **request)
    status, problem = await served.ranker.post("/v1/recommend", **{**request, "n": 5})
    assert (status, problem["code"]) == (409, "conflict")
    await served.ranker.recommend(n=4, log=False)
    (logged,) = await served.slates(1)
    assert logged.id == first[1]["slate"]


async def test_a_place_in_the_log_that_is_not_reached_is_said(served: Served) -> None:
    reached = await served.ranker.recommend(min_sequence=served.state.sequence)
    assert reached["degraded"] == []
    slate = await served.ranker.recommend(min_sequence=served.state.sequence + 1)
    assert slate["degraded"] == ["min_sequence"]
    assert slate["items"]


@pytest.mark.parametrize("by", ["request", "view"])
async def test_no_more_with_the_same_value_than_the_cap(
    nats_server: NatsServer, tmp_path: Path, by: str
) -> None:
    section = RECOMMEND if by == "request" else RECOMMEND.replace("}", ", caps: {genres: 2}}")
    async with serving(nats_server, tmp_path, section=section) as it:
        slate = await it.ranker.recommend(
            n=30, occurred_at=AT, **({"caps": {"genres": 2}} if by == "request" else {})
        )
        free = await it.ranker.recommend(n=30, occurred_at=AT, caps={})
        (at, n) = (it.state.time_of(AT, 0), 40)
        rows = it.state.candidates("u1", None, {}, at, n)
        genres = dict(zip(rows.items, it.state.fields.texts("genres", rows.rows), strict=True))

        def most(shown: dict[str, Any]) -> int:
            return max(Counter(genre for item in items_of(shown) for genre in genres[item]).values())

        assert most(slate) <= 2 < most(free)
        assert len(free["items"]) == 30
        assert slate["degraded"] == []
        # Nothing that was left out would have had room.
        left = Counter(genre for item in items_of(slate) for genre in genres[item])
        for item in set(genres) - set(items_of(slate)):
            assert any(left[genre] >= 2 for genre in genres[item])


async def test_only_items_that_the_filter_is_true_of_and_a_field_that_nobody_keeps_is_refused(
    served: Served,
) -> None:
    slate = await served.ranker.recommend(n=50, filters={"genres": "drama", "price": {"lte": 30}})
    assert slate["items"]
    rows = served.state._rows_of(items_of(slate))
    assert all("drama" in genres for genres in served.state.fields.texts("genres", rows))
    assert all(float(price) <= 30 for ((price),) in served.state.fields.texts("price", rows))
    for wrong in ({"filters": {"colour": "red"}}, {"caps": {"colour": 1}}):
        status, problem = await served.ranker.post("/v1/recommend", user="u1", **wrong)
        assert (status, problem["code"]) == (422, "refused")
        assert "add it to `recommend.fields`" in problem["detail"]


async def test_while_the_view_changes_the_declared_one_answers_for_a_model_whose_view_cannot(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with serving(nats_server, tmp_path, model="older-00000000") as it:
        refusal = CandidatesAnswer(1, 1, 0, [], [], b"", b"", refused="no section `recommend`")
        for old in (None, lambda _: refusal):
            async with AsyncExitStack() as stack:
                if old is not None:
                    await stack.enter_async_context(a_finder(it.client, "older-00000000", old))
                slate = await it.ranker.recommend(n=3)
                assert (len(slate["items"]), slate["degraded"], slate["model"]) == (3, ["model"], None)
                assert slate["view"] == it.state.view.id


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "invalid", "`user` or `session` is required"),
    ({"user": "u", "n": 0}, "invalid", "n"),
    ({"user": "u", "n": 1_001}, "invalid", "n"),
    ({"user": "u", "exclude": ["x" * 129]}, "id_too_long", "128"),
    ({"user": "u", "context": {"x": "y" * 40_000}}, "string_too_long", "32,768"),
    (
        {"user": "u", "context": {f"x{k}": "y" * 30_000 for k in range(9)}},
        "event_too_large",
        "`context`",
    ),
    ({"user": "u", "caps": {"genres": 0}}, "invalid", "caps"),
    ({"user": "u", "filters": {"price": {"under": 3}}}, "invalid_filter", "no operator `under`"),
    ({"user": "u", "nonsense": 1}, "invalid", "nonsense"),
    ({"user": "u", "occurred_at": "1913-05-05T12:00:00Z"}, "invalid", "from 1970 on"),
]


async def test_a_wrong_request_is_told_what_is_wrong(served: Served) -> None:
    for request, code, words in WRONG:
        status, problem = await served.ranker.post("/v1/recommend", **request)
        assert (status, problem["code"]) == (422, code), request
        assert words in problem["detail"]


async def test_numbers_beyond_64_bits_are_asked_with_and_logged_as_the_nearest_float(served: Served) -> None:
    slate = await served.ranker.recommend(context={"device": 2**70}, request_id="r")
    assert slate["degraded"] == []
    (logged,) = await served.slates(1)
    assert logged.context == {"device": 2.0**70}


async def test_a_view_that_does_not_say_how_to_choose_gets_told_what_to_add(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with serving(nats_server, tmp_path, section="") as it:
        for path, request in (
            ("/v1/recommend", {"user": "u1"}),
            ("/v1/recommend:batch", {"requests": [{"user": "u1"}]}),
        ):
            status, problem = await it.ranker.post(path, **request)
            assert status == 409
            assert "add `recommend: {}`" in problem["detail"]


async def test_an_empty_catalogue_gives_an_empty_list_and_no_fact(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with serving(nats_server, tmp_path, n_events=0) as it:
        slate = await it.ranker.recommend()
        assert (slate["items"], slate["degraded"]) == ([], [])
        assert await inbox(it.client) == []


async def test_without_a_model_the_stores_online_model_orders(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with serving(nats_server, tmp_path, model=None) as it:
        slate = await it.ranker.recommend(n=6, occurred_at=AT)
        at = it.state.time_of(AT, 0)
        found = it.state.candidates("u1", None, {}, at, 40).items
        scores = dict(zip(found, it.state.first_scores("u1", None, found, at).tolist(), strict=True))
        assert items_of(slate) == sorted(found, key=lambda item: -scores[item])[:6]
        assert (slate["degraded"], slate["model"]) == (["model"], None)
        (logged,) = await it.slates(1)
        assert (logged.policy, logged.candidates) == ("live-priors", found)


async def test_chosen_people_get_drawn_places_within_the_rules(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with serving(nats_server, tmp_path, more="exploration: {share: 1, places: 3}\n") as it:
        greedy = await it.ranker.recommend(n=5, occurred_at=AT, caps={"genres": 2}, log=False)
        orders = set()
        for k in range(10):
            slate = await it.ranker.recommend(n=5, occurred_at=AT, caps={"genres": 2}, request_id=f"r{k}")
            assert sorted(items_of(slate)[:3]) == sorted(items_of(greedy)[:3])
            assert slate["items"][3:] == greedy["items"][3:]
            assert [item["propensity"] for item in slate["items"]] == [1 / 3] * 3 + [1.0] * 2
            orders.add(tuple(items_of(slate)))
        assert len(orders) > 2
        assert {slate.policy for slate in await it.slates(10)} == {"shuffled"}


async def test_without_the_store_the_best_of_the_bundle_are_recommended(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with serving(nats_server, tmp_path, answer=lambda *_: None, retrieval_timeout_ms=20) as it:
        await wait_until(lambda: _knows_removals(it.ranker))
        slate = await it.ranker.recommend(n=3, exclude=["i7"])
        assert items_of(slate) == ["i3", "i1", "i2"]
        assert slate["degraded"] == ["features"]
        assert {item["source"] for item in slate["items"]} == {"prior"}
        (logged,) = await it.slates(1)
        assert (logged.policy, logged.features_sequence) == ("bundle-priors", None)
        # What was not checked is not shown, and what cannot be heeded is said.
        filtered = await it.ranker.recommend(filters={"genres": "drama"})
        assert (filtered["items"], filtered["degraded"]) == ([], ["features", "filters"])
        capped = await it.ranker.recommend(n=2, caps={"genres": 1}, diversity=0.5)
        assert (len(capped["items"]), capped["degraded"]) == (2, ["features", "caps", "diversity"])


async def _knows_removals(ranker: RankerClient) -> bool:
    return "removals" not in (await ranker.recommend(log=False))["degraded"]


async def test_with_neither_store_nor_model_the_list_is_empty(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with serving(
        nats_server, tmp_path, model=None, answer=lambda *_: None, retrieval_timeout_ms=20
    ) as it:
        slate = await it.ranker.recommend()
        assert (slate["items"], slate["degraded"]) == ([], ["features", "model"])


async def test_a_store_that_hangs_on_candidates_costs_only_the_first_requests_their_wait(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    answers: list[CandidatesAnswer] = []

    def hang(_: CandidatesRequest) -> CandidatesAnswer | None:
        return answers[0] if answers else None

    async with serving(nats_server, tmp_path, model=None, answer=hang, retrieval_timeout_ms=60) as it:
        # For vectors the same store has an answer, as small questions have.
        async def tell(message: Msg) -> None:
            await it.client.publish(message.reply, encode(VectorsAnswer(7, 0, 1, b"", b"")))

        await it.client.subscribe(vectors_subject(it.state.view.id), cb=tell)
        await it.client.flush()
        before = _timeouts()
        for _ in range(30):
            assert (await it.ranker.recommend(log=False))["degraded"] == ["features", "model"]
        assert _timeouts() - before <= 3
        answers.append(CandidatesAnswer(7, 0, 1, [], [], b"", b""))
        # Nobody asks meanwhile: it finds out by itself that the store is back.
        await wait_until(lambda: _asks(it.ranker, None))


def _timeouts() -> float:
    return REGISTRY.get_sample_value("eddyline_rank_features_lost_total", {"reason": "timeout"}) or 0.0


async def test_a_batch_has_an_answer_or_an_error_for_each(served: Served) -> None:
    good = {"user": "u1", "n": 2}
    requests = [good, {"n": 2}, {**good, "user": "u2"}, {**good, "n": "two"}, 7, good]
    status, told = await served.ranker.post("/v1/recommend:batch", requests=requests)
    assert status == 200
    answers = told["answers"]
    assert [len(one["slate"]["items"]) if "slate" in one else one["problem"]["status"] for one in answers] == [
        2, 422, 2, 422, 422, 2,
    ]  # fmt: skip
    assert "`user` or `session`" in answers[1]["problem"]["detail"]
    assert len(await served.slates(3)) == 3
    status, problem = await served.ranker.post("/v1/recommend:batch", requests=[good] * 101)
    assert (status, problem["code"]) == (422, "too_many_requests")
    # As with events: where none can be taken, the whole is refused.
    status, problem = await served.ranker.post("/v1/recommend:batch", requests=[{"n": 2}, 7])
    assert (status, [error["index"] for error in problem["errors"]]) == (422, [0, 1])
    assert await served.ranker.post("/v1/recommend:batch", requests=[]) == (200, {"answers": []})


async def test_a_batch_waits_once_for_a_place_that_is_not_reached(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with serving(nats_server, tmp_path, max_wait_ms=200) as it:
        requests = [{"user": f"u{k}", "n": 1, "min_sequence": it.state.sequence + 1} for k in range(100)]
        began = time.monotonic()
        _, told = await it.ranker.post("/v1/recommend:batch", requests=requests)
        # By each in turn, eight at a time, it would be two and a half seconds.
        assert time.monotonic() - began < 1.7
        assert {tuple(one["slate"]["degraded"]) for one in told["answers"]} == {("min_sequence",)}


async def test_nothing_excluded_ever_appears(nats_server: NatsServer, tmp_path: Path) -> None:
    async with serving(nats_server, tmp_path) as it:
        items = [*list(it.state.items.rows)[:45], *PRIORS, "never-heard-of"]
        for k in range(60):
            exclude = [item for n, item in enumerate(items) if (n * 7 + k * 13) % (2 + k % 5)]
            slate = await it.ranker.recommend(f"u{k}", n=1 + k % 50, exclude=exclude, log=False)
            shown = items_of(slate)
            assert not set(shown) & set(exclude)
            assert len(set(shown)) == len(shown) <= 1 + k % 50
