"""A person promotes a model or rolls it back: every ranker serves it within 2 s, and the trainer goes on from there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import msgspec
import onnx
import pytest
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.bundle import Bundle, encode_bundle, model_name
from eddyline_learning.onnx_export import OUTPUT
from eddyline_runtime.bus import connected
from tests.support.database_log import DatabaseLog, writing
from tests.support.serving import CONFIG, a_ranker, inbox, make_inbox
from tests.support.training import (
    LINES,
    a_trainer,
    champion_of,
    execute,
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


async def inbox_has(bus: Client, text: str) -> bool:
    """Whether any event in the inbox names it."""
    return any(text.encode() in raw for raw in await inbox(bus))


def so_much_later(days: int) -> list[bytes]:
    """The log's events once more, as others: so many days later."""
    again = []
    for line in LINES:
        told = msgspec.json.decode(line)
        told["id"] = f"{days}-{told['id']}"
        if "ranking" in told:
            told["ranking"] = f"{days}-{told['ranking']}"
        if "slate" in told:
            told["slate"] = f"{days}-{told['slate']}"
        name = "occurred_at" if "occurred_at" in told else "timestamp"
        at = told[name]
        if isinstance(at, str) and not at.isdigit():
            at = datetime.fromisoformat(at).timestamp() * 1_000
        told[name] = int(at) + days * 86_400_000
        again.append(msgspec.json.encode(told))
    return again


def upside_down(bundle: Bundle) -> Bundle:
    """A model that orders everything the wrong way round."""
    model = onnx.load_from_string(bundle.onnx)
    for node in model.graph.node:
        node.output[:] = ["upright" if name == OUTPUT else name for name in node.output]
    model.graph.node.append(onnx.helper.make_node("Neg", ["upright"], [OUTPUT]))
    raw = model.SerializeToString(deterministic=True)
    return msgspec.structs.replace(bundle, model=model_name(raw), onnx=raw)


async def test_a_bad_champion_forced_by_hand_is_taken_back_within_three_cycles_and_the_story_is_told(
    tmp_path: Path, nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    config = tmp_path / "eddyline.yaml"
    # Nothing is promoted that was not shown to be good: what replaces the bad one is the roll-back.
    gate = "learn_every: 50\n  gate: {delta: 0.005, min_slates: 30}\n  #"
    declared = CONFIG.read_text().replace("learn_every: 40", gate)
    config.write_text(declared.replace("  gate: {delta: 1, min_slates: 10}\n", ""))
    more = [line for days in (1, 2) for line in so_much_later(days)]
    async with writing(database_url, bus) as log:
        await log.append(LINES)
        async with a_trainer(nats_server.url, database_url, config=config) as trainer:
            await wait_until(trainer.training.caught_up.is_set, 60)
            learner = trainer.training.learner
            newest = (await rows_of(database_url))[-1]["model"]
            assert (await post(f"{trainer.url}/v1/models/{newest}/promote"))[0] == 200
            await wait_until(lambda: inbox_has(bus, newest))
            sent = await logged(bus, log, 0)
            await wait_until(lambda: learner.champion_name == newest)
            good = learner.champion
            assert good is not None
            bad = upside_down(good)
            await execute(
                database_url,
                "INSERT INTO models SELECT (jsonb_populate_record(m, jsonb_build_object('model', $2::text, 'role', "
                "'challenger'))).* FROM models m WHERE model = $1",
                good.model,
                bad.model,
            )
            await execute(
                database_url, "UPDATE models SET bundle = $2 WHERE model = $1", bad.model, encode_bundle(bad)
            )
            status, told = await post(f"{trainer.url}/v1/models/{bad.model}/promote")
            assert (status, told["model"]) == (200, bad.model)

            await wait_until(lambda: inbox_has(bus, told["event"]))
            await logged(bus, log, sent)
            await wait_until(lambda: learner.champion_name == bad.model)
            await log.append(more)
            await wait_until(lambda: trainer.training.sequence > len(LINES) + len(more), 60)

            _, listed = await get(trainer.url + "/v1/models")
            changes = list(reversed(listed["changes"]))
            forced = next(k for k, change in enumerate(changes) if change["challenger"] == bad.model)
            assert changes[forced]["reason"] == "by hand"
            back = changes[forced + 1]
            assert (back["outcome"], back["challenger"], back["opponent"]) == (
                "roll_back",
                good.model,
                bad.model,
            )
            assert "fallen below" in back["reason"]
            assert back["lower"] > 0
            order = max(cycle["number"] for cycle in listed["cycles"] if cycle["outcome"] == "order")
            assert order < back["cut"] <= order + 3
            # And it is a fact in the log's inbox.
            await wait_until(lambda: inbox_has(bus, "fallen below the one before it"))


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
