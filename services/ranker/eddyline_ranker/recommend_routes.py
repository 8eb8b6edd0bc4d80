"""HTTP to the recommender and back: parse, call, encode; no decisions."""

from __future__ import annotations

from time import perf_counter

import msgspec
from aiohttp import web

from eddyline_contracts.api import Explanation, Slate
from eddyline_contracts.api_recommend import MAX_BATCH, BatchAnswers, RecommendBatch, RecommendRequest
from eddyline_features.recommend_settings import Recommend
from eddyline_features.view import View
from eddyline_ranker import metrics
from eddyline_ranker.explaining import Explaining
from eddyline_ranker.recommendation import Recommendation, read_recommendation
from eddyline_ranker.recommender import Recommender
from eddyline_ranker.remembered import RememberedAnswers
from eddyline_ranker.routes import MAX_REQUEST_BYTES, language_of
from eddyline_ranker.slate import answer
from eddyline_runtime.openapi import Answer, Operation, a_problem
from eddyline_runtime.problems import Conflict

_encode = msgspec.json.Encoder().encode
_JSON = {"Content-Type": "application/json"}

_NO_SECTION = (
    "eddyline.yaml has no section `recommend`, so nothing is kept to choose items from: add `recommend: {}` to it and "
    "start again; features are then built anew from the log"
)
_SLATE = {
    "slate": "0199e5a8-3c1e-7d52-9b1f-6a2f0c9d4e71",
    "items": [
        {"item": "i9", "score": 0.4127, "propensity": 1.0, "source": "co_visitation"},
        {"item": "i1", "score": 0.0836, "propensity": 1.0, "source": "popular"},
    ],
    "model": "98a7d1afdfe998f2873a3d6106f27846cb549cc43f5d9fdbedb3abfed47911a0",
    "view": "shop-ffa6324e",
    "features_sequence": 1099511628341,
    "ranked_at": 1795517858033,
    "degraded": [],
    "took_ms": 4.31,
}
_REQUEST = {"user": "u1", "session": "x7", "n": 2, "exclude": ["i7"], "context": {"device": "phone"}}
_UNKNOWN_FIELD = (
    "item field `colour` is not kept: add it to `recommend.fields` in eddyline.yaml (kept: brand, price)"
)
_ERRORS: dict[int, str | Answer] = {
    400: Answer(
        when="The body is not JSON",
        example=a_problem(400, "the body is not JSON: Input data was truncated", title="Malformed request"),
    ),
    409: Answer(
        when="This `request_id` was used for a different request, or the view does not say how to choose items",
        example=a_problem(409, _NO_SECTION),
    ),
    413: f"The body has more than {MAX_REQUEST_BYTES:,} bytes: send fewer ids or fields",
    422: Answer(
        when="The request cannot be taken; `detail` says why",
        example=a_problem(422, _UNKNOWN_FIELD, title="Refused", code="refused"),
    ),
}
OPERATIONS = [
    Operation(
        method="post",
        path="/v1/recommend",
        summary="Choose items from the whole catalogue for this person",
        description="""\
`user`, `session` or both say for whom. At most `n` items, fewer only where there are no more that may be shown: none
is removed, excluded, filtered out, or seen before as the view's `recommend.seen` has it. `source` says what found each.

It always answers: what was missing is named in `degraded`, and the list is the best that could be had without.
The slate is logged, to learn from it; name it as `slate` in the interactions that follow.
With a `request_id` a retry gets the same slate, and the log counts one.

After sending an event, pass the receipt's `sequence` as `min_sequence`: the slate reflects it.""",
        request=RecommendRequest,
        response=Slate,
        response_example=_SLATE,
        example=_REQUEST,
        errors=_ERRORS,
    ),
    Operation(
        method="post",
        path="/v1/recommend:batch",
        summary="Many recommendations in one call",
        description=f"""\
At most {MAX_BATCH} requests, each as of `/v1/recommend`. The answers are in their order; one that cannot be taken has
a `problem` in its place, and the others have their slates all the same. Where none can be taken it is one problem,
whose `errors` has them all.""",
        request=RecommendBatch,
        response=BatchAnswers,
        response_example={
            "answers": [
                {"slate": _SLATE},
                {"problem": a_problem(422, _UNKNOWN_FIELD, title="Refused", code="refused")},
            ]
        },
        example={"requests": [_REQUEST, {"user": "u2", "filters": {"field": "colour", "equals": "red"}}]},
        errors={
            **_ERRORS,
            409: Answer(
                when="The view does not say how to choose items", example=a_problem(409, _NO_SECTION)
            ),
            422: Answer(
                when="The batch as a whole is not of the form, has too many requests, or none that can be taken",
                example=a_problem(
                    422,
                    "the batch has 250 requests; at most 100 are taken: split it",
                    title="Refused",
                    code="too_many_requests",
                ),
            ),
        },
    ),
]


class Door:
    """What the calls need."""

    def __init__(
        self, recommender: Recommender, explaining: Explaining, remembered: RememberedAnswers, view: View
    ) -> None:
        self._recommender = recommender
        self._explaining = explaining
        self._remembered = remembered
        self._view = view

    @property
    def settings(self) -> Recommend:
        """The view's section.

        Raises
        ------
        Conflict
            If it has none.
        """
        settings = self._view.recommend
        if settings is None:
            raise Conflict(_NO_SECTION)
        return settings

    async def answer(
        self, wanted: Recommendation, started: float, accepted: str, *, waited_ms: int = 0
    ) -> bytes:
        """The slate as JSON.

        Parameters
        ----------
        started
            When the request came, by `perf_counter`.
        accepted
            Its ``Accept-Language``, for explanations.
        waited_ms
            How long others have waited for it to have its turn: so much less it waits for its ``min_sequence``.
        """

        async def make() -> bytes:
            ranking, found = await self._recommender.recommend(wanted, waited_ms=waited_ms)
            told: list[Explanation] = []
            if wanted.request.explain:
                told = await self._explaining.ranked(ranking, found, accepted)
            return _encode(answer(ranking, round((perf_counter() - started) * 1_000, 3), told))

        request = wanted.request
        if request.request_id is None:
            body = await make()
        else:
            body, repeated = await self._remembered.get(request.request_id, request, make)
            if repeated:
                metrics.RECOMMEND.repeated.inc()
        metrics.RECOMMEND_TOTAL_SECONDS.observe(perf_counter() - started)
        return body


DOOR: web.AppKey[Door] = web.AppKey("recommend_door", Door)


async def recommend(http: web.Request) -> web.Response:
    """``POST /v1/recommend``."""
    started = perf_counter()
    door = http.app[DOOR]
    wanted = read_recommendation(await http.read(), door.settings)
    body = await door.answer(wanted, started, language_of(http))
    return web.Response(body=body, headers=_JSON)
