"""Replicas share the questions and agree: at the same place of the log they give the same bytes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from nats.aio.client import Client

from eddyline_cli.readings import read
from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.subjects import SNAPSHOTS_BUCKET, vectors_subject
from eddyline_contracts.vectors import VectorsAnswer, VectorsRequest, decode_answer, encode
from eddyline_runtime.bus import connected
from tests.support.database_log import DatabaseLog, writing
from tests.support.service_process import ServiceProcess, a_process
from tests.support.serving import CONFIG, a_feature_store, fixture_log, fixture_view
from tests.support.training import LINES
from tests.support.waiting import wait_until

VIEW = fixture_view()
SUBJECT = vectors_subject(VIEW.id)
AT = 1_836_200_000_000
"""After all events, so that every answer is of the same time."""
AT_ONCE = 8


async def ask(client: Client, user: str, min_sequence: int = 0) -> VectorsAnswer:
    items = [f"i{k}" for k in range(60)]
    question = VectorsRequest(user, f"x{user}", items, at=AT, min_sequence=min_sequence, wait_ms=5_000)
    return decode_answer((await client.request(SUBJECT, encode(question), timeout=6)).data)


async def append(log: DatabaseLog, lines: list[bytes]) -> int:
    """A few at a time, so that questions come at many places of the log."""
    last = 0
    for at in range(0, len(lines), 3):
        last = await log.append(lines[at : at + 3])
        await asyncio.sleep(0)
    return last


async def answers_of(store: ServiceProcess) -> float:
    """How many questions a replica has answered."""
    async with aiohttp.ClientSession() as http:
        told = await read(http, store.url)
    return sum(told.by("outcome", "eddyline_vectors_answers_total").values())


async def test_two_replicas_answer_in_turn_and_give_equal_bytes_at_equal_places(
    nats_server: NatsServer, database_url: str, tmp_path: Path
) -> None:
    environ = {
        "EDDYLINE_NATS_URL": nats_server.url,
        "EDDYLINE_DATABASE_URL": database_url,
        "EDDYLINE_CONFIG": str(CONFIG),
    }
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
    async with connected(nats_server.url, "test") as client, writing(database_url, client) as log:
        # One folds the log from its beginning, the other goes on from a snapshot.
        await append(log, LINES[:200])
        async with a_process("eddyline_feature_store", folders[0], environ) as leaves_a_snapshot:
            await leaves_a_snapshot.ready()
            assert leaves_a_snapshot.stop() == 0
        again = {**environ, "EDDYLINE_SNAPSHOT_EVENTS": "100"}
        async with (
            a_process("eddyline_feature_store", folders[0], again) as one,
            a_process("eddyline_feature_store", folders[1], environ) as two,
        ):
            await asyncio.gather(one.ready(), two.ready())
            assert '"message":"restored"' in one.log
            rest, last = LINES[200:], 0
            found: dict[tuple[str, int], set[bytes]] = {}
            n_compared = 0
            # A few events for every few questions: they come at many places of the log, however fast either side is.
            share = -(-len(rest) // 60)
            for k in range(60):
                user, more = f"u{k % 10}", rest[k * share : (k + 1) * share]
                asked = asyncio.gather(*(ask(client, user) for _ in range(AT_ONCE)))
                if more:
                    last = await append(log, more)
                for answer in await asked:
                    seen = found.setdefault((user, answer.sequence), set())
                    n_compared += bool(seen)
                    seen.add(answer.vectors + answer.priors)
            answers = [await ask(client, "u1", last) for _ in range(40)]
            assert {(answer.sequence, answer.stale) for answer in answers} == {(last, False)}
            assert len({answer.vectors + answer.priors for answer in answers}) == 1
            assert all(len(seen) == 1 for seen in found.values())
            assert n_compared > 100
            assert len({sequence for _, sequence in found}) > 5
            shares = await asyncio.gather(answers_of(one), answers_of(two))
            assert sum(shares) == 60 * AT_ONCE + 40
            assert min(shares) > 0.3 * sum(shares)


async def stored(client: Client) -> tuple[set[str], set[str]]:
    """The chunks in the bucket, and those that a snapshot is made of."""
    js = client.jetstream()
    store = await js.object_store(SNAPSHOTS_BUCKET)
    prefix = f"$O.{SNAPSHOTS_BUCKET}.C."
    info = await js.stream_info(f"OBJ_{SNAPSHOTS_BUCKET}", subjects_filter=f"{prefix}>")
    used = {f"{prefix}{one.nuid}" for one in await store.list(ignore_deletes=True)}
    return set(info.state.subjects or ()), used


async def test_of_two_replicas_one_takes_the_snapshot_and_nothing_is_left_over(
    nats_server: NatsServer,
) -> None:
    log = fixture_log(50)
    async with connected(nats_server.url, "test") as client:
        async with (
            a_feature_store(nats_server.url, log, snapshot_events=100) as one,
            a_feature_store(nats_server.url, log, snapshot_events=100) as two,
        ):
            await wait_until(lambda: one.fold.caught_up.is_set() and two.fold.caught_up.is_set())
            for at in range(50, 450, 100):
                for line in LINES[at : at + 100]:
                    log.append(line)
                end = await log.last()
                await wait_until(lambda end=end: one.fold.state.sequence == two.fold.state.sequence == end)
                await wait_until(
                    lambda: not one.fold.snapshot_due.is_set() and not two.fold.snapshot_due.is_set()
                )
            chunks, used = await stored(client)
            assert chunks == used
            assert len(used) == 2


async def test_what_an_upload_left_behind_is_taken_away_once_nothing_comes_of_it_any_more(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = fixture_log(50)
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log, snapshot_events=10) as store:
            await wait_until(lambda: store.fold.caught_up.is_set() and store.fold.unsaved < 10)
            for n, leftover in enumerate(("young", "old")):
                await client.jetstream().publish(f"$O.{SNAPSHOTS_BUCKET}.C.{leftover}", b"x" * 1_000)
                if leftover == "old":
                    monkeypatch.setattr("eddyline_feature_store.leftovers.FORSAKEN", timedelta(0))
                for line in LINES[50 + 20 * n : 70 + 20 * n]:
                    log.append(line)
                end = await log.last()
                await wait_until(lambda end=end: store.fold.state.sequence == end)
                await wait_until(lambda: store.fold.unsaved < 10)
                chunks, used = await stored(client)
                assert len(chunks - used) == (leftover == "young")
