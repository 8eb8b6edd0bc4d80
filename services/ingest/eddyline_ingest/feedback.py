"""``POST /feedback``: the events door in Metarank's form. What is taken, kept and refused is as on ``/v1/events``."""

from __future__ import annotations

from time import perf_counter

from aiohttp import web

from eddyline_contracts.metarank import MetarankEvent
from eddyline_contracts.metarank_api import MetarankAccepted
from eddyline_ingest.body import NDJSON_TYPES
from eddyline_ingest.routes import take
from eddyline_runtime.openapi import Operation
from eddyline_runtime.web_app import json_response

_EXAMPLE = [
    {
        "event": "item",
        "id": "81f46c34-a4bb-469c-8708-f8127cd67d27",
        "timestamp": "1599391467000",
        "item": "item1",
        "fields": [{"name": "title", "value": "Nice jeans"}, {"name": "color", "value": ["white", "black"]}],
    },
    {
        "event": "ranking",
        "id": "9fd1c3a0-6a2c-4f4b-9d3c-6b7f1b0d1c11",
        "timestamp": "1599391467100",
        "user": "user1",
        "session": "session1",
        "fields": [{"name": "query", "value": "jeans"}],
        "items": [{"id": "item1", "relevancy": 2.0}, {"id": "item2"}],
    },
    {
        "event": "interaction",
        "id": "0f4c0036-04fb-4409-b2c6-7163a59f6b7d",
        "timestamp": "1599391468000",
        "ranking": "9fd1c3a0-6a2c-4f4b-9d3c-6b7f1b0d1c11",
        "user": "user1",
        "session": "session1",
        "type": "click",
        "item": "item1",
    },
]
OPERATIONS = [
    Operation(
        method="post",
        path="/feedback",
        summary="Send events in Metarank's form: one object, an array, or one a line (NDJSON); gzip taken",
        request=MetarankEvent,
        or_list=True,
        lines=NDJSON_TYPES,
        response=MetarankAccepted,
        response_example={
            "accepted": 3,
            "status": "ok",
            "tookMillis": 3,
            "updated": 0,
            "duplicates": 0,
            "rejected": [],
            "sequence": 1099511627779,
        },
        example=_EXAMPLE,
        errors={
            400: "the body as a whole is not JSON; the detail says where",
            413: "the body, unpacked, is too large, or has more than 100,000 events",
            422: "every event was refused; `errors` says why",
            503: "the bus is away or full: send it again after Retry-After; events with ids are safe to repeat",
        },
    )
]


async def post_feedback(request: web.Request) -> web.Response:
    """Answer when the inbox has stored every event that was not refused."""
    started = perf_counter()
    taken = await take(request)
    if isinstance(taken, web.Response):
        return taken
    return json_response(
        MetarankAccepted(
            # Who sends an event again wants to hear that it is there.
            accepted=taken.n_accepted + taken.n_duplicates,
            status="rejected" if taken.rejections else "ok",
            took_millis=round((perf_counter() - started) * 1_000),
            duplicates=taken.n_duplicates,
            rejected=taken.rejections,
            sequence=taken.sequence,
        )
    )
