"""HTTP to the ranker and back: parse, call, encode; no decisions."""

from __future__ import annotations

from time import perf_counter

import msgspec
from aiohttp import web

from eddyline_contracts.api import RankRequest, Slate
from eddyline_ranker import metrics
from eddyline_ranker.candidates import read_candidates
from eddyline_ranker.ranker import Ranker
from eddyline_ranker.remembered import RememberedAnswers
from eddyline_ranker.slate import answer
from eddyline_runtime.openapi import Operation

MAX_REQUEST_BYTES = 640 * 1024
"""What is read at all. A slate may be larger, since it holds ids twice: whether it fits is weighed (`candidates`)."""

RANKER: web.AppKey[Ranker] = web.AppKey("ranker", Ranker)
REMEMBERED: web.AppKey[RememberedAnswers] = web.AppKey("remembered", RememberedAnswers)

_encode = msgspec.json.Encoder().encode
_JSON = {"Content-Type": "application/json"}

OPERATIONS = [
    Operation(
        method="post",
        path="/v1/rank",
        summary="Order these items for this person",
        request=RankRequest,
        response=Slate,
        example={
            "user": "u1",
            "session": "x7",
            "items": ["i1", "i2", {"item": "i9", "fields": {"relevancy": 2.0}}],
        },
        errors={
            400: "the body is not JSON",
            409: "this `request_id` was used for a different request",
            413: f"the body has more than {MAX_REQUEST_BYTES:,} bytes",
            422: "the request cannot be taken; the detail says why",
        },
    )
]


async def rank(http: web.Request) -> web.Response:
    """``POST /v1/rank``."""
    started = perf_counter()
    candidates = read_candidates(await http.read())
    ranker = http.app[RANKER]

    async def make() -> bytes:
        ranking = await ranker.rank(candidates)
        return _encode(answer(ranking, round((perf_counter() - started) * 1_000, 3)))

    request = candidates.request
    if request.request_id is None:
        body = await make()
    else:
        body, repeated = await http.app[REMEMBERED].get(request.request_id, request, make)
        if repeated:
            metrics.REQUESTS_REPEATED.inc()
    metrics.TOTAL_SECONDS.observe(perf_counter() - started)
    return web.Response(body=body, headers=_JSON)
