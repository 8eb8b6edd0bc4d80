"""The log writer against real servers: every message decided once, in order, whatever it is and whoever sent it."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, aclosing

import aiohttp
import pytest
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.record import Batch, Record, sequence_of
from eddyline_contracts.subjects import EVENT_ID, RECEIVED_AT
from eddyline_eventlog.admission import Admitted, admit
from eddyline_eventlog.appending import Appender, Unstorable, WriterReplaced
from eddyline_eventlog.database import database
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_ingest.log_writer.service import RunningLogWriter, running
from eddyline_ingest.log_writer.settings import LogWriterSettings
from eddyline_ingest.log_writer.streams import UnusableInbox, nanoseconds
from eddyline_runtime.bus import connected
from tests.support.inbox import a_log_writer, inbox_epoch, is_ready, metric, published, rejected, rows_of
from tests.support.serving import DATA, fixture_view, folded
from tests.support.waiting import wait_until

FIXTURE = (DATA / "events.jsonl").read_bytes().splitlines()


def a_user(name: str) -> bytes:
    return b'{"type":"user","id":"%s","user":"u"}' % name.encode()


async def test_events_published_by_any_service_reach_the_log_in_their_order(
    nats_server: NatsServer, database_url: str
) -> None:
    slate = b'{"type":"slate","id":"s","user":"u","items":[{"item":"i"}],"features_sequence":3,"ranked_at":5}'
    async with (
        a_log_writer(nats_server.url, database_url),
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
    ):
        for payload in (a_user("a"), slate, a_user("b")):
            await published(bus, payload)
        await rows.reached(1, 3)
        log = await rows.all()
        assert [record.event_id for record in log] == ["a", "s", "b"]
        assert [record.type for record in log] == ["user", "slate", "user"]
        assert [record.sequence for record in log] == [sequence_of(1, n) for n in (1, 2, 3)]
        assert [record.payload for record in log] == [a_user("a"), slate, a_user("b")]
        assert all(record.received_at == record.recorded_at for record in log)


async def test_garbage_on_the_bus_goes_to_rejected_and_nothing_stops(
    nats_server: NatsServer, database_url: str
) -> None:
    head = b'{"type":"item","id":"e","item":"i","more":'
    garbage = {
        b"": "malformed",
        b"\x00": "malformed",
        b"no json": "malformed",
        b"[]": "malformed",
        head + b'"\xff"}': "malformed",
        head + b'"a\x00b"}': "malformed",
        head + b"[" * 100_000 + b"]" * 100_000 + b"}": "malformed",
        head + b'"' + b"x" * 2_000_000 + b'"}': "event_too_large",
        head + b'"' + b"x" * 40_000 + b'"}': "string_too_long",
        b'{"type":"order","id":"e"}': "unknown_type",
        b'{"type":"user","user":"u"}': "missing_id",
        b'{"type":"user","id":"a\\u0000b","user":"u"}': "invalid",
        b'{"type":"user","id":"e","user":"u","v":99}': "unknown_version",
    }
    kept = b'{"type":"user","id":"nul","user":"u\\u0000","more":[1e400,-0.0,"\\u0000"]}'
    async with (
        a_log_writer(nats_server.url, database_url) as writer,
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
    ):
        before = await metric(writer.url, 'eddyline_log_refused_total{code="malformed"}')
        await published(bus, a_user("first"))
        for payload in garbage:
            await published(bus, payload)
        await published(bus, kept)
        await rows.reached(1, len(garbage) + 2)
        assert [record.payload for record in await rows.all()] == [a_user("first"), kept]
        copies = await rejected(bus)
        assert {copy.payload: copy.code for copy in copies} == garbage
        assert len(copies) == len(garbage)
        assert all(copy.reason and copy.origin == "events.any" for copy in copies)
        n_malformed = list(garbage.values()).count("malformed")
        assert (
            await metric(writer.url, 'eddyline_log_refused_total{code="malformed"}') == before + n_malformed
        )


async def test_a_deleted_stream_of_refused_events_is_made_again_and_nothing_stops(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        a_log_writer(nats_server.url, database_url),
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
    ):
        await bus.jetstream().delete_stream("REJECTED")
        for payload in (b"no json", a_user("a")):
            await published(bus, payload)
        await rows.reached(1, 2)
        assert await rows.ids() == ["a"]
        (copy,) = await rejected(bus)
        assert copy.payload == b"no json"


async def test_a_refused_message_of_the_largest_size_that_the_bus_takes_is_kept_cut_short(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        a_log_writer(nats_server.url, database_url),
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
    ):
        largest = b"x" * (bus.max_payload - 200)
        await published(bus, largest)
        await published(bus, a_user("a"))
        await rows.reached(1, 2)
        (copy,) = await rejected(bus)
        assert copy.headers["Eddyline-Truncated"] == str(len(largest))
        assert largest.startswith(copy.payload)


async def test_headers_of_ingest_give_the_id_and_the_time_of_receipt(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        a_log_writer(nats_server.url, database_url),
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
    ):
        headers = {EVENT_ID: "my%20id", RECEIVED_AT: "1795488060123"}
        await bus.request("events.user", b'{"type":"user","user":"u"}', headers=headers)
        await rows.reached(1, 1)
        (record,) = await rows.all()
        assert (record.event_id, record.received_at) == ("my id", 1_795_488_060_123)


async def test_a_duplicate_after_the_window_of_the_bus_changes_neither_log_nor_vectors(
    nats_server: NatsServer, database_url: str
) -> None:
    view = fixture_view()
    events = [(str(json.loads(line)["id"]), line) for line in FIXTURE[:300]]
    async with (
        a_log_writer(nats_server.url, database_url, duplicate_window_s=2.0) as writer,
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
        database(database_url) as pool,
    ):
        for name, line in events:
            await published(bus, line, event_id=name)
        last_name, last_line = events[-1]
        assert await published(bus, last_line, event_id=last_name) == len(events)
        await rows.reached(1, len(events))
        before, state = await rows.all(), await folded(PostgresLog(pool), view)
        assert len(before) == len(events)
        n_duplicates = await metric(writer.url, "eddyline_log_duplicates_total")

        async def forgotten() -> bool:
            return await published(bus, last_line, event_id=last_name) > len(events)

        await wait_until(forgotten)
        for name, line in events[:-1]:
            assert await published(bus, line, event_id=name) > len(events)
        await rows.reached(1, 2 * len(events))
        assert await rows.all() == before
        assert await metric(writer.url, "eddyline_log_duplicates_total") == n_duplicates + len(events)
        again = await folded(PostgresLog(pool), view)
    assert (state.sequence, again.sequence) == (
        sequence_of(1, len(events)),
        sequence_of(1, 2 * len(events)),
    )
    items = [f"i{k}" for k in range(40)]
    at = state.time_of(None, 0)
    vectors = state.vectors("u1", "x1", items, None, {}, at)
    assert again.vectors("u1", "x1", items, None, {}, at).tobytes() == vectors.tobytes()
    # Duplicates have a place in the log, and that is all that they leave.
    state.advance(again.sequence)
    assert again.snapshot() == state.snapshot()


async def test_followers_are_pushed_what_was_committed(nats_server: NatsServer, database_url: str) -> None:
    async with (
        a_log_writer(nats_server.url, database_url),
        connected(nats_server.url, "test") as bus,
        database(database_url) as pool,
        # Deaf to silence, so that what comes was pushed.
        aclosing(PushedLog(PostgresLog(pool), bus, silence_s=60).follow(0)) as following,
    ):
        first = asyncio.ensure_future(anext(following))
        await wait_until(lambda: "log.committed" in [s.subject for s in bus._subs.values()])
        await published(bus, a_user("a"))
        assert [record.event_id for record in (await asyncio.wait_for(first, 5)).records] == ["a"]
        await published(bus, b"no event")
        batch: Batch = await asyncio.wait_for(anext(following), 5)
        assert (batch.previous, batch.last, batch.records) == (sequence_of(1, 1), sequence_of(1, 2), [])


async def test_a_stream_that_was_deleted_comes_back_as_the_next_epoch(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        a_log_writer(nats_server.url, database_url) as writer,
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
        database(database_url) as pool,
        aclosing(PushedLog(PostgresLog(pool), bus).follow(0)) as following,
    ):
        for n in range(5):
            await published(bus, a_user(f"a{n}"))
        await rows.reached(1, 5)
        await bus.jetstream().delete_stream("EVENTS")
        await wait_until(lambda: _is_of(bus, "2"))
        await wait_until(lambda: is_ready(writer.url))
        # One that the log has, and a new one.
        await published(bus, a_user("a0"))
        await published(bus, a_user("b"))
        await rows.reached(2, 2)
        log = await rows.all()
        assert [record.event_id for record in log] == ["a0", "a1", "a2", "a3", "a4", "b"]
        assert log[-1].sequence == sequence_of(2, 2)
        at = 0
        while at < sequence_of(2, 2):
            batch = await asyncio.wait_for(anext(following), 5)
            assert batch.previous == at
            at = batch.last


async def test_a_log_made_anew_takes_over_the_living_stream_with_its_epoch(
    nats_server: NatsServer, database_url: str
) -> None:
    async with connected(nats_server.url, "test") as bus, rows_of(database_url) as rows:
        async with a_log_writer(nats_server.url, database_url):
            await published(bus, a_user("a"))
            await rows.reached(1, 1)
            await bus.jetstream().delete_stream("EVENTS")
            await wait_until(lambda: _is_of(bus, "2"))
            await published(bus, a_user("b"))
            await rows.reached(2, 1)
        await rows.conn.execute(
            "TRUNCATE event_log, event_ids; "
            "UPDATE log_cursor SET sequence = 0, epoch = 0, stream_created = NULL, recorded_ns = NULL, fence = 0"
        )
        async with a_log_writer(nats_server.url, database_url):
            await published(bus, a_user("c"))
            await rows.reached(2, 2)
            assert [(r.sequence, r.event_id) for r in await rows.all()] == [
                (sequence_of(2, 1), "b"),
                (sequence_of(2, 2), "c"),
            ]


async def _is_of(bus: Client, epoch: str) -> bool:
    return await inbox_epoch(bus) == epoch


async def test_a_log_restored_to_an_earlier_place_reads_on_and_ends_the_same(
    nats_server: NatsServer, database_url: str
) -> None:
    async with connected(nats_server.url, "test") as bus, rows_of(database_url) as rows:
        async with a_log_writer(nats_server.url, database_url):
            for n in range(6):
                await published(bus, a_user(f"a{n}"))
            await rows.reached(1, 6)
        before = await rows.all()
        third = sequence_of(1, 3)
        told = await bus.request("$JS.API.STREAM.MSG.GET.EVENTS", b'{"seq":3}')
        recorded_ns = nanoseconds(json.loads(told.data)["message"]["time"])
        await rows.conn.execute("DELETE FROM event_log WHERE sequence > $1", third)
        await rows.conn.execute("DELETE FROM event_ids WHERE sequence > $1", third)
        await rows.conn.execute("UPDATE log_cursor SET sequence = $1, recorded_ns = $2", third, recorded_ns)
        async with a_log_writer(nats_server.url, database_url):
            await rows.reached(1, 6)
            assert await rows.all() == before


def role(writer: RunningLogWriter) -> str:
    assert writer.writer is not None
    return writer.writer.role


async def test_a_second_writer_stands_by_and_takes_over_when_the_first_ends(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
        AsyncExitStack() as stack,
    ):
        async with a_log_writer(nats_server.url, database_url) as first:
            second = await stack.enter_async_context(a_log_writer(nats_server.url, database_url))
            assert (role(first), role(second)) == ("active", "standby")
            await published(bus, a_user("a"))
            await rows.reached(1, 1)
            async with aiohttp.ClientSession() as http, http.get(f"{second.url}/health/ready") as answer:
                assert (answer.status, (await answer.json())["details"]) == (200, {"role": "standby"})
        await wait_until(lambda: role(second) == "active")
        await published(bus, a_user("b"))
        await rows.reached(1, 2)
        assert await rows.ids() == ["a", "b"]


async def test_a_writer_that_loses_its_lock_stops_and_one_goes_on(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
        a_log_writer(nats_server.url, database_url) as first,
        a_log_writer(nats_server.url, database_url) as second,
    ):
        fence = await rows.conn.fetchval("SELECT fence FROM log_cursor")
        for n in range(10):
            await published(bus, a_user(f"a{n}"))
        await rows.conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'log-writer' AND datname = current_database()"
        )
        for n in range(10, 20):
            await published(bus, a_user(f"a{n}"))
        await rows.reached(1, 20)
        assert await rows.ids() == [f"a{n}" for n in range(20)]
        assert await rows.conn.fetchval("SELECT fence FROM log_cursor") > fence
        await wait_until(lambda: sorted((role(first), role(second))) == ["active", "standby"])


async def test_a_writer_that_was_replaced_writes_nothing_more(
    nats_server: NatsServer, database_url: str
) -> None:
    stale = await Appender.acquire(database_url)
    assert stale is not None
    async with rows_of(database_url) as rows:
        # As another writer would, once the server thinks that this one's connection is gone.
        await rows.conn.execute("UPDATE log_cursor SET fence = fence + 1")
        record = admit(1, a_user("a"), assigned_id=None, received_at=None, recorded_at=1)
        with pytest.raises(WriterReplaced):
            await stale.append(1, 1, [record])
        with pytest.raises(WriterReplaced):
            await stale.adopt(2, "tuesday")
        with pytest.raises(WriterReplaced):
            await stale.watch(every_s=0.01)
        assert await rows.count() == 0
        assert await rows.cursor() == (0, 0)
    await stale.close()


async def test_what_only_the_database_refuses_is_refused_by_itself(database_url: str) -> None:
    appender = await Appender.acquire(database_url)
    assert appender is not None
    good, bad = (
        Admitted(Record(n, f"e{n}", "user", 1, 1, payload), None)
        for n, payload in ((1, a_user("a")), (2, b'{"never": "decoded so\xff"}'))
    )
    with pytest.raises(Unstorable):
        await appender.append(2, 1, [good, bad])
    assert list(await appender.faults([good, bad])) == [2]
    assert await appender.append(2, 1, [good]) == [good.record]
    await appender.close()


async def test_an_inbox_that_fills_up_is_cleared_of_what_is_logged(
    nats_server: NatsServer, database_url: str
) -> None:
    text = "x" * 20_000
    async with (
        a_log_writer(nats_server.url, database_url, inbox_max_bytes=4_000_000),
        connected(nats_server.url, "test") as bus,
        rows_of(database_url) as rows,
    ):
        for n in range(500):
            payload = b'{"type":"user","id":"a%d","user":"u","fields":{"t":"%s"}}' % (n, text.encode())

            async def stored(payload: bytes = payload) -> bool:
                answer = await bus.request("events.user", payload, timeout=5)
                return "error" not in json.loads(answer.data)

            await wait_until(stored)
        await rows.reached(1, 500)
        assert await rows.ids() == [f"a{n}" for n in range(500)]
        state = (await bus.jetstream().stream_info("EVENTS")).state
        assert state.first_seq > 1
        assert state.bytes < 4_000_000


async def test_settings_of_the_stream_follow_those_of_the_writer(
    nats_server: NatsServer, database_url: str
) -> None:
    async with connected(nats_server.url, "test") as bus, rows_of(database_url) as rows:
        async with a_log_writer(nats_server.url, database_url, inbox_max_bytes=10_000_000):
            await published(bus, a_user("a"))
            await rows.reached(1, 1)
        async with a_log_writer(
            nats_server.url,
            database_url,
            inbox_max_bytes=20_000_000,
            duplicate_window_s=2.0,
            inbox_max_age_s=3600.0,
        ):
            config = (await bus.jetstream().stream_info("EVENTS")).config
            assert (config.max_bytes, config.duplicate_window, config.max_age) == (20_000_000, 2.0, 3600.0)
            await published(bus, a_user("b"))
            await rows.reached(1, 2)


async def test_an_inbox_that_the_bus_has_no_room_for_is_a_clear_fault(
    nats_server: NatsServer, database_url: str
) -> None:
    chosen = LogWriterSettings(
        port=0, nats_url=nats_server.url, database_url=database_url, inbox_max_bytes=10**15
    )
    with pytest.raises(UnusableInbox) as caught:
        async with running(chosen), asyncio.timeout(10):
            await asyncio.Event().wait()
    assert "no room for 1,000,000,000,000,000 bytes" in str(caught.value)


async def test_a_stream_of_somebody_else_under_the_same_name_is_a_clear_fault(
    nats_server: NatsServer, database_url: str
) -> None:
    chosen = LogWriterSettings(port=0, nats_url=nats_server.url, database_url=database_url)
    async with connected(nats_server.url, "test") as bus:
        await bus.jetstream().add_stream(name="EVENTS", subjects=["orders.>"])
        with pytest.raises(UnusableInbox) as caught:
            async with running(chosen), asyncio.timeout(10):
                await asyncio.Event().wait()
        assert "the stream EVENTS on this server is another one" in str(caught.value)


async def test_it_is_live_while_it_waits_for_its_servers(database_url: str) -> None:
    chosen = LogWriterSettings(port=0, nats_url="nats://127.0.0.1:9", database_url=database_url)
    async with running(chosen) as writer:
        assert not await is_ready(writer.url)
