"""A person promotes a model or rolls it back: every ranker serves it within 2 s, and the trainer goes on from there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_runtime.bus import connected
from tests.support.database_log import DatabaseLog, writing
from tests.support.serving import CONFIG, a_ranker, inbox, make_inbox
from tests.support.training import (
    LINES,
    a_trainer,
    champion_of,
    get,
    post,
    promotions_of,
    rows_of,
)
from tests.support.waiting import wait_until


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Client]:
    """A client of the test's own, with the log writer's stream in place."""
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        yield client


async def logged(bus: Client, log: DatabaseLog, sent: int) -> int:
    """Let the log have what is new in the inbox, as the log writer would; returns how many there are in all."""
    events = await inbox(bus)
    if events[sent:]:
        await log.append(events[sent:])
    return len(events)


async def test_a_roll_back_is_in_every_ranker_within_two_seconds_and_the_trainer_goes_on_from_it(
    tmp_path: Path, nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(CONFIG.read_text().replace("learn_every: 40", "learn_every: 20"))
    half = len(LINES) * 3 // 4
    async with writing(database_url, bus) as log:
        await log.append(LINES[:half])
        async with (
            a_trainer(nats_server.url, database_url, config=config, announce_every_ms=2_000) as trainer,
            a_ranker(nats_server.url, champion_poll_ms=60_000) as one,
            a_ranker(nats_server.url, champion_poll_ms=60_000) as other,
        ):
            await wait_until(trainer.training.caught_up.is_set, 60)
            learner = trainer.training.learner
            promoted = await promotions_of(database_url)
            assert len(promoted) >= 2
            champion, before = promoted[-1]["challenger"], promoted[-2]["challenger"]
            await wait_until(lambda: one.model == other.model == champion, 30)

            began = time.monotonic()
            status, told = await post(trainer.url + "/v1/models/rollback")
            assert (status, told["model"], told["replaced"]) == (200, before, champion)
            await wait_until(lambda: one.model == other.model == before)
            assert time.monotonic() - began < 2.0

            # The log learns of it, and the learner from the log.
            async def told_of() -> bool:
                return any(told["event"].encode() in raw for raw in await inbox(bus))

            await wait_until(told_of)
            sent = await logged(bus, log, 0)
            await wait_until(lambda: learner.champion_name == before)
            # What is made now comes after the one in service, and may follow on it.
            await log.append(LINES[half:])
            await wait_until(lambda: trainer.training.sequence == len(LINES) + sent, 60)
            rows = {row["model"]: row for row in await rows_of(database_url)}
            later = [row for row in await promotions_of(database_url) if row["event_id"] is not None]
            assert later[len(promoted)]["outcome"] == "roll_back"
            made_later = [row for row in rows.values() if row["parent"] == before]
            assert made_later
            ended = learner.champion_name
            assert (await champion_of(bus)) is not None

        # A trainer that reads the same log comes to the same champion, and tells of nothing twice.
        await logged(bus, log, sent)
        before_restart = await rows_of(database_url)
        async with a_trainer(nats_server.url, database_url, config=config) as trainer:
            await wait_until(trainer.training.caught_up.is_set, 60)
            assert trainer.training.learner.champion_name == ended
        after = await rows_of(database_url)
        assert [(row["model"], row["role"]) for row in after] == (
            [(row["model"], row["role"]) for row in before_restart]
        )


async def test_a_model_is_promoted_by_the_beginning_of_its_name(
    nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    async with writing(database_url, bus) as log:
        await log.append(LINES)
        async with a_trainer(nats_server.url, database_url) as trainer:
            await wait_until(trainer.training.caught_up.is_set, 60)
            rows = await rows_of(database_url)
            first = rows[0]["model"]
            (champion,) = [row["model"] for row in rows if row["role"] == "champion"]
            assert first != champion
            status, told = await post(f"{trainer.url}/v1/models/{first[:12]}/promote")
            assert (status, told["model"], told["replaced"]) == (200, first, champion)

            async def served() -> bool:
                now = await champion_of(bus)
                return now is not None and now.model == first

            await wait_until(served)
            # And back: what it replaced is its predecessor.
            status, told = await post(trainer.url + "/v1/models/rollback")
            assert (status, told["model"]) == (200, champion)
            _, listed = await get(trainer.url + "/v1/models")
            by_hand = [decision for decision in listed["decisions"] if decision["reason"] == "by hand"]
            assert [decision["outcome"] for decision in by_hand] == ["roll_back", "promote"]


async def test_what_cannot_be_decided_is_a_problem_that_says_why(
    nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    async with writing(database_url, bus) as log, a_trainer(nats_server.url, database_url) as trainer:
        status, told = await post(trainer.url + "/v1/models/rollback")
        assert (status, told["code"]) == (409, "conflict")
        await log.append(LINES)
        await wait_until(lambda: trainer.training.sequence == len(LINES), 60)
        status, told = await post(trainer.url + "/v1/models/nothing-like-it/promote")
        assert status == 404
        assert "GET /v1/models" in told["detail"]
        champion = trainer.training.learner.champion_name
        assert champion is not None
        status, told = await post(f"{trainer.url}/v1/models/{champion}/promote")
        assert (status, "serves already" in told["detail"]) == (409, True)
        status, told = await post(f"{trainer.url}/v1/models/%20/promote")
        assert status == 404
