"""From a log to a champion that rankers find on the bus; and back to the same one after any loss."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from nats.aio.client import Client
from prometheus_client import REGISTRY

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.servers.postgres import PostgresServer
from eddyline_contracts.subjects import BUNDLES_BUCKET, CHAMPION_KEY, INBOX_STREAM, MODELS_BUCKET
from eddyline_runtime.bus import connected
from eddyline_trainer.service import RunningTrainer
from tests.support.database_log import writing
from tests.support.databases import a_database
from tests.support.service_process import a_process
from tests.support.serving import CONFIG, inbox, make_inbox
from tests.support.training import (
    LINES,
    a_trainer,
    bundle_of,
    champion_of,
    execute,
    get,
    promotions_in,
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


@asynccontextmanager
async def trained(nats_url: str, database_url: str, **settings: Any) -> AsyncIterator[RunningTrainer]:
    """A trainer that has read the whole log and told the bus of the champion."""
    async with (
        connected(nats_url, "look") as client,
        a_trainer(nats_url, database_url, **settings) as trainer,
    ):
        await wait_until(trainer.training.caught_up.is_set, 60)

        async def told() -> bool:
            champion = await champion_of(client)
            return champion is not None and champion.model == trainer.training.learner.champion_name

        await wait_until(told)
        yield trainer


async def test_a_log_of_events_becomes_a_champion_on_the_bus(
    nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    async with a_trainer(nats_server.url, database_url) as trainer, writing(database_url, bus) as log:
        assert await champion_of(bus) is None
        for at in range(0, len(LINES), 60):
            last = await log.append(LINES[at : at + 60])
        await wait_until(lambda: trainer.training.sequence == last, 60)
        rows, promoted = await rows_of(database_url), await promotions_of(database_url)
        assert len(promoted) >= 2
        assert {row["model"] for row in rows if row["role"] != "challenger"} == (
            {row["challenger"] for row in promoted}
        )
        (newest,) = [row for row in rows if row["role"] == "champion"]
        assert newest["model"] == promoted[-1]["challenger"]
        for row in promoted:
            assert row["outcome"] == "promote"
            assert row["n"] >= 10
            assert row["lower"] >= -row["delta"]

        async def served() -> bool:
            champion = await champion_of(bus)
            return champion is not None and champion.model == newest["model"]

        await wait_until(served)
        champion = await champion_of(bus)
        assert champion is not None
        assert (champion.view, champion.parent) == (
            trainer.training.learner.view.id,
            promoted[-2]["challenger"],
        )
        assert champion.promoted_at == newest["promoted_at"]
        bundle = await bundle_of(bus, champion.model)
        assert bundle == trainer.training.learner.champion
        await wait_until(lambda: enough_told(bus, len(promoted)))
        assert [event.model for event in await promotions_in(bus)] == sorted(
            row["challenger"] for row in promoted
        )

        status, told = await get(trainer.url + "/v1/models")
        assert status == 200
        assert {model["model"] for model in told["models"]} == {row["model"] for row in rows}
        (first,) = [model for model in told["models"] if model["role"] == "champion"]
        assert first["metrics"]["decision"]["outcome"] == "promote"
        assert told["models"][0]["metrics"]["ndcg@10"]["champion"]["n"] > 0
        assert "promote" in {decision["outcome"] for decision in told["decisions"]}
        cost = told["cycles"][-1]["cost"]
        assert {"fold", "gate", "train", "export", "verify"} == set(cost["wall_seconds"])
        assert cost["peak_memory_bytes"] > 50e6
        assert cost["joules"] > 0
        assert cost["joules_by"] in ("rapl", "cpu_seconds x 10 W")
        status, health = await get(trainer.url + "/health/ready")
        assert (status, health["details"]["sequence"]) == (200, last)


async def an_empty_inbox(bus: Client) -> None:
    """Without memory of ids either, so that whatever is sent again can be seen."""
    await bus.jetstream().delete_stream(INBOX_STREAM)
    await make_inbox(bus)


def has_read(trainer: RunningTrainer, sequence: int) -> Callable[[], bool]:
    """Whether all is done up to this place."""

    def condition() -> bool:
        return trainer.training.sequence == sequence

    return condition


def looked() -> float:
    """How often the announcer of this process has looked at the bus."""
    return REGISTRY.get_sample_value("eddyline_trainer_bus_checks_total") or 0.0


async def enough_told(bus: Client, n: int) -> bool:
    return len(await inbox(bus)) >= n


async def test_a_restart_makes_nothing_anew_and_promotes_nothing_twice(
    nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    async with writing(database_url) as log:
        await log.append(LINES)
        async with trained(nats_server.url, database_url):
            rows, promoted = await rows_of(database_url), await promotions_of(database_url)
            await wait_until(lambda: enough_told(bus, len(promoted)))
        keys = await bus.jetstream().key_value(MODELS_BUCKET)
        revision = (await keys.get(CHAMPION_KEY)).revision
        # What the log writer does with what the inbox was told.
        await log.append(await inbox(bus))
        await an_empty_inbox(bus)
        async with trained(nats_server.url, database_url) as trainer:
            assert trainer.training.learner.champion_name == promoted[-1]["challenger"]
            looks = looked()
            await wait_until(lambda: looked() >= looks + 2)
        assert await rows_of(database_url) == rows
        assert await inbox(bus) == [], "the log has the promotions: nothing to tell"
        keys = await bus.jetstream().key_value(MODELS_BUCKET)
        assert (await keys.get(CHAMPION_KEY)).revision == revision


async def test_what_a_bus_has_forgotten_it_is_told_again_while_the_trainer_runs_and_when_it_starts(
    tmp_path: Path, nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    async with writing(database_url) as log:
        await log.append(LINES)
        async with trained(nats_server.url, database_url):
            before = await champion_of(bus)
            assert before is not None
            bundle = await bundle_of(bus, before.model)
            await bus.jetstream().delete_stream(f"KV_{MODELS_BUCKET}")
            await bus.jetstream().delete_stream(f"OBJ_{BUNDLES_BUCKET}")

            async def again() -> bool:
                return await champion_of(bus) == before

            await wait_until(again)
            assert await bundle_of(bus, before.model) == bundle
        await bus.jetstream().delete_stream(f"KV_{MODELS_BUCKET}")
        await bus.jetstream().delete_stream(f"OBJ_{BUNDLES_BUCKET}")
        rows = await rows_of(database_url)
        async with trained(nats_server.url, database_url):
            assert await champion_of(bus) == before
            assert await bundle_of(bus, before.model) == bundle
        assert await rows_of(database_url) == rows


async def test_the_same_log_gives_the_same_bytes_to_two_trainers_that_read_it_in_different_pieces(
    nats_server: NatsServer, postgres_server: PostgresServer, bus: Client
) -> None:
    found = []
    for n_events in (len(LINES), 23):
        async with a_database(postgres_server) as url, writing(url, bus) as log:
            async with a_trainer(nats_server.url, url) as trainer:
                for at in range(0, len(LINES), n_events):
                    last = await log.append(LINES[at : at + n_events])
                await wait_until(has_read(trainer, last), 60)
            found.append([(row["model"], row["bundle"]) for row in await rows_of(url)])
    assert len(found[0]) >= 2
    assert found[1] == found[0]


UNDONE = ("no cycle", "no bundle", "no key", "no event")


@pytest.mark.parametrize("undone", UNDONE)
async def test_a_trainer_that_died_between_two_steps_goes_on_from_there(
    undone: str, nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    js = bus.jetstream()
    async with writing(database_url) as log:
        await log.append(LINES)
        async with trained(nats_server.url, database_url):
            rows, promoted = await rows_of(database_url), await promotions_of(database_url)
            await wait_until(lambda: enough_told(bus, len(promoted)))
        # As if the last promotion had got no further than this: steps are undone from the last one back.
        last, before = promoted[-1], promoted[-2]["challenger"]
        newest = last["challenger"]
        told = [raw for raw in await inbox(bus) if last["event_id"].encode() not in raw]
        await log.append(told)
        await an_empty_inbox(bus)
        if undone != "no event":
            await js.delete_stream(f"KV_{MODELS_BUCKET}")
        if undone in ("no cycle", "no bundle"):
            await (await js.object_store(BUNDLES_BUCKET)).delete(newest)
        if undone == "no cycle":
            for sql in (
                "DELETE FROM models WHERE (metrics #>> '{cut,number}')::int >= $1",
                "DELETE FROM gate_decisions WHERE cut >= $1",
                "DELETE FROM learning_cycles WHERE number >= $1",
            ):
                await execute(database_url, sql, last["cut"])
            await execute(
                database_url,
                "UPDATE models SET promoted_at = NULL, decided_at = NULL, predecessor = NULL, role = 'challenger', "
                "metrics = (metrics::jsonb - 'decision')::json WHERE model = $1",
                newest,
            )
            await execute(database_url, "UPDATE models SET role = 'champion' WHERE model = $1", before)
        async with trained(nats_server.url, database_url):
            await wait_until(lambda: enough_told(bus, 1))
            (event,) = await promotions_in(bus)
            assert (event.id, event.model, event.parent) == (last["event_id"], newest, before)
            assert (await bundle_of(bus, newest)).model == newest
    healed = await rows_of(database_url)
    assert [timeless(row) for row in healed] == [timeless(row) for row in rows]
    assert await promotions_of(database_url) == promoted


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the times at which it was written."""
    return {name: value for name, value in row.items() if name not in ("promoted_at", "created_at")}


async def test_killed_at_any_moment_it_ends_with_the_models_of_an_undisturbed_run(
    tmp_path: Path, nats_server: NatsServer, postgres_server: PostgresServer, bus: Client
) -> None:
    async with a_database(postgres_server) as url, writing(url, bus) as log:
        await log.append(LINES)
        async with trained(nats_server.url, url):
            expected = [(row["model"], row["bundle"], row["role"]) for row in await rows_of(url)]
    async with a_database(postgres_server) as url, writing(url, bus) as log:
        await log.append(LINES)
        environ = {
            "EDDYLINE_NATS_URL": nats_server.url,
            "EDDYLINE_DATABASE_URL": url,
            "EDDYLINE_CONFIG": str(CONFIG),
            "EDDYLINE_ANNOUNCE_EVERY_MS": "50",
            "EDDYLINE_NICE": "0",
        }
        async with a_process("eddyline_trainer", tmp_path, environ) as trainer:
            for n_rows in range(1, len(expected)):
                # Killed as soon as a row is there: its promotion, and all that follows, may or may not be.
                await wait_until(at_least(url, n_rows), 60)
                trainer.kill()
                trainer.restart()
            await trainer.ready(60)
            await wait_until(at_least(url, len(expected)), 60)
            assert [(row["model"], row["bundle"], row["role"]) for row in await rows_of(url)] == expected
            assert trainer.stop() == 0


async def test_told_to_stop_while_it_trains_it_stops_at_once_and_cleanly(
    tmp_path: Path, nats_server: NatsServer, database_url: str
) -> None:
    endless = tmp_path / "eddyline.yaml"
    text = CONFIG.read_text().replace("trees: 20", "trees: 10_000").replace("leaves: 7", "leaves: 500")
    endless.write_text(text.replace("min_data_in_leaf: 5", "min_data_in_leaf: 1"))
    async with writing(database_url) as log:
        await log.append(LINES)
    environ = {
        "EDDYLINE_NATS_URL": nats_server.url,
        "EDDYLINE_DATABASE_URL": database_url,
        "EDDYLINE_CONFIG": str(endless),
        "EDDYLINE_NICE": "0",
    }
    async with a_process("eddyline_trainer", tmp_path, environ) as trainer:

        async def examples() -> bool:
            return await sample(trainer.url, "eddyline_trainer_cycle_seconds_total") > 0

        await wait_until(examples, 60)
        assert (await get(trainer.url + "/health/live"))[0] == 200
        began = time.monotonic()
        assert trainer.stop() == 0
        assert time.monotonic() - began < 5
    assert await rows_of(database_url) == []


async def sample(url: str, name: str) -> float:
    """A metric of a service that may not be up yet; 0 until it is."""
    try:
        async with aiohttp.ClientSession() as http, http.get(url + "/metrics") as answer:
            text = await answer.text()
    except aiohttp.ClientError:
        return 0.0
    found = [line for line in text.splitlines() if line.startswith(name)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


def at_least(url: str, n_rows: int) -> Callable[[], Awaitable[bool]]:
    """Whether the registry has so many models."""

    async def condition() -> bool:
        return len(await rows_of(url)) >= n_rows

    return condition


async def test_a_new_view_takes_over_when_it_has_caught_up_and_not_with_its_models_of_the_past(
    tmp_path: Path, nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    other = tmp_path / "eddyline.yaml"
    text = (
        CONFIG.read_text().replace("view: fixture", "view: newer").replace("min_slates: 60", "min_slates: 30")
    )
    other.write_text(text)
    async with writing(database_url) as log:
        await log.append(LINES)
        async with trained(nats_server.url, database_url):
            old = await champion_of(bus)
            assert old is not None
        async with a_trainer(nats_server.url, database_url, config=other) as trainer:
            await wait_until(trainer.training.caught_up.is_set, 60)
            newest = trainer.training.learner.champion_name
            assert newest is not None

            async def taken_over() -> bool:
                champion = await champion_of(bus)
                return champion is not None and champion.model == newest

            await wait_until(taken_over)
        rows = await rows_of(database_url)
        of_new = [row for row in rows if row["view"].startswith("newer-")]
        assert len(of_new) >= 2
        assert [row["model"] for row in of_new if row["promoted_at"] is not None] == [newest]
        assert sum(row["role"] == "champion" for row in rows) == 1
        # Back again: the old view's model was promoted before, and now is once more. Both are facts, each with its id.
        async with trained(nats_server.url, database_url):

            async def told_twice() -> bool:
                return [event.model for event in await promotions_in(bus)].count(old.model) == 2

            await wait_until(told_twice)


async def test_what_is_remembered_of_another_log_is_forgotten_and_found_again(
    nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    async with writing(database_url) as log:
        await log.append(LINES)
        async with trained(nats_server.url, database_url):
            rows, promoted = await rows_of(database_url), await promotions_of(database_url)
        await execute(database_url, "UPDATE learning_cycles SET sequence = sequence + 1 WHERE number = 2")
        async with trained(nats_server.url, database_url) as trainer:
            assert trainer.training.learner.champion_name == promoted[-1]["challenger"]
        assert await rows_of(database_url) == rows


async def test_models_that_are_compared_but_gone_are_made_again(
    nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    n_first = len(LINES) * 3 // 4
    async with writing(database_url, bus) as log:
        await log.append(LINES[:n_first])
        async with trained(nats_server.url, database_url):
            rows = await rows_of(database_url)
        assert len(rows) >= 2
        await execute(database_url, "DELETE FROM models WHERE role <> 'champion'")
        async with a_trainer(nats_server.url, database_url) as trainer:
            await log.append(LINES[n_first:])
            await wait_until(has_read(trainer, len(LINES)), 60)
            contenders = trainer.training.learner.contenders
        again = await rows_of(database_url)
    made = [(row["model"], row["bundle"]) for row in rows]
    assert [(row["model"], row["bundle"]) for row in again][: len(made)] == made
    assert set(contenders) <= {row["model"] for row in again}


async def test_models_cannot_be_listed_while_the_database_is_away_and_are_afterwards(
    nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    async with a_trainer(nats_server.url, database_url) as trainer:
        assert await get(trainer.url + "/v1/models") == (
            200,
            {"models": [], "changes": [], "decisions": [], "cycles": []},
        )
        # By then it has read the cycles that are known, and reads them no more.
        await wait_until(trainer.training.caught_up.is_set)
        conn = await asyncpg.connect(database_url)
        # One that only the list reads: the announcer looks at models and decisions all the time.
        await conn.execute("ALTER TABLE learning_cycles RENAME TO elsewhere")
        status, _ = await get(trainer.url + "/v1/models")
        assert status == 500
        await conn.execute("ALTER TABLE elsewhere RENAME TO learning_cycles")
        await conn.close()
        assert (await get(trainer.url + "/v1/models"))[0] == 200
