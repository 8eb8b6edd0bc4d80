"""What the feature-store answers over the bus is what the fold says, from the place in the log that was asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import nats
import pytest
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.record import Batch
from eddyline_contracts.subjects import vectors_subject
from eddyline_contracts.vectors import VectorsAnswer, VectorsRequest, decode_answer, encode
from eddyline_eventlog.memory import MemoryLog
from eddyline_feature_store.service import RunningFeatureStore
from eddyline_runtime.bus import connected
from tests.support.a_log import a_click, an_item
from tests.support.serving import a_feature_store, fixture_log, fixture_view, folded
from tests.support.waiting import wait_until

VIEW = fixture_view()
SUBJECT = vectors_subject(VIEW.id)
AT = 1_736_200_000_000
ITEMS = [f"i{k}" for k in range(40)] + ["nobody"]


async def ask(client: Client, timeout: float = 5.0, **request: Any) -> VectorsAnswer:
    told = {"user": "u1", "session": None, "items": ITEMS, **request}
    message = await client.request(SUBJECT, encode(VectorsRequest(**told)), timeout=timeout)
    return decode_answer(message.data)


@asynccontextmanager
async def answering(
    nats_server: NatsServer, log: MemoryLog, **settings: Any
) -> AsyncIterator[tuple[RunningFeatureStore, Client]]:
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log, **settings) as store:
            await wait_until(store.fold.caught_up.is_set)
            await client.flush()
            yield store, client


async def test_vectors_over_the_bus_are_those_of_the_fold_bit_for_bit(nats_server: NatsServer) -> None:
    log = fixture_log()
    state = await folded(log, VIEW)
    async with answering(nats_server, log) as (_, client):
        for user, session in (("u1", "x1"), ("u2", None), (None, "x3"), ("nobody", None)):
            fields = [{"relevancy": float(k)} for k in range(len(ITEMS))]
            asked = {"user": user, "session": session, "item_fields": fields, "context": {"device": "phone"}}
            answer = await ask(client, at=AT, **asked)
            at = state.time_of(AT, 0)
            expected = state.vectors(user, session, ITEMS, fields, {"device": "phone"}, at)
            assert (answer.sequence, answer.ranked_at) == (state.sequence, at)
            assert answer.n_features == len(VIEW.columns)
            assert answer.vectors == expected.astype("<f4").tobytes()
            assert answer.priors == state.first_scores(user, session, ITEMS, at).astype("<f4").tobytes()
            assert not answer.stale


async def test_without_a_time_of_its_own_a_request_is_ranked_at_the_clock(nats_server: NatsServer) -> None:
    async with answering(nats_server, fixture_log()) as (_, client):
        before = time.time_ns() // 1_000_000
        answer = await ask(client)
        assert before <= answer.ranked_at <= time.time_ns() // 1_000_000


async def test_no_candidates_is_a_question_too(nats_server: NatsServer) -> None:
    async with answering(nats_server, fixture_log(50)) as (_, client):
        answer = await ask(client, items=[])
        assert (answer.n_features, answer.vectors, answer.priors) == (len(VIEW.columns), b"", b"")


async def test_who_has_a_model_need_not_be_told_how_to_order_without(nats_server: NatsServer) -> None:
    async with answering(nats_server, fixture_log()) as (_, client):
        whole, bare = await ask(client, at=AT), await ask(client, at=AT, priors=False)
        assert (bare.vectors, bare.priors) == (whole.vectors, b"")
        assert len(whole.priors) == 4 * len(ITEMS)
        # A ranker of before says nothing about them, and needs them.
        told = msgspec.msgpack.encode([None, None, ITEMS, None, {}, AT, 0, 0])
        answer = decode_answer((await client.request(SUBJECT, told, timeout=5)).data)
        assert len(answer.priors) == 4 * len(ITEMS)


async def test_a_request_waits_for_its_place_and_holds_up_nobody(nats_server: NatsServer) -> None:
    log = fixture_log(100)
    async with answering(nats_server, log) as (_, client):
        waiting = [asyncio.create_task(ask(client, min_sequence=102, wait_ms=5_000)) for _ in range(20)]
        await client.flush()
        answer = await ask(client, min_sequence=100)
        assert (answer.sequence, answer.stale) == (100, False)
        log.append(an_item("new", at=AT))
        assert (await ask(client, min_sequence=101, wait_ms=5_000)).sequence == 101
        assert not any(task.done() for task in waiting)
        log.append(an_item("newer", at=AT))
        for reached in await asyncio.gather(*waiting):
            assert (reached.sequence, reached.stale) == (102, False)


async def test_a_place_that_is_not_reached_in_time_is_answered_as_stale(nats_server: NatsServer) -> None:
    async with answering(nats_server, fixture_log(100)) as (_, client):
        started = time.monotonic()
        answer = await ask(client, min_sequence=101, wait_ms=60)
        assert 0.05 < time.monotonic() - started < 1.0
        assert (answer.sequence, answer.stale) == (100, True)
        assert len(answer.vectors) == len(ITEMS) * len(VIEW.columns) * 4
        assert (await ask(client, min_sequence=101)).stale


async def test_a_place_without_an_event_of_its_own_is_reached_too(nats_server: NatsServer) -> None:
    log = fixture_log(100)
    async with answering(nats_server, log) as (_, client):
        waiting = asyncio.create_task(ask(client, min_sequence=101, wait_ms=5_000))
        await client.flush()
        assert log.append(b"no event") == 101
        assert not (await waiting).stale


async def test_beyond_the_bound_on_waiters_the_newest_features_come_at_once(nats_server: NatsServer) -> None:
    async with answering(nats_server, fixture_log(100), max_waiters=1) as (_, client):
        parked = asyncio.create_task(ask(client, min_sequence=101, wait_ms=400))
        await client.flush()
        started = time.monotonic()
        assert (await ask(client, min_sequence=101, wait_ms=400)).stale
        assert time.monotonic() - started < 0.3
        assert (await parked).stale


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode({"user": "u"}),
        msgspec.msgpack.encode(["u", None, [7]]),
        msgspec.msgpack.encode(["u", None, ["a"], [{}, {}]]),
        b"\x91" * 10_000,
    ],
)
async def test_a_request_in_another_form_gets_an_error_and_ends_nothing(
    nats_server: NatsServer, raw: bytes
) -> None:
    async with answering(nats_server, fixture_log(50)) as (_, client):
        answer = decode_answer((await client.request(SUBJECT, raw, timeout=5)).data)
        assert answer.error
        assert (await ask(client)).error is None


async def test_questions_come_before_what_is_yet_to_be_applied(nats_server: NatsServer) -> None:
    log = fixture_log()
    async with answering(nats_server, log) as (store, client):
        for k in range(20_000):
            log.append(a_click(f"i{k % 40}", at=AT + k, user=f"u{k % 50}"))
        slowest = 0.0
        while store.fold.state.sequence < 20_000:
            started = time.perf_counter()
            await ask(client)
            slowest = max(slowest, time.perf_counter() - started)
        # The client shares this loop; without yielding, the first answer would come after all 20,000.
        assert slowest < 0.1


async def test_a_replica_does_not_answer_before_it_has_caught_up(nats_server: NatsServer) -> None:
    class Held(MemoryLog):
        """A log that cannot be read until it is let go."""

        def __init__(self) -> None:
            super().__init__()
            self.let_go = asyncio.Event()

        async def follow(self, after: int) -> AsyncIterator[Batch]:  # type: ignore[override]
            await self.let_go.wait()
            async for batch in super().follow(after):
                yield batch

    log = Held()
    for k in range(5):
        log.append(an_item(f"i{k}", at=AT))
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log) as store, aiohttp.ClientSession() as http:
            with pytest.raises(nats.errors.NoRespondersError):
                await ask(client)
            async with http.get(store.url + "/health/ready") as ready:
                assert (ready.status, (await ready.json())["waiting_for"]) == (503, ["caught_up"])
            async with http.get(store.url + "/v1/items/i1") as item:
                assert item.status == 503
            log.let_go.set()
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: _answers(client))
            async with http.get(store.url + "/health/ready") as ready:
                assert ready.status == 200


async def _answers(client: Client) -> bool:
    try:
        return (await ask(client)).sequence == 5
    except nats.errors.NoRespondersError:
        return False


async def test_a_question_is_answered_by_one_of_the_replicas(nats_server: NatsServer) -> None:
    # Logs of different lengths, so that an answer tells who gave it.
    async with (
        answering(nats_server, fixture_log(100)) as (_, client),
        a_feature_store(nats_server.url, fixture_log(101)) as two,
    ):
        await wait_until(two.fold.caught_up.is_set)

        async def answered(by: set[int]) -> None:
            seen: set[int] = set()
            while seen != by:
                seen.add((await ask(client)).sequence)

        await answered({100, 101})
        inbox = client.new_inbox()
        replies = await client.subscribe(inbox)
        for _ in range(40):
            await client.publish(SUBJECT, encode(VectorsRequest("u", None, ITEMS)), reply=inbox)
        # Each answers in turn: whoever answers one of these has answered all that it got before.
        await answered({100, 101})
        assert replies.pending_msgs == 40
        assert {decode_answer((await replies.next_msg()).data).sequence for _ in range(40)} == {100, 101}


async def test_what_is_known_of_an_item_and_a_user_can_be_read(nats_server: NatsServer) -> None:
    log = fixture_log()
    log.append(an_item("a/b c", at=AT, price=3))
    state = await folded(log, VIEW)
    async with answering(nats_server, log) as (store, _), aiohttp.ClientSession() as http:
        async with http.get(store.url + "/v1/items/i1") as answer:
            assert (answer.status, await answer.json()) == (200, state.item("i1"))
        async with http.get(store.url + "/v1/items/a%2Fb%20c") as answer:
            assert (answer.status, (await answer.json())["item"]) == (200, "a/b c")
        user = next(iter(state.users.rows))
        async with http.get(f"{store.url}/v1/users/{user}") as answer:
            assert (answer.status, await answer.json()) == (
                200,
                msgspec.json.decode(msgspec.json.encode(state.user(user))),
            )
        for path in ("/v1/items/nobody", "/v1/users/nobody"):
            async with http.get(store.url + path) as answer:
                assert answer.status == 404
                assert answer.content_type == "application/problem+json"
                assert "nobody" in (await answer.json())["detail"]
        async with http.get(store.url + "/metrics") as answer:
            text = await answer.text()
            assert "eddyline_fold_events_total" in text
            assert "eddyline_vectors_seconds_bucket" in text
        async with http.get(store.url + "/openapi.json") as answer:
            assert "/v1/items/{item}" in (await answer.json())["paths"]


async def test_answers_go_on_after_the_bus_was_away(nats_server: NatsServer, tmp_path: Any) -> None:
    from eddyline_cli.servers.nats_server import start_nats

    log = fixture_log(100)
    async with answering(nats_server, log) as (store, client):
        nats_server.kill()
        log.append(an_item("meanwhile", at=AT))
        await wait_until(lambda: store.fold.state.sequence == 101)
        again = start_nats(tmp_path / "nats", port=nats_server.port)
        try:
            await wait_until(lambda: client.is_connected)
            answer = await wait_until(lambda: _maybe(client))
            assert answer.sequence == 101
        finally:
            again.stop()


async def _maybe(client: Client) -> VectorsAnswer | None:
    try:
        return await ask(client, timeout=1.0)
    except (nats.errors.Error, TimeoutError):
        return None
