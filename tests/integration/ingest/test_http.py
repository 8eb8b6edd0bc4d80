"""``POST /v1/events``: every form in, one receipt out, and nothing answered that is not stored."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_contracts.record import sequence_of
from eddyline_contracts.subjects import EVENT_ID
from eddyline_ingest.body import NDJSON_TYPES
from eddyline_ingest.service import running
from eddyline_ingest.settings import IngestSettings
from eddyline_runtime.bus import connected
from tests.support.inbox import (
    Ingest,
    a_log_writer,
    an_ingest,
    is_ready,
    metric,
    published,
    rejected,
    rows_of,
)
from tests.support.waiting import wait_until


@asynccontextmanager
async def the_way_in(
    nats_server: NatsServer, database_url: str, **settings: Any
) -> AsyncIterator[tuple[Ingest, Client]]:
    async with (
        a_log_writer(nats_server.url, database_url),
        an_ingest(nats_server.url, **settings) as ingest,
        connected(nats_server.url, "test") as bus,
    ):
        yield ingest, bus


def click(name: str | None = "e1", user: str = "u1") -> bytes:
    event = {"type": "interaction", "user": user, "item": "i1"}
    return json.dumps(event | ({} if name is None else {"id": name})).encode()


async def stored(bus: Client) -> list[tuple[bytes, dict[str, str]]]:
    js = bus.jetstream()
    state = (await js.stream_info("EVENTS")).state
    messages = [await js.get_msg("EVENTS", n) for n in range(max(1, state.first_seq), state.last_seq + 1)]
    return [(message.data or b"", message.headers or {}) for message in messages]


METARANK = (
    b'{"event":"ranking","id":"r1","timestamp":"1599391467000","user":"u1","session":"s1","fields":[],'
    b'"items":[{"id":"i1","relevancy":1.0},{"id":"i2"}]}'
)


async def test_every_form_of_a_body_is_taken(nats_server: NatsServer, database_url: str) -> None:
    bodies = [
        ([click("a1")], click("a1"), "application/json"),
        ([click("b1"), click("b2")], b"[" + click("b1") + b" ,\n" + click("b2") + b"]", "application/json"),
        ([click("c1"), click("c2")], click("c1") + b"\n" + click("c2") + b"\n", "application/x-ndjson"),
        ([click("d1"), METARANK], click("d1") + b"\n" + METARANK, "text/plain"),
        ([click("e1")], click("e1") + b"\n", "application/x-ndjson"),
    ]
    async with the_way_in(nats_server, database_url) as (ingest, _), rows_of(database_url) as rows:
        sent: list[bytes] = []
        for n, (events, body, content_type) in enumerate(bodies):
            packed = n % 2 == 1
            headers = {"Content_Type": content_type} | ({"Content_Encoding": "gzip"} if packed else {})
            sent += events
            assert await ingest.post(gzip.compress(body) if packed else body, **headers) == (
                200,
                {
                    "accepted": len(events),
                    "duplicates": 0,
                    "rejected": [],
                    "sequence": sequence_of(1, len(sent)),
                },
            )
        nothing = {"accepted": 0, "duplicates": 0, "rejected": [], "sequence": None}
        assert await ingest.post(b"[]") == (200, nothing)
        await rows.reached(1, len(sent))
        assert [record.payload for record in await rows.all()] == sent


async def test_good_events_of_a_batch_are_kept_and_a_bad_one_is_told(
    nats_server: NatsServer, database_url: str
) -> None:
    events = [click(f"e{n}") for n in range(1_000)]
    events[417] = b'{"type":"interaction","id":"bad","user":"u1"}'
    async with the_way_in(nats_server, database_url) as (ingest, bus), rows_of(database_url) as rows:
        status, receipt = await ingest.post(b"\n".join(events), Content_Type="application/x-ndjson")
        assert status == 200
        assert (receipt["accepted"], receipt["duplicates"]) == (999, 0)
        (rejection,) = receipt["rejected"]
        assert (rejection["index"], rejection["code"]) == (417, "invalid")
        assert "`item`" in rejection["detail"]
        await rows.reached(1, 999)
        assert await rows.ids() == [f"e{n}" for n in range(1_000) if n != 417]
        (copy,) = await rejected(bus)
        assert (copy.origin, copy.code, copy.payload) == ("http", "invalid", events[417])
        assert copy.reason == rejection["detail"]
        assert await metric(ingest.url, 'eddyline_ingest_refused_total{code="invalid"}') >= 1


async def test_a_request_of_bad_events_only_is_a_problem_with_every_error(
    nats_server: NatsServer, database_url: str
) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, bus):
        status, problem = await ingest.post(b'[{"type":"order","id":"a"},{"type":"item"},7]')
        assert status == 422
        assert problem["code"] == "unknown_type"
        assert [(error["index"], error["code"]) for error in problem["errors"]] == [
            (0, "unknown_type"),
            (1, "invalid"),
            (2, "malformed"),
        ]
        assert len(await rejected(bus)) == 3


async def test_a_body_that_is_no_json_is_refused_as_a_whole(
    nats_server: NatsServer, database_url: str
) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, bus):
        status, problem = await ingest.post(b"[" + click("a") + b", oops]")
        assert (status, problem["code"]) == (400, "malformed")
        assert "byte" in problem["detail"]
        status, problem = await ingest.post(b"not gzip", Content_Encoding="gzip")
        assert status == 400
        assert await stored(bus) == []


async def test_a_body_that_unpacks_to_too_much_is_refused_without_unpacking_it(
    nats_server: NatsServer, database_url: str
) -> None:
    async with the_way_in(nats_server, database_url, max_body_bytes=100_000) as (ingest, _):
        bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
        status, problem = await ingest.post(bomb, Content_Encoding="gzip")
        assert (status, problem["code"]) == (413, "too_large")
        status, _ = await ingest.post(b"x" * 200_000)
        assert status == 413
        status, _ = await ingest.post(click())
        assert status == 200


async def test_events_without_ids_get_one_and_are_stored_as_they_came(
    nats_server: NatsServer, database_url: str
) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, bus), rows_of(database_url) as rows:
        body = click(None)
        for _ in range(2):
            status, receipt = await ingest.post(body)
            assert (status, receipt["accepted"]) == (200, 1)
        await rows.reached(1, 2)
        first, second = await rows.all()
        assert first.payload == second.payload == body
        assert first.event_id < second.event_id
        assert len(first.event_id) == 36
        assert [headers[EVENT_ID] for _, headers in await stored(bus)] == [first.event_id, second.event_id]


async def test_under_one_idempotency_key_a_request_counts_once(
    nats_server: NatsServer, database_url: str
) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, _), rows_of(database_url) as rows:
        body = b"\n".join([click(None), click(None), click("own")])
        _, first = await ingest.post(body, Idempotency_Key="order 66")
        _, again = await ingest.post(body, Idempotency_Key="order 66")
        assert (first["accepted"], first["duplicates"]) == (3, 0)
        assert (again["accepted"], again["duplicates"], again["sequence"]) == (0, 3, first["sequence"])
        await ingest.post(body, Idempotency_Key="order 67")
        await rows.reached(1, 5)
        assert await rows.count() == 5


async def test_any_id_survives_and_is_its_own(nats_server: NatsServer, database_url: str) -> None:
    names = ["a b", "a b ", " a b", "a\nb", "a\tb", "ünï 😀", "a%20b", "x" * 121, "a-b"]
    nameless = b'{"type":"user","user":"u"}'
    async with the_way_in(nats_server, database_url) as (ingest, bus), rows_of(database_url) as rows:
        _, receipt = await ingest.post(b"[" + b",".join(click(name) for name in names) + b"]")
        assert (receipt["accepted"], receipt["duplicates"]) == (len(names), 0)
        # And in the header that ingest would put them into.
        for name in names:
            headers = {EVENT_ID: quote(f"header {name}", safe="")}
            await bus.request("events.user", nameless, headers=headers)
        await rows.reached(1, 2 * len(names))
        assert await rows.ids() == [*names, *(f"header {name}" for name in names)]


async def test_what_the_bus_has_already_is_told_with_the_place_of_the_first(
    nats_server: NatsServer, database_url: str
) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, bus):
        await ingest.post(b"\n".join(click(f"e{n}") for n in range(5)))
        status, receipt = await ingest.post(click("e2"))
        assert (status, receipt["accepted"], receipt["duplicates"]) == (200, 0, 1)
        assert receipt["sequence"] == sequence_of(1, 3)
        # One known among new ones: the atomic batch is refused, and each goes by itself.
        _, receipt = await ingest.post(b"\n".join(click(name) for name in ("e9", "e3", "e8", "e8")))
        assert (receipt["accepted"], receipt["duplicates"]) == (2, 2)
        assert receipt["sequence"] == sequence_of(1, 7)
        assert [json.loads(raw)["id"] for raw, _ in await stored(bus)][5:] == ["e9", "e8"]


async def test_internal_events_are_not_taken_over_http(nats_server: NatsServer, database_url: str) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, _):
        status, problem = await ingest.post(b'{"type":"model_promoted","id":"m","model":"x","view":"v"}')
        assert (status, problem["code"]) == (422, "internal_type")


async def test_requests_at_once_are_each_answered_with_what_is_theirs(
    nats_server: NatsServer, database_url: str
) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, _), rows_of(database_url) as rows:

        async def post(client: int) -> list[tuple[str, int]]:
            places = []
            for n in range(20):
                name = f"c{client}-{n}"
                _, receipt = await ingest.post(click(name))
                assert (receipt["accepted"], receipt["duplicates"]) == (1, 0)
                places.append((name, receipt["sequence"]))
            return places

        told = dict(
            place for places in await asyncio.gather(*(post(n) for n in range(30))) for place in places
        )
        await rows.reached(1, 600)
        assert {record.event_id: record.sequence for record in await rows.all()} == told


async def test_a_large_request_is_stored_in_its_order(nats_server: NatsServer, database_url: str) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, _), rows_of(database_url) as rows:
        names = [f"e{n}" for n in range(7_500)]
        _, receipt = await ingest.post(b"\n".join(click(name) for name in names))
        assert receipt["accepted"] == 7_500
        assert receipt["sequence"] == sequence_of(1, 7_500)
        await rows.reached(1, 7_500)
        assert await rows.ids() == names


async def test_events_of_the_largest_size_pass_and_larger_ones_are_refused(
    nats_server: NatsServer, database_url: str
) -> None:
    def sized(n_bytes: int, name: str) -> bytes:
        head = b'{"type":"item","id":"%s","item":"i","fields":{"a":[' % name.encode()
        filling = b",".join([b'"' + b"x" * 30_000 + b'"'] * 40)
        tail = b"]}}"
        return head + filling[: n_bytes - len(head) - len(tail) - 1] + b'"' + tail

    async with the_way_in(nats_server, database_url) as (ingest, _), rows_of(database_url) as rows:
        largest = [sized(1024 * 1024, f"e{n}") for n in range(9)]
        status, receipt = await ingest.post(b"\n".join([*largest, sized(1024 * 1024 + 1, "x")]))
        assert (status, receipt["accepted"]) == (200, 9)
        assert [(r["index"], r["code"]) for r in receipt["rejected"]] == [(9, "event_too_large")]
        await rows.reached(1, 9)
        assert [record.payload for record in await rows.all()] == largest


async def test_without_an_inbox_requests_are_told_to_come_back(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        running(IngestSettings(port=0, nats_url=nats_server.url)) as started,
        aiohttp.ClientSession() as http,
    ):
        ingest = Ingest(started.url, http)

        async def is_told_what_is_missing() -> bool:
            async with http.post(f"{started.url}/v1/events", data=click()) as answer:
                assert answer.status == 503
                assert answer.headers["Retry-After"] == "1"
                return "log writer" in (await answer.json(content_type=None))["detail"]

        await wait_until(is_told_what_is_missing)
        assert not await is_ready(started.url)
        async with a_log_writer(nats_server.url, database_url):
            await wait_until(lambda: is_ready(started.url))
            assert (await ingest.post(click()))[0] == 200


async def test_while_the_bus_is_away_requests_wait_or_are_told_to_come_back(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        a_log_writer(nats_server.url, database_url),
        an_ingest(nats_server.url, patience_s=0.5) as ingest,
        rows_of(database_url) as rows,
    ):
        nats_server.kill()
        status, problem = await ingest.post(click("e1"))
        assert status == 503
        assert "safe to repeat" in problem["detail"]
        waiting = asyncio.ensure_future(ingest.post(click("e2")))
        again = start_nats(nats_server.folder, port=nats_server.port)
        try:
            assert (await waiting)[0] == 200
            assert (await ingest.post(click("e1")))[0] == 200
            await rows.reached(1, 2)
            assert sorted(await rows.ids()) == ["e1", "e2"]
        finally:
            again.stop()


async def test_a_full_inbox_says_so_and_keeps_what_it_has(nats_server: NatsServer, database_url: str) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, bus):
        js = bus.jetstream()
        info = await js.stream_info("EVENTS")
        await js.update_stream(info.config, max_msgs=3)
        assert (await ingest.post(b"\n".join(click(f"e{n}") for n in range(3))))[0] == 200
        for body in (click("e4"), b"\n".join(click(f"f{n}") for n in range(3))):
            status, problem = await ingest.post(body)
            assert status == 503
            assert "full" in problem["detail"]
        assert len(await stored(bus)) == 3


async def test_what_was_refused_is_kept_and_counted_even_if_the_rest_has_to_come_again(
    nats_server: NatsServer, database_url: str
) -> None:
    bad = b'{"type":"interaction","id":"bad","user":"u1"}'
    async with the_way_in(nats_server, database_url) as (ingest, bus):
        js = bus.jetstream()
        await js.update_stream((await js.stream_info("EVENTS")).config, max_msgs=1)
        assert (await ingest.post(click("e1")))[0] == 200
        name = 'eddyline_ingest_refused_total{code="invalid"}'
        before = await metric(ingest.url, name)
        status, _ = await ingest.post(b"\n".join([bad, click("e2")]))
        assert status == 503
        assert await metric(ingest.url, name) == before + 1
        (copy,) = await rejected(bus)
        assert copy.payload == bad


async def test_a_request_under_way_is_answered_when_ingest_is_stopped(
    nats_server: NatsServer, database_url: str
) -> None:
    stop = asyncio.Event()
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        async with running(IngestSettings(port=0, nats_url=nats_server.url)) as service:
            started.set_result(service.url)
            await stop.wait()

    async with (
        a_log_writer(nats_server.url, database_url),
        rows_of(database_url) as rows,
        aiohttp.ClientSession() as http,
    ):
        serving = asyncio.ensure_future(serve())
        ingest = Ingest(await started, http)
        await wait_until(lambda: is_ready(ingest.url))
        nats_server.kill()
        posting = asyncio.ensure_future(ingest.post(click()))
        # Read, checked, and waiting for the bus.
        await wait_until(lambda: metric(ingest.url, "eddyline_ingest_pending_bytes"))
        stop.set()
        await wait_until(lambda: _refuses(ingest.url))
        assert not serving.done()
        again = start_nats(nats_server.folder, port=nats_server.port)
        try:
            assert (await posting)[0] == 200
            await serving
            await rows.reached(1, 1)
        finally:
            again.stop()


async def _refuses(url: str) -> bool:
    try:
        await is_ready(url)
    except aiohttp.ClientError:
        return True
    return False


async def test_ingest_describes_itself(nats_server: NatsServer, database_url: str) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, _):
        async with ingest.http.get(f"{ingest.url}/openapi.json") as answer:
            document = await answer.json()
        operation = document["paths"]["/v1/events"]["post"]
        content = operation["requestBody"]["content"]
        assert {"400", "413", "422", "503"} <= operation["responses"].keys()
        example = content["application/json"]["example"]
        status, receipt = await ingest.post(json.dumps(example).encode())
        assert (status, receipt["accepted"]) == (200, len(example))
        for media_type in NDJSON_TYPES:
            assert content[media_type]["schema"]["type"] == "string"
            status, receipt = await ingest.post(
                content[media_type]["example"].encode(), Content_Type=media_type
            )
            assert (status, receipt["duplicates"]) == (200, len(example))


async def test_the_document_shows_every_form_of_a_body_in_json(
    nats_server: NatsServer, database_url: str
) -> None:
    native = {"ItemUpserted", "UserUpserted", "SlateServed", "InteractionRecorded"}
    metarank = {"MetarankItem", "MetarankUser", "MetarankRanking", "MetarankInteraction"}
    async with the_way_in(nats_server, database_url) as (ingest, _):
        async with ingest.http.get(f"{ingest.url}/openapi.json") as answer:
            document = await answer.json()
    body = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]

    def shown(schema: dict[str, Any]) -> set[str]:
        return {one["$ref"].rpartition("/")[2] for one in schema["anyOf"]}

    one, many = body["schema"]["anyOf"]
    assert many["type"] == "array"
    for event in (one, many["items"]):
        assert [shown(form) for form in event["anyOf"]] == [native, metarank]
    assert native | metarank <= document["components"]["schemas"].keys()


async def test_a_message_published_by_another_service_gets_a_place_among_those_of_http(
    nats_server: NatsServer, database_url: str
) -> None:
    async with the_way_in(nats_server, database_url) as (ingest, bus), rows_of(database_url) as rows:
        await ingest.post(click("a"))
        await published(bus, click("b"), event_id="b")
        _, receipt = await ingest.post(click("c"))
        assert receipt["sequence"] == sequence_of(1, 3)
        await rows.reached(1, 3)
        assert await rows.ids() == ["a", "b", "c"]
