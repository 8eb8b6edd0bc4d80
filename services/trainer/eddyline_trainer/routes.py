"""HTTP to the desk and back."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from eddyline_runtime.openapi import Operation
from eddyline_runtime.web_app import json_response
from eddyline_trainer.desk import Desk
from eddyline_trainer.papers import CyclePapers, DecisionPapers, ModelPapers, Told

DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


class Models(Struct, frozen=True, kw_only=True):
    """Answer to ``GET /v1/models``. Each list has the newest first, at most 200."""

    models: list[ModelPapers]
    decisions: list[DecisionPapers]
    cycles: list[CyclePapers]


_AWAY = "the database does not answer"
OPERATIONS = [
    Operation(
        method="get",
        path="/v1/models",
        summary="The models with their roles, what the gate decided and by which numbers, and what cycles cost",
        response=Models,
        errors={503: _AWAY},
    ),
    Operation(
        method="post",
        path="/v1/models/{model}/promote",
        summary="Make a model champion by hand",
        response=Told,
        parameters=[
            {
                "name": "model",
                "in": "path",
                "required": True,
                "description": "its name, or so much of it that no other begins with it",
                "schema": {"type": "string"},
            }
        ],
        errors={
            404: "no model of that name",
            409: "several models' names begin so; or it serves already, or is of another view",
            503: _AWAY,
        },
    ),
    Operation(
        method="post",
        path="/v1/models/rollback",
        summary="Make the champion's predecessor champion again",
        response=Told,
        errors={409: "there is none", 503: _AWAY},
    ),
]


async def models(http: web.Request) -> web.Response:
    """``GET /v1/models``."""
    found, decisions, cycles = await http.app[DESK].look()
    return json_response(Models(models=found, decisions=decisions, cycles=cycles))


async def promote(http: web.Request) -> web.Response:
    """``POST /v1/models/{model}/promote``."""
    return json_response(await http.app[DESK].promote(http.match_info["model"]))


async def roll_back(http: web.Request) -> web.Response:
    """``POST /v1/models/rollback``."""
    return json_response(await http.app[DESK].roll_back())
