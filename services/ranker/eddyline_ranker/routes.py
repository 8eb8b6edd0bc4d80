"""HTTP to the ranker and back: parse, call, encode; no decisions."""

from __future__ import annotations

from time import perf_counter

import msgspec
from aiohttp import web

from eddyline_contracts.api import Explanation, RankRequest, Slate
from eddyline_learning.explaining.explanations import EXPLAINED
from eddyline_ranker import metrics
from eddyline_ranker.candidates import read_candidates
from eddyline_ranker.explaining import Explaining
from eddyline_ranker.ranker import Ranker
from eddyline_ranker.remembered import RememberedAnswers
from eddyline_ranker.settings import RankerSettings
from eddyline_ranker.slate import answer
from eddyline_runtime.openapi import Answer, Api, Operation, a_problem

MAX_REQUEST_BYTES = 640 * 1024
"""What is read at all. A slate may be larger, since it holds ids twice: whether it fits is weighed (`candidates`)."""

RANKER: web.AppKey[Ranker] = web.AppKey("ranker", Ranker)
EXPLAINING: web.AppKey[Explaining] = web.AppKey("explaining", Explaining)
REMEMBERED: web.AppKey[RememberedAnswers] = web.AppKey("remembered", RememberedAnswers)

_encode = msgspec.json.Encoder().encode
_JSON = {"Content-Type": "application/json"}

_SLATE = {
    "slate": "0199e5a8-3c1e-7d52-9b1f-6a2f0c9d4e71",
    "items": [
        {"item": "i9", "score": 0.4127, "propensity": 1.0},
        {"item": "i1", "score": 0.0836, "propensity": 1.0},
        {"item": "i2", "score": -0.2214, "propensity": 1.0},
    ],
    "model": "98a7d1afdfe998f2873a3d6106f27846cb549cc43f5d9fdbedb3abfed47911a0",
    "view": "shop-ffa6324e",
    "features_sequence": 1099511628341,
    "ranked_at": 1795517858033,
    "degraded": [],
    "took_ms": 1.27,
}
OPERATIONS = [
    Operation(
        method="post",
        path="/v1/rank",
        summary="Order these items for this person",
        description=f"""\
At most 1,000 items, each once, by id or with fields of this request, as a search engine's relevancy. `user`, `session`
or both say for whom.

It always answers: what was missing is named in `degraded`, and the order is the best that could be had without.
The slate is logged, to learn from it; name it as `slate` in the interactions that follow.
With a `request_id` a retry gets the same slate, and the log counts one.

After sending an event, pass the receipt's `sequence` as `min_sequence`: the order reflects it.

With `explain` each of the first {EXPLAINED} items says why it stands there: what each feature adds to its score, and a
sentence in the language of `context.language`, else of the header `Accept-Language`.""",
        request=RankRequest,
        response=Slate,
        response_example=_SLATE,
        example={
            "user": "u1",
            "session": "x7",
            "items": ["i1", "i2", {"item": "i9", "fields": {"relevancy": 2.0}}],
        },
        errors={
            400: Answer(
                when="The body is not JSON",
                example=a_problem(
                    400, "the body is not JSON: Input data was truncated", title="Malformed request"
                ),
            ),
            409: Answer(
                when="This `request_id` was used for a different request",
                example=a_problem(409, "`request_id` 'r1' was used for a different request: take a new one"),
            ),
            413: f"The body has more than {MAX_REQUEST_BYTES:,} bytes: send fewer items or fields",
            422: Answer(
                when="The request cannot be taken; `detail` says why",
                example=a_problem(
                    422,
                    "`items[2]`: 'i1' occurs twice: send each item once",
                    title="Refused",
                    code="duplicate_item",
                ),
            ),
        },
    )
]
API = Api(
    title="Eddyline ranker",
    description="The hot path: orders items for a person, by the model in service and the live features.",
    default_port=RankerSettings.port,
    tags={"ranking": "Items in, the same items in order out."},
    operations=OPERATIONS,
)


async def rank(http: web.Request) -> web.Response:
    """``POST /v1/rank``."""
    started = perf_counter()
    candidates = read_candidates(await http.read())
    ranker, request = http.app[RANKER], candidates.request

    async def make() -> bytes:
        ranking, vectors = await ranker.rank_with_vectors(candidates)
        told: list[Explanation] = []
        if request.explain:
            told = await http.app[EXPLAINING].ranked(ranking, vectors, language_of(http))
        return _encode(answer(ranking, round((perf_counter() - started) * 1_000, 3), told))

    if request.request_id is None:
        body = await make()
    else:
        body, repeated = await http.app[REMEMBERED].get(request.request_id, request, make)
        if repeated:
            metrics.RANK.repeated.inc()
    metrics.TOTAL_SECONDS.observe(perf_counter() - started)
    return web.Response(body=body, headers=_JSON)


def language_of(http: web.Request) -> str:
    """What the request says of languages, for explanations."""
    return http.headers.get("Accept-Language", "")
