"""The client at the real doors: bodies too large, events that nobody outside may send, services that are away."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import asyncpg
import pytest

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_client import (
    AsyncClient,
    Batching,
    Client,
    Conflict,
    Invalid,
    PredictPair,
    RecommendRequest,
    Rejected,
    RejectedEvent,
    Unavailable,
)
from eddyline_runtime.bus import connected
from tests.support.inbox import a_log_writer, an_ingest
from tests.support.serving import a_feature_store, fixture_log
from tests.support.serving import a_ranker as a_ranker_client
from tests.support.waiting import wait_until

NOWHERE = "http://127.0.0.1:9"
OF_THE_RANKER = {
    "type": "slate", "id": "forged", "user": "u", "items": [{"item": "i"}], "features_sequence": 1, "policy": "greedy",
}  # fmt: skip


def a_click(name: str) -> dict[str, str]:
    return {"type": "interaction", "id": name, "user": "u", "item": "i"}


async def test_a_batch_that_is_too_large_is_divided_and_only_what_is_too_large_itself_is_refused(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        a_log_writer(nats_server.url, database_url),
        an_ingest(nats_server.url, max_body_bytes=20_000) as ingest,
        AsyncClient(ingest=ingest.url) as client,
    ):
        sent = await client.send(a_click(f"e{number}") for number in range(500))
        assert sent.stored == 500
        large = {"type": "item", "id": "large", "item": "i", "fields": {"text": "x" * 21_000}}
        with pytest.raises(Rejected) as told:
            await client.send([a_click("before"), large, a_click("after")])
        assert [(event.index, event.code) for event in told.value.rejected] == [(1, "too_large")]
        logged = set()

        async def all_are_logged() -> bool:
            conn = await asyncpg.connect(database_url)
            rows = await conn.fetch("SELECT payload->>'id' AS id FROM event_log")
            await conn.close()
            logged.update(row["id"] for row in rows)
            return len(rows) == 502

        await wait_until(all_are_logged)
        assert logged == {*(f"e{number}" for number in range(500)), "before", "after"}


async def test_nobody_passes_for_the_ranker_by_either_door(
    nats_server: NatsServer, database_url: str
) -> None:
    async with a_log_writer(nats_server.url, database_url), an_ingest(nats_server.url) as ingest:
        for door in ({"ingest": ingest.url}, {"nats": nats_server.url}):
            async with AsyncClient(**door) as client:
                with pytest.raises(Rejected, match="written by the ranker only"):
                    await client.send([OF_THE_RANKER])
                with pytest.raises(Rejected, match="written by Eddyline itself"):
                    await client.send([{"type": "model_promoted", "id": "m", "model": "m", "view": "v"}])


async def test_a_slate_comes_also_while_ingest_is_away_and_says_what_it_does_not_know(
    nats_server: NatsServer,
) -> None:
    async with a_feature_store(nats_server.url, fixture_log()), a_ranker_client(nats_server.url) as ranker:
        client = AsyncClient(ranker=ranker.url, ingest=NOWHERE, timeout_s=3)
        await client.interaction("i1", user="u1")
        slate = await client.rank(["i1", "i2"], user="u1")
        assert len(slate.items) == 2
        assert "min_sequence" in slate.degraded
        other = await client.rank(["i1", "i2"], user="u2")
        assert "min_sequence" not in other.degraded
        with pytest.raises(Unavailable) as told:
            await client.close()
        assert len(told.value.unsent) == 1


async def test_slates_are_chosen_one_by_one_or_many_at_once_and_pairs_are_judged(
    nats_server: NatsServer,
) -> None:
    patient = {"features_timeout_ms": 5_000, "retrieval_timeout_ms": 5_000}
    async with (
        a_feature_store(nats_server.url, fixture_log()),
        a_ranker_client(nats_server.url, **patient) as ranker,
    ):
        async with AsyncClient(ranker=ranker.url, ingest=NOWHERE, timeout_s=20) as client:

            async def the_store_answers() -> bool:
                return "features" not in (await client.recommend(user="u1")).degraded

            await wait_until(the_store_answers, 20)
            slate = await client.recommend(
                user="u1", n=5, exclude=["i1"], filters={"price": {"gte": 0}}, explain=True
            )
            assert len(slate.items) == 5
            assert "i1" not in [chosen.item for chosen in slate.items]
            assert all(chosen.source and chosen.explanation for chosen in slate.items)
            again = await client.recommend(user="u1", n=5, request_id="r1", caps={"genres": 1}, diversity=0.5)
            assert (
                await client.recommend(user="u1", n=5, request_id="r1", caps={"genres": 1}, diversity=0.5)
                == again
            )
            with pytest.raises(Conflict):
                await client.recommend(user="u1", n=6, request_id="r1")
            with pytest.raises(Invalid, match=r"recommend\.fields"):
                await client.recommend(user="u1", filters={"colour": "red"})
            wrong = RecommendRequest(user="u1", filters={"colour": "red"})
            first, second = await client.recommend_batch([RecommendRequest(session="x", n=3), wrong])
            assert first.slate is not None
            assert len(first.slate.items) == 3
            assert second.problem is not None
            assert second.problem.status == 422
            told = await client.predict(
                [("u1", "i1"), PredictPair(session="x", item="i2")], context={"device": "desk"}
            )
            assert [each.item for each in told.predictions] == ["i1", "i2"]

        def without_a_loop() -> None:
            with Client(ranker=ranker.url, ingest=NOWHERE) as client:
                assert len(client.recommend(session="y", n=2).items) == 2
                assert len(client.recommend_batch([RecommendRequest(user="u2", n=1)])) == 1
                assert len(client.predict([("u1", "i1")]).predictions) == 1

        await asyncio.to_thread(without_a_loop)


async def test_all_that_asks_for_a_person_says_when_own_events_are_not_stored(
    nats_server: NatsServer,
) -> None:
    async with a_feature_store(nats_server.url, fixture_log()), a_ranker_client(nats_server.url) as ranker:
        client = AsyncClient(ranker=ranker.url, ingest=NOWHERE, timeout_s=3)
        await client.interaction("i1", user="u1")
        (batched,) = await client.recommend_batch([RecommendRequest(user="u1")])
        assert batched.slate is not None
        for answer in (
            await client.recommend(user="u1"),
            batched.slate,
            await client.predict([("u1", "i2")]),
        ):
            assert "min_sequence" in answer.degraded
        assert "min_sequence" not in (await client.recommend(user="u2")).degraded
        with pytest.raises(Unavailable):
            await client.close()


async def test_a_program_that_forgets_to_close_sends_its_events_or_says_that_they_are_lost(
    nats_server: NatsServer, database_url: str
) -> None:
    async def told_by(url: str) -> str:
        program = (
            "from eddyline_client import Client\n"
            f"client = Client(ingest={url!r}, timeout_s=1.0)\n"
            "client.interaction('i', user='u')\n"
        )
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    async with a_log_writer(nats_server.url, database_url), an_ingest(nats_server.url) as ingest:
        assert "was not closed" in await told_by(ingest.url)
        async with connected(nats_server.url, "test") as bus:
            assert (await bus.jetstream().stream_info("EVENTS")).state.messages == 1
        assert "1 events were not acknowledged" in await told_by(NOWHERE)


async def test_a_call_that_would_wait_for_itself_is_refused(
    nats_server: NatsServer, database_url: str
) -> None:
    seen: list[str] = []

    def calls_again(_: RejectedEvent) -> None:
        try:
            client.flush()
        except RuntimeError as error:
            seen.append(str(error))

    async with a_log_writer(nats_server.url, database_url), an_ingest(nats_server.url) as ingest:
        client = Client(ingest=ingest.url, batching=Batching(linger_s=0.0), on_rejected=calls_again)
        await asyncio.to_thread(client.interaction, "", user="u")
        await asyncio.to_thread(client.close)
    assert len(seen) == 1
    assert "hand the event to another thread" in seen[0]
