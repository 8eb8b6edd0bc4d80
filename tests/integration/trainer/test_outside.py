"""A model that was made elsewhere, over real services: tried, told to the log, compared, and served if it is better."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np
import pytest
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.bundle import model_name
from eddyline_contracts.events import InteractionRecorded, ItemUpserted, SlateItem, SlateServed, encode
from eddyline_eventlog.memory import MemoryLog
from eddyline_learning.outside.trial import try_out
from eddyline_learning.outside.unfit import UnfitModel
from eddyline_runtime.bus import connected
from eddyline_trainer.sandbox import Limits, try_apart
from tests.support.database_log import writing
from tests.support.outside_models import a_network, as_bytes
from tests.support.serving import a_feature_store, a_ranker, inbox, make_inbox
from tests.support.training import a_trainer, champion_of, execute, get, promotions_of
from tests.support.waiting import wait_until

VIEW = """
view: made_up
actions:
  click: {weight: 1, gain: 1}
label_window: 1m
features:
  - {name: price, kind: number, field: item.price}
  - {name: asked, kind: relevancy}
learning:
  objective: rank
  trees: 1
  tail: 1
  extend_trees: 1
  leaves: 2
  min_slates: 40
  learn_every: 60
  gate: {min_slates: 60}
"""
COLUMNS = ["price", "asked"]
SLATE = 8
ROOM = Limits(us=50_000, seconds=20, megabytes=512)
BETTER = as_bytes(a_network(np.array([0.0, 1.0], np.float32)))
"""By what was asked for, as people choose."""
WORSE = as_bytes(a_network(np.array([0.0, -1.0], np.float32), seed=1))


def made_up_log(n_slates: int) -> list[bytes]:
    """People click what is nearest to what they asked for; no item is better than another for everybody."""
    rng = random.Random(7)
    items = [f"i{n}" for n in range(40)]
    events: list[Any] = [
        ItemUpserted(id=f"item-{item}", occurred_at=1_000, item=item, fields={"price": rng.uniform(1, 9)})
        for item in items
    ]
    for n in range(n_slates):
        at, user = 10_000 * (n + 1), f"u{n % 20}"
        shown = rng.sample(items, SLATE)
        asked = {item: rng.uniform(-2, 2) for item in shown}
        events.append(
            SlateServed(
                id=f"s{n}",
                occurred_at=at,
                user=user,
                items=[SlateItem(item=item, fields={"relevancy": asked[item]}) for item in shown],
            )
        )
        chosen = max(shown, key=lambda item: asked[item] + rng.gauss(0, 0.5))
        events.append(
            InteractionRecorded(id=f"c{n}", occurred_at=at + 100, user=user, item=chosen, slate=f"s{n}")
        )
    return [encode(event) for event in events]


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Client]:
    """A client of the test's own, with the log writer's stream in place."""
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        yield client


async def add(url: str, onnx: bytes, **query: str) -> tuple[int, Any]:
    """Status and body of a ``POST /v1/models``."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(url + "/v1/models", data=onnx, params=query) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def sending(url: str) -> asyncio.StreamWriter:
    """Somebody who has begun to send a model, and does not go on."""
    where = urlsplit(url)
    _, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(b"POST /v1/models HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\nsome")
    await writer.drain()
    return writer


async def test_a_better_model_from_outside_is_promoted_by_the_gate_and_served_and_a_worse_one_never(
    tmp_path: Path, nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(VIEW)
    lines = made_up_log(420)
    before, after = lines[:200], lines[200:]
    better, worse = model_name(BETTER), model_name(WORSE)
    in_memory = MemoryLog()
    for line in lines:
        in_memory.append(line)
    async with (
        writing(database_url, bus) as log,
        a_feature_store(nats_server.url, in_memory, config=config),
        a_ranker(nats_server.url, config=config) as ranker,
    ):
        await log.append(before)
        async with a_trainer(nats_server.url, database_url, config=config) as trainer:
            await wait_until(trainer.training.caught_up.is_set, 60)
            _, told = await get(trainer.url + "/v1/columns")
            assert (told["columns"], told["objective"]) == (COLUMNS, "rank")
            for onnx, name in ((BETTER, "better"), (WORSE, "worse")):
                status, told = await add(trainer.url, onnx, name=name, note="by hand")
                assert status == 200, told
                assert (told["model"], told["n_rows"] > 100) == (model_name(onnx), True)

            # The log writer's part: the log is told of both.
            async def told_of_both() -> bool:
                return sum(b'"model_added"' in raw for raw in await inbox(bus)) == 2

            await wait_until(told_of_both)
            await log.append([raw for raw in await inbox(bus) if b'"model_added"' in raw])
            learner = trainer.training.learner
            await wait_until(lambda: set(learner.waiting) == {better, worse})
            # Twice is once.
            status, told = await add(trainer.url, BETTER)
            assert (status, told["code"]) == (409, "conflict")
            last = await log.append(after)
            await wait_until(lambda: trainer.training.sequence == last, 60)
            assert learner.champion_name == better
            promoted = await promotions_of(database_url)
            (its,) = [row for row in promoted if (row["challenger"], row["outcome"]) == (better, "promote")]
            assert its["n"] >= 60
            assert its["lower"] > 0
            _, listed = await get(trainer.url + "/v1/models")
            became = {(d["challenger"], d["outcome"]) for d in listed["decisions"]}
            assert {(worse, "add"), (worse, "reject")} <= became
            assert (worse, "promote") not in became
            papers = {papers["model"]: papers for papers in listed["models"]}
            assert papers[better]["metrics"]["outside"]["name"] == "better"
            assert papers[worse]["role"] == "challenger"

            # A real ranker serves it.
            await wait_until(lambda: ranker.model == better, 30)
            wanted = [{"item": f"i{n}", "fields": {"relevancy": n / 10 - 1}} for n in range(20)]
            slate = await ranker.rank(wanted)
            assert slate["degraded"] == []
            assert slate["model"] == better
            assert [of["item"] for of in slate["items"]] == [f"i{n}" for n in reversed(range(20))]
            state, digest = learner.state, learner.digest

        # Who reads the log again comes to the same, from what is known and from nothing.
        for forget in ("SELECT 1", "DELETE FROM learning_cycles"):
            await execute(database_url, forget)
            async with a_trainer(nats_server.url, database_url, config=config) as trainer:
                await wait_until(trainer.training.caught_up.is_set, 60)
                again = trainer.training.learner
                assert (again.champion_name, again.state, again.digest) == (better, state, digest)
        now = await champion_of(bus)
        assert now is not None
        assert now.model == better


async def test_a_model_that_does_not_fit_is_a_problem_that_says_what_to_do(
    tmp_path: Path, nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(VIEW)
    async with (
        writing(database_url, bus),
        a_trainer(nats_server.url, database_url, config=config, added_model_bytes=100_000) as trainer,
    ):
        await wait_until(trainer.training.caught_up.is_set, 60)
        status, told = await add(trainer.url, b"not a model")
        assert (status, told["code"]) == (422, "unfit_model")
        assert "no ONNX file" in told["detail"]
        status, told = await add(trainer.url, as_bytes(a_network(np.ones(3, np.float32))))
        assert (status, "eddyline models columns" in told["detail"]) == (422, True)
        status, told = await add(trainer.url, b"x" * 100_001)
        assert (status, told["code"]) == (413, "too_large")
        assert "EDDYLINE_ADDED_MODEL_BYTES" in told["detail"]
        status, told = await add(trainer.url, BETTER, name="x" * 200)
        assert (status, "shorten it" in told["detail"]) == (422, True)
        for said in ("0", "-1", "x", "9" * 30):
            status, told = await get(f"{trainer.url}/v1/examples?slates={said}")
            assert (status, "whole number" in told["detail"]) == (422, True)
        # Whoever sends slowly takes a place; those who come when all are taken are told to come back.
        places = await asyncio.gather(*(sending(trainer.url) for _ in range(4)))
        try:

            async def is_full() -> bool:
                status, told = await add(trainer.url, b"not a model")
                return status == 503 and "places are taken" in told["detail"]

            await wait_until(is_full)
        finally:
            for writer in places:
                writer.close()

        async def has_room() -> bool:
            return (await add(trainer.url, b"not a model"))[0] == 422

        await wait_until(has_room)
        # Nothing is there, and nothing was told.
        assert (await get(trainer.url + "/v1/models"))[1]["models"] == []
        assert await inbox(bus) == []


async def test_a_file_that_takes_too_much_breaks_its_own_process_only() -> None:
    rows = np.zeros((10, 2), np.float32)
    fits = await try_apart(BETTER, COLUMNS, rows, ROOM)
    assert fits.opset == try_out(BETTER, COLUMNS, rows, at_most_us=50_000).opset
    # Weights of 64 MiB are fine in themselves; in 32 MiB they are not.
    large = as_bytes(a_network(np.zeros(2, np.float32), hidden=4_000_000))
    with pytest.raises(UnfitModel, match=r"make it smaller|cannot load it|does not run"):
        await try_apart(large, COLUMNS, rows, Limits(us=10**9, seconds=20, megabytes=32))
    # Endless, by the measure of what is allowed.
    with pytest.raises(UnfitModel, match="took over 1 s"):
        await try_apart(large, COLUMNS, rows, Limits(us=10**9, seconds=1, megabytes=4_096))
