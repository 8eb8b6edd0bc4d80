"""``POST /v1/events``: take apart, check, hand to the publisher, answer when the inbox has stored it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator, Sequence

import uuid_utils
from aiohttp import web
from msgspec import Struct
from nats.aio.client import Client

from eddyline_contracts.api import Receipt, Rejection
from eddyline_contracts.events import InteractionRecorded, ItemUpserted, SlateServed, UserUpserted
from eddyline_contracts.limits import Malformed, Refusal
from eddyline_contracts.metarank import MetarankEvent
from eddyline_ingest import metrics
from eddyline_ingest.body import NDJSON_TYPES, TooManyEvents, split_body
from eddyline_ingest.checking import Checker, ids_by_key
from eddyline_ingest.doors import DOORS
from eddyline_ingest.jetstream import is_transient
from eddyline_ingest.publishing import MAX_GROUP_BYTES, Stored
from eddyline_ingest.rejected import Rejected, keep
from eddyline_ingest.settings import IngestSettings
from eddyline_runtime.openapi import Answer, Api, Operation, a_problem
from eddyline_runtime.problems import Unavailable, problem
from eddyline_runtime.web_app import json_response

log = logging.getLogger(__name__)
_STEP = 250
"""Events of a request that are checked and handed over at a time, so that others have their turn."""
_UNDER_WAY = 4
"""Such pieces of one request that wait for the bus at a time."""
_Native = ItemUpserted | UserUpserted | SlateServed | InteractionRecorded
_EXAMPLE = [
    {"type": "item", "id": "e1", "item": "i9", "fields": {"title": "Toy Story", "genres": ["comedy"]}},
    {"type": "slate", "id": "s1", "user": "u1", "items": [{"item": "i9"}, {"item": "i2"}]},
    {"type": "interaction", "id": "e3", "user": "u1", "item": "i9", "slate": "s1", "action": "click"},
]
_RECEIPT = {
    "accepted": 2,
    "duplicates": 0,
    "rejected": [
        {"index": 2, "code": "invalid", "detail": "`user` or `session` is required: say whom it concerns"}
    ],
    "sequence": 1099511628341,
}
_NONE_TAKEN = a_problem(
    422,
    "none of the 1 events can be taken; the first: Invalid value 'parcel' - at `$.type`; known are item, user, slate, "
    "interaction",
    title="Refused",
    code="unknown_type",
)
OPERATIONS = [
    Operation(
        method="post",
        path="/v1/events",
        summary="Send events: one object, an array, or one a line (NDJSON)",
        description="""\
Native and Metarank form, in any mixture; `Content-Encoding: gzip` is taken. The media type matters for NDJSON only.

The answer comes when the inbox has stored every event that was not refused: it survives a crash from then on.
Give events an `id`: sent again, they count once. Members that are not listed are kept in the log and ignored.

At most 1 MiB an event, 32 KiB of UTF-8 a string, 64 levels of nesting, 100,000 events a request.""",
        request=_Native,
        other_forms=(MetarankEvent,),
        or_list=True,
        lines=NDJSON_TYPES,
        response=Receipt,
        response_example=_RECEIPT,
        example=_EXAMPLE,
        not_taken={SlateServed: ("features_sequence", "policy", "served_vectors")},
        parameters=[
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "example": "import-2026-11-24-part-7",
                "description": "Makes the request safe to repeat when its events carry no ids of their own",
            }
        ],
        errors={
            400: Answer(
                when="The body as a whole is not JSON",
                example=a_problem(
                    400,
                    "the body is not JSON: JSON is malformed: expected ',' or ']' (byte 512)",
                    title="Malformed request",
                ),
            ),
            413: Answer(
                when="The body, unpacked, is too large, or has more than 100,000 events",
                example=a_problem(
                    413,
                    "the request has 250,000 events; at most 100,000 are taken: split it",
                    title="Too many events",
                    code="too_many_events",
                ),
            ),
            422: Answer(
                when="Every event was refused; `errors` says why",
                example={
                    **_NONE_TAKEN,
                    "errors": [
                        {
                            "index": 0,
                            "code": "unknown_type",
                            "detail": "Invalid value 'parcel' - at `$.type`; known are item, user, slate, interaction",
                        }
                    ],
                },
            ),
            503: Answer(
                when="The bus is away or full: send it again; events with ids are safe to repeat",
                example=a_problem(503, "the bus is away: send it again", title="Unavailable"),
            ),
        },
    )
]
API = Api(
    title="Eddyline ingest",
    description="The way in: takes events over HTTP, checks them and stores them in the inbox, from where they reach "
    "the log, the live features and the models.",
    default_port=IngestSettings.port,
    tags={"events": "What happened: items and users that changed, slates that were shown, what people did."},
    operations=OPERATIONS,
)


class Taken(Struct, frozen=True):
    """What became of a request's events."""

    n_accepted: int
    n_duplicates: int
    rejections: list[Rejection]
    sequence: int | None
    """Place of the newest accepted event."""


async def post_events(request: web.Request) -> web.Response:
    """Answer when the inbox has stored every event that was not refused."""
    taken = await take(request)
    if isinstance(taken, web.Response):
        return taken
    return json_response(
        Receipt(
            accepted=taken.n_accepted,
            duplicates=taken.n_duplicates,
            rejected=taken.rejections,
            sequence=taken.sequence,
        )
    )


async def take(request: web.Request) -> Taken | web.Response:
    """Take a request's events, whichever door they came by; a problem where none can be taken."""
    try:
        return await _taken(request)
    except Unavailable:
        metrics.UNAVAILABLE.inc()
        raise


async def _taken(request: web.Request) -> Taken | web.Response:
    bus, inbox, publisher, received_at = request.app[DOORS].pass_through()
    try:
        events = split_body(await request.read(), request.content_type)
    except (web.RequestPayloadError, ConnectionError) as error:
        return problem(400, "Malformed request", f"the body cannot be read: {error}", code="malformed")
    except Malformed as error:
        return problem(400, "Malformed request", error.detail, code=error.code)
    except TooManyEvents as error:
        return problem(413, "Too many events", error.detail, code=error.code)
    key = request.headers.get("Idempotency-Key")
    checker = Checker(received_at, ids_by_key(key) if key else _new_id, bus.max_payload)
    rejections: list[Rejection] = []
    refusals: list[tuple[bytes, Refusal]] = []
    stored: list[asyncio.Future[Stored]] = []
    n_repeated = 0
    try:
        for start, step in _steps(events):
            checked = checker.check(step, start)
            rejections += checked.rejections
            refusals += checked.refusals
            n_repeated += checked.n_repeated
            if len(stored) >= _UNDER_WAY:
                await stored[-_UNDER_WAY]
            if checked.messages:
                stored.append(publisher.submit(checked.messages, checked.n_bytes))
            await asyncio.sleep(0)
        for future in stored:
            await future
        answers = [future.result() for future in stored]
    finally:
        # Also when the rest has to come again: a sender that drops the bad ones first would leave no trace of them.
        await _keep(bus, refusals)
    n_accepted = sum(answer.n_accepted for answer in answers)
    n_duplicates = n_repeated + sum(answer.n_duplicates for answer in answers)
    metrics.ACCEPTED.inc(n_accepted)
    metrics.DUPLICATES.inc(n_duplicates)
    if rejections and not answers:
        return problem(
            422,
            "Refused",
            f"none of the {len(rejections):,} events can be taken; the first: {rejections[0].detail}",
            code=rejections[0].code,
            errors=rejections,
        )
    newest = max((answer.last for answer in answers), default=None)
    sequence = None if newest is None else inbox.sequence(newest)
    return Taken(n_accepted, n_duplicates, rejections, sequence)


def _steps(events: Sequence[bytes]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Pieces to be checked and handed over together, each with the index of its first event."""
    start = n_bytes = 0
    for index, event in enumerate(events):
        n_bytes += len(event)
        if index > start and (index - start >= _STEP or n_bytes > MAX_GROUP_BYTES):
            yield start, events[start:index]
            start, n_bytes = index, len(event)
    yield start, events[start:]


def _new_id(_: int) -> str:
    return str(uuid_utils.uuid7())


async def _keep(bus: Client, refusals: list[tuple[bytes, Refusal]]) -> None:
    """Copy what was refused to REJECTED, for whoever runs this; the sender is told in the answer."""
    if not refusals:
        return
    for _, refusal in refusals:
        metrics.REFUSED.labels(refusal.code).inc()
    copies = [
        Rejected(f"http-{hashlib.sha256(raw).hexdigest()}", "http", raw, refusal) for raw, refusal in refusals
    ]
    try:
        metrics.UNKEPT.inc(await keep(bus, copies, timeout_s=2))
    except Exception as error:
        if not is_transient(error):
            raise
        metrics.UNKEPT.inc(len(copies))
        log.warning("refused events were not copied to REJECTED: %s", error or type(error).__name__)
