"""Snapshots save folding the log anew, and nothing else: with or without them the state is the same."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.servers.postgres import PostgresServer
from eddyline_contracts.subjects import SNAPSHOTS_BUCKET
from eddyline_eventlog.database import database
from eddyline_eventlog.memory import MemoryLog
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_feature_store.snapshots import Snapshots
from eddyline_runtime.bus import connected
from tests.support.a_log import a_click
from tests.support.database_log import writing
from tests.support.databases import a_database
from tests.support.service_process import a_process
from tests.support.serving import CONFIG, DATA, a_feature_store, fixture_log, fixture_view, folded
from tests.support.waiting import wait_until

VIEW = fixture_view()
AT = 1_736_200_000_000
LINES = (DATA / "events.jsonl").read_bytes().splitlines()


async def snapshots_of(client: Client, view: str = VIEW.id) -> dict[str, int]:
    """Place → log position of what lies in the bucket."""
    try:
        store = await client.jetstream().object_store(SNAPSHOTS_BUCKET)
        found = await store.list(ignore_deletes=True)
    except NotFoundError:
        return {}
    return {
        str(info.name): int(info.description or -1) for info in found if str(info.name).startswith(view + "/")
    }


async def spoil(client: Client, name: str, sequence: int) -> None:
    """Put garbage in the place of a snapshot."""
    store = await client.jetstream().object_store(SNAPSHOTS_BUCKET)
    headers = (await store.get_info(name)).headers
    meta = nats.js.api.ObjectMeta(name=name, description=str(sequence), headers=headers)
    await store.put(name, b"garbage" * 1_000, meta)


def more(log: MemoryLog, n: int, first: int = 0) -> None:
    """Append n clicks."""
    for k in range(first, first + n):
        log.append(a_click(f"i{k % 40}", at=AT + k, user=f"u{k % 30}"))


async def test_one_is_taken_every_so_many_events_and_two_are_kept(nats_server: NatsServer) -> None:
    log = fixture_log(100)
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log, snapshot_events=50) as store:
            for round_ in range(4):
                more(log, 60, first=60 * round_)
                end = await log.last()
                await wait_until(lambda end=end: store.fold.state.sequence == end)
                await wait_until(lambda: store.fold.unsaved < 50)
            kept = await snapshots_of(client)
            assert len(kept) == 2
            assert max(kept.values()) == end


async def test_a_restart_from_a_snapshot_gives_the_state_of_the_log(nats_server: NatsServer) -> None:
    log = fixture_log(300)
    async with a_feature_store(nats_server.url, log) as store:
        await wait_until(store.fold.caught_up.is_set)
    more(log, 200)
    async with connected(nats_server.url, "test") as client:
        restored = await Snapshots(client, VIEW, await log.identity()).newest_state(await log.last())
        assert restored is not None
        assert restored.sequence == 300
        async with a_feature_store(nats_server.url, log) as store:
            await wait_until(store.fold.caught_up.is_set)
            assert store.fold.state.snapshot() == (await folded(log, VIEW)).snapshot()


async def test_the_state_moves_on_while_a_snapshot_is_taken(nats_server: NatsServer) -> None:
    log = fixture_log(400)
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log, snapshot_events=400) as store:
            await wait_until(store.fold.snapshot_due.is_set)
            n = 400
            while not await snapshots_of(client):
                more(log, 5, first=n)
                n += 5
                await wait_until(lambda n=n: store.fold.state.sequence == n)
        positions = (await snapshots_of(client)).values()
        for position in positions:
            restored = await Snapshots(client, VIEW, await log.identity()).newest_state(position)
            assert restored is not None
            assert restored.snapshot() == (await folded(log, VIEW, until=position)).snapshot()
        assert len(set(positions)) == 2, "the last one is taken at the stop"


async def test_a_damaged_snapshot_gives_way_to_the_older_one_and_then_to_the_log(
    nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    log = fixture_log(200)
    async with connected(nats_server.url, "test") as client:
        for n in (100, 100):
            async with a_feature_store(nats_server.url, log) as store:
                await wait_until(store.fold.caught_up.is_set)
            more(log, n, first=await log.last())
        by_position = {position: name for name, position in (await snapshots_of(client)).items()}
        assert sorted(by_position) == [200, 300]
        snapshots = Snapshots(client, VIEW, await log.identity())
        await spoil(client, by_position[300], 300)
        restored = await snapshots.newest_state(await log.last())
        assert restored is not None
        assert restored.sequence == 200
        assert "a snapshot is not usable" in caplog.text
        await spoil(client, by_position[200], 200)
        assert await snapshots.newest_state(await log.last()) is None
        async with a_feature_store(nats_server.url, log) as store:
            await wait_until(store.fold.caught_up.is_set)
            assert store.fold.state.snapshot() == (await folded(log, VIEW)).snapshot()


async def test_a_snapshot_ahead_of_the_log_is_of_another_history(
    nats_server: NatsServer,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        connected(nats_server.url, "test") as client,
        database(database_url) as pool,
        writing(database_url, client) as writer,
    ):
        await writer.append(LINES[:300])
        log = PushedLog(PostgresLog(pool), client)
        async with a_feature_store(nats_server.url, log) as store:
            await wait_until(store.fold.caught_up.is_set)
        # The log as a backup would bring it back: the same one, at an earlier place.
        await pool.execute("DELETE FROM event_log WHERE sequence > 120; UPDATE log_cursor SET sequence = 120")
        async with a_feature_store(nats_server.url, log) as store:
            await wait_until(store.fold.caught_up.is_set)
            assert "ahead of the log" in caplog.text
            assert store.fold.state.snapshot() == (await folded(log, VIEW)).snapshot()


async def test_the_snapshot_of_another_log_is_passed_over_where_the_places_coincide(
    nats_server: NatsServer,
    database_url: str,
    postgres_server: PostgresServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected(nats_server.url, "test") as client, a_database(postgres_server) as other_url:
        for url, lines in ((database_url, LINES[:300]), (other_url, LINES[100:400])):
            async with database(url) as pool, writing(url, client) as writer:
                # The tests' databases are copies of one, and so is what tells their logs apart.
                await pool.execute("UPDATE log_cursor SET log_id = gen_random_uuid()::text")
                await writer.append(lines)
                log = PushedLog(PostgresLog(pool), client)
                async with a_feature_store(nats_server.url, log) as store:
                    await wait_until(store.fold.caught_up.is_set)
                    assert store.fold.state.snapshot() == (await folded(log, VIEW)).snapshot()
        assert caplog.text.count("the snapshot is of another log") == 1


async def test_snapshots_of_another_log_keep_none_of_this_one_from_being_taken(
    nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(nats_server.url, "test") as client:
        for n in (380, 400):
            async with a_feature_store(nats_server.url, fixture_log(n)) as store:
                await wait_until(store.fold.caught_up.is_set)
        log = fixture_log(400)
        own = Snapshots(client, VIEW, await log.identity())
        async with a_feature_store(nats_server.url, log, snapshot_events=400):
            assert caplog.text.count("the snapshot is of another log") == 2
            await wait_until(lambda: _is_taken(own))


async def _is_taken(snapshots: Snapshots) -> bool:
    state = await snapshots.newest_state(400)
    return state is not None and state.sequence == 400


async def test_the_snapshot_of_another_view_is_left_alone(nats_server: NatsServer, tmp_path: Path) -> None:
    other = tmp_path / "eddyline.yaml"
    other.write_text(CONFIG.read_text().replace("half_lives: [10m, forever]", "half_lives: [20m, forever]"))
    log = fixture_log(100)
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log) as store:
            await wait_until(store.fold.caught_up.is_set)
        before = await snapshots_of(client)
        async with a_feature_store(nats_server.url, log, config=other) as store:
            await wait_until(store.fold.caught_up.is_set)
            assert store.fold.state.view.id != VIEW.id
            other_view = store.fold.state.view.id
        assert await snapshots_of(client) == before
        assert list((await snapshots_of(client, other_view)).values()) == [100]


async def test_a_bucket_that_was_wiped_is_made_anew(nats_server: NatsServer) -> None:
    log = fixture_log(100)
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log, snapshot_events=50) as store:
            await wait_until(lambda: store.fold.unsaved < 50)
            await client.jetstream().delete_object_store(SNAPSHOTS_BUCKET)
            more(log, 60)
            await wait_until(lambda: store.fold.unsaved < 50 and store.fold.state.sequence == 160)
            assert 160 in (await snapshots_of(client)).values()


async def test_a_snapshot_that_cannot_be_written_is_said_and_stops_nothing(
    nats_server: NatsServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = fixture_log(100)
    async with connected(nats_server.url, "test") as client:
        async with a_feature_store(nats_server.url, log) as store:
            await wait_until(store.fold.caught_up.is_set)

            def breaks() -> bytes:
                raise MemoryError

            monkeypatch.setattr(store.fold.state, "snapshot", breaks)
            caplog.set_level(logging.WARNING)
        assert "no snapshot at the end: the copy ended with 1" in caplog.text
        assert await snapshots_of(client) == {}


async def test_killed_and_restored_it_has_the_state_of_the_log(
    nats_server: NatsServer, database_url: str, tmp_path: Path
) -> None:
    environ: dict[str, Any] = {
        "EDDYLINE_NATS_URL": nats_server.url,
        "EDDYLINE_DATABASE_URL": database_url,
        "EDDYLINE_CONFIG": str(CONFIG),
        "EDDYLINE_SNAPSHOT_EVENTS": "100",
    }
    lines = (DATA / "events.jsonl").read_bytes().splitlines()
    async with connected(nats_server.url, "test") as client, writing(database_url, client) as log:
        async with a_process("eddyline_feature_store", tmp_path, environ) as store:
            await store.ready()
            for start in range(0, 300, 20):
                await log.append(lines[start : start + 20])
            await wait_until(lambda: _some(client))
            store.kill()
            await log.append(lines[300:])
            store.restart()
            await store.ready()
            assert '"message":"restored"' in store.log
            # Its start was short: the tables are current, so that it needs none of what would change them.
            assert "/numba/" in store.maps
            assert "/sqlalchemy/" not in store.maps
            assert store.stop() == 0
        last = len(lines)
        async with database(database_url) as pool:
            log_id = await PostgresLog(pool).identity()
        restored = await Snapshots(client, VIEW, log_id).newest_state(last)
        assert restored is not None
        assert restored.sequence == last
    memory = MemoryLog()
    for line in lines:
        memory.append(line)
    expected = await folded(memory, VIEW)
    # The clocks of the two logs differ, but no event of the fixture is of the future.
    assert restored.snapshot() == expected.snapshot()


async def _some(client: Client) -> bool:
    return bool(await snapshots_of(client))
