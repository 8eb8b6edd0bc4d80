"""``POST /rank/{model}`` in Metarank's form: the same ranking as ``/v1/rank``, under the id that the client gives.

The slate has the request's id, so the ranking event that such clients send afterwards is the same event, and counts
once, whichever of the two is first in the inbox (ADR 60).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import msgspec
from aiohttp import web

from eddyline_contracts.metarank_api import MetarankRanked, MetarankRankRequest
from eddyline_features.view import View
from eddyline_ranker import metrics
from eddyline_ranker.champion import ChampionWatch
from eddyline_ranker.metarank_form import answer, named, read_options, read_ranking
from eddyline_ranker.routes import MAX_REQUEST_BYTES, RANKER, REMEMBERED
from eddyline_runtime.clock import system_clock
from eddyline_runtime.openapi import Operation
from eddyline_runtime.problems import NotFound

_encode = msgspec.json.Encoder().encode
_JSON = {"Content-Type": "application/json"}
_EXPLAINED_ON_LOOP = 20_000
"""Values named on the event loop at most; beyond, others should not wait for it."""

OPERATIONS = [
    Operation(
        method="post",
        path="/rank/{model}",
        summary="Order these items for this person, in Metarank's form; every name means the model in service",
        request=MetarankRankRequest,
        response=MetarankRanked,
        response_example={
            "took": 2,
            "items": [{"item": "item1", "score": 1.2}, {"item": "item3", "score": 0.7}],
            "model": None,
            "degraded": ["model"],
        },
        example={
            "id": "81f46c34-a4bb-469c-8708-f8127cd67d27",
            "timestamp": "1599391467000",
            "user": "user1",
            "session": "session1",
            "fields": [{"name": "query", "value": "jeans"}],
            "items": [
                {"id": "item3", "fields": [{"name": "relevancy", "value": 2.0}]},
                {"id": "item1", "fields": [{"name": "relevancy", "value": 1.0}]},
            ],
        },
        parameters=[
            {
                "name": "model",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
                "description": "Any name, unless EDDYLINE_METARANK_MODELS lists those that are answered",
                "example": "default",
            },
            {
                "name": "explain",
                "in": "query",
                "required": False,
                "schema": {"type": "boolean"},
                "description": "Answer with every feature of every item",
            },
            {
                "name": "log",
                "in": "query",
                "required": False,
                "schema": {"type": "boolean"},
                "description": "false: do not log the slate; the ranking event that you send tells what was shown",
            },
            {
                "name": "min_sequence",
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
                "description": "The `sequence` of a /feedback answer: wait until the features reflect it",
            },
        ],
        errors={
            400: "the body is not JSON",
            404: "EDDYLINE_METARANK_MODELS does not list this model",
            413: f"the body has more than {MAX_REQUEST_BYTES:,} bytes",
            422: "the request cannot be taken; the detail says why",
        },
    )
]


@dataclass(frozen=True)
class Door:
    """What the door needs to know."""

    models: frozenset[str]
    """Names that are answered; empty: any."""
    view: View
    """The declared one."""
    champion: ChampionWatch

    def check(self, model: str) -> None:
        """Raise `NotFound` for a model that is not answered."""
        if self.models and model not in self.models:
            raise NotFound(
                f"model {model[:100]!r} is not answered here; known are {', '.join(sorted(self.models))}: "
                "use one of them, or add it to EDDYLINE_METARANK_MODELS"
            )

    def columns(self, view: str) -> Sequence[str] | None:
        """Names of the columns of a view; none while it is neither the declared one nor the model's."""
        if view == self.view.id:
            return self.view.columns
        model = self.champion.model
        return model.columns if model is not None and model.view == view else None


DOOR: web.AppKey[Door] = web.AppKey("metarank_door", Door)


def models_of(setting: str) -> frozenset[str]:
    """The names in a list with commas."""
    return frozenset(name.strip() for name in setting.split(",") if name.strip())


async def rank(http: web.Request) -> web.Response:
    """``POST /rank/{model}``."""
    started = perf_counter()
    door, ranker = http.app[DOOR], http.app[RANKER]
    door.check(http.match_info["model"])
    options = read_options(http.query)
    body = await http.read()
    candidates = read_ranking(body, options, system_clock())

    async def make() -> bytes:
        ranking, vectors = await ranker.rank_with_vectors(candidates)
        columns = door.columns(ranking.view) if options.explain and vectors is not None else None
        features = None
        if vectors is not None and columns is not None and len(columns) == vectors.n_features:
            if len(columns) * len(candidates.items) > _EXPLAINED_ON_LOOP:
                features = await asyncio.to_thread(named, vectors, columns)
            else:
                features = named(vectors, columns)
        return _encode(answer(ranking, features, (perf_counter() - started) * 1_000))

    # Clients of this form use an id again for another request, as its own tutorial does: only the very same is a retry.
    text = "\0".join((http.match_info["model"], http.query_string)).encode("utf-8", "surrogatepass")
    key = "metarank " + hashlib.sha512(text + b"\0" + body).hexdigest()
    told, repeated = await http.app[REMEMBERED].get(key, candidates.request, make)
    if repeated:
        metrics.RANK.repeated.inc()
    metrics.TOTAL_SECONDS.observe(perf_counter() - started)
    return web.Response(body=told, headers=_JSON)
