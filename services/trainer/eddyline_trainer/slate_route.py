"""HTTP to a slate and back."""

from __future__ import annotations

from aiohttp import web

from eddyline_learning.explaining.explanations import EXPLAINED
from eddyline_runtime.openapi import Answer, Operation, a_problem
from eddyline_runtime.web_app import json_response
from eddyline_trainer.slate_papers import SlatePapers
from eddyline_trainer.slates import LOOKED_THROUGH, Slates

SLATES: web.AppKey[Slates] = web.AppKey("slates", Slates)
_SLATE = "0199e5a8-3c1e-7d52-9b1f-6a2f0c9d4e71"
_EXAMPLE = {
    "slate": _SLATE,
    "sequence": 1099511628342,
    "occurred_at": 1795517858033,
    "recorded_at": 1795517858036,
    "user": "u1",
    "session": "x7",
    "context": {"device": "phone"},
    "policy": "greedy",
    "model": "98a7d1afdfe998f2873a3d6106f27846cb549cc43f5d9fdbedb3abfed47911a0",
    "view": "shop-ffa6324e",
    "features_sequence": 1099511628341,
    "ranked_at": 1795517858033,
    "items": [
        {
            "item": "i9",
            "position": 0,
            "score": 0.4127,
            "propensity": 1.0,
            "source": "co_visitation",
            "fields": {},
            "explanation": {
                "sentence": "Others who share an interest of yours liked this",
                "mean": 0.0312,
                "contributions": [
                    {"feature": "together_sum", "value": 1.83, "adds": 0.3001},
                    {"feature": "price", "value": 9.9, "adds": 0.0952},
                ],
                "rest": -0.0138,
                "missing": None,
            },
        }
    ],
    "n_candidates": 3,
    "vectors": "replayed",
    "interactions": [
        {
            "event": "0199e5a8-5b0a-7f3e-8a11-2c9d7e0b6f42",
            "sequence": 1099511628350,
            "occurred_at": 1795517862411,
            "item": "i9",
            "action": "click",
            "value": 1.0,
            "named": True,
            "in_time": True,
        }
    ],
    "looked_until": 1099511628360,
    "complete": False,
}
OPERATION = Operation(
    method="get",
    path="/v1/slates/{slate}",
    tag="slates",
    summary="A slate as it was shown, what followed, and why its items stood where they did",
    description=f"""\
The items with scores and propensities as they were logged, the interactions that followed, and for each of the first
{EXPLAINED} items what each feature added to its score: exact TreeSHAP, by the model that gave the scores.

The features are those that the slate was logged with, or those of the trainer's replay, which is behind by the label
window; where they are not at hand, `missing` says so. The header `Accept-Language` chooses the language of the
sentences, unless the slate's context has a `language`.

What followed is looked for in the log to the end of the label window, at most {LOOKED_THROUGH:,} places far.""",
    response=SlatePapers,
    response_example=_EXAMPLE,
    parameters=[
        {
            "name": "slate",
            "in": "path",
            "required": True,
            "description": "Its id",
            "schema": {"type": "string", "minLength": 1},
            "example": _SLATE,
        }
    ],
    errors={
        404: Answer(
            when="The log has no slate of this id",
            example=a_problem(
                404,
                "the log has no slate 'x1'; the ranker's reach it within a second, unless `log` was false",
                title="Not found",
                code="not_found",
            ),
        ),
        503: Answer(
            when="The database does not answer",
            example=a_problem(
                503, "the database does not answer: ConnectionRefusedError", title="Unavailable"
            ),
        ),
    },
)


async def look_at_slate(http: web.Request) -> web.Response:
    """``GET /v1/slates/{slate}``."""
    papers = await http.app[SLATES].look(http.match_info["slate"], http.headers.get("Accept-Language", ""))
    return json_response(papers)
