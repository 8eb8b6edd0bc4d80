"""``POST /feedback``: Metarank's form in and out, with our guarantees."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_ingest.body import NDJSON_TYPES
from tests.support.inbox import Ingest, a_log_writer, an_ingest, metric, rows_of

# The documented events, one of each kind.
ITEM = {
    "event": "item",
    "id": "81f46c34-a4bb-469c-8708-f8127cd67d27",
    "timestamp": "1599391467000",
    "item": "item1",
    "fields": [
        {"name": "title", "value": "You favourite cat"},
        {"name": "color", "value": ["white", "black"]},
        {"name": "is_cute", "value": True},
    ],
}
USER = {
    "event": "user",
    "id": "user-event",
    "timestamp": "2022-06-22T11:21:39Z",
    "user": "user1",
    "fields": [{"name": "age", "value": 33}, {"name": "gender", "value": "m"}],
}
RANKING = {
    "event": "ranking",
    "id": "id1",
    "items": [{"id": "72998"}, {"id": "589"}, {"id": "1580"}],
    "user": "alice",
    "session": "alice1",
    "timestamp": 1661431894711,
}
CLICK = {
    "event": "interaction",
    "type": "click",
    "id": "id2",
    "ranking": "id1",
    "item": "1580",
    "user": "alice",
    "session": "alice1",
    "timestamp": 1661431896711,
}
NOBODYS = {
    "event": "ranking",
    "id": "id3",
    "timestamp": "1661431896712",
    "items": [{"id": "589", "relevancy": 2.0}],
}
EVENTS: list[dict[str, Any]] = [ITEM, USER, RANKING, CLICK, NOBODYS]


async def feedback(ingest: Ingest, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/x-www-form-urlencoded"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with ingest.http.post(f"{ingest.url}/feedback", data=raw, headers=named) as answer:
        return answer.status, json.loads(await answer.read())


async def test_every_documented_event_is_taken_alone_in_an_array_and_by_lines(
    nats_server: NatsServer, database_url: str
) -> None:
    async with (
        a_log_writer(nats_server.url, database_url),
        an_ingest(nats_server.url) as ingest,
        rows_of(database_url) as rows,
    ):
        for event in EVENTS:
            status, told = await feedback(ingest, event)
            assert (status, told["accepted"], told["status"], told["updated"]) == (200, 1, "ok", 0)
            assert (told["duplicates"], told["rejected"]) == (0, [])
            assert told["tookMillis"] >= 0
        status, told = await feedback(ingest, EVENTS)
        assert (status, told["accepted"], told["duplicates"], told["status"]) == (200, 5, 5, "ok")
        lines = b"\n".join(json.dumps(event).encode() for event in EVENTS)
        for body, headers in ((lines, {}), (gzip.compress(lines), {"Content_Encoding": "gzip"})):
            _, told = await feedback(ingest, body, **headers)
            assert (told["accepted"], told["duplicates"]) == (5, 5)
        await rows.reached(1, 5)
        assert [json.loads(record.payload) for record in await rows.all()] == EVENTS


async def test_the_good_events_of_a_batch_are_kept_and_the_bad_ones_told(
    nats_server: NatsServer, database_url: str
) -> None:
    bad = [{"event": "metadata", "item": "x"}, CLICK | {"timestamp": "yesterday", "id": "id9"}, 7]
    async with (
        a_log_writer(nats_server.url, database_url),
        an_ingest(nats_server.url) as ingest,
        rows_of(database_url) as rows,
    ):
        status, told = await feedback(ingest, [ITEM, *bad, CLICK])
        assert (status, told["accepted"], told["status"]) == (200, 2, "rejected")
        assert [(one["index"], one["code"]) for one in told["rejected"]] == [
            (1, "unknown_type"),
            (2, "invalid"),
            (3, "malformed"),
        ]
        assert "item, user, ranking, interaction" in told["rejected"][0]["detail"]
        assert "2022-06-22T11:21:39Z" in told["rejected"][1]["detail"]
        status, problem = await feedback(ingest, bad)
        assert (status, problem["code"], len(problem["errors"])) == (422, "unknown_type", 3)
        await rows.reached(1, 2)
        assert await rows.count() == 2
        assert await metric(ingest.url, 'eddyline_ingest_refused_total{code="malformed"}') >= 2


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b"\xff", b"[" * 5_000, b'"ranking"'])
async def test_a_body_that_is_no_json_is_a_problem(
    nats_server: NatsServer, database_url: str, body: bytes
) -> None:
    async with a_log_writer(nats_server.url, database_url), an_ingest(nats_server.url) as ingest:
        status, problem = await feedback(ingest, body)
        assert status in (400, 422)
        assert problem["code"] == "malformed"


async def test_the_document_tells_the_form_and_its_examples_are_taken(
    nats_server: NatsServer, database_url: str
) -> None:
    async with a_log_writer(nats_server.url, database_url), an_ingest(nats_server.url) as ingest:
        async with ingest.http.get(f"{ingest.url}/openapi.json") as answer:
            operation = (await answer.json())["paths"]["/feedback"]["post"]
        content = operation["requestBody"]["content"]
        assert {"400", "413", "422", "503"} <= operation["responses"].keys()
        _, told = await feedback(ingest, content["application/json"]["example"])
        assert (told["accepted"], told["duplicates"]) == (3, 0)
        _, told = await feedback(ingest, content[NDJSON_TYPES[0]]["example"].encode())
        assert (told["accepted"], told["duplicates"]) == (3, 3)
