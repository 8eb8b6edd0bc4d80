"""HTTP to the desk and back."""

from __future__ import annotations

import asyncio
import os

from aiohttp import web
from msgspec import Struct

from eddyline_contracts.limits import InvalidEvent, Refusal
from eddyline_learning.outside.unfit import UnfitModel
from eddyline_runtime.openapi import Answer, Api, Operation, a_problem
from eddyline_runtime.web_app import json_response
from eddyline_trainer.desk import Desk
from eddyline_trainer.papers import Added, ColumnsPapers, CyclePapers, DecisionPapers, ModelPapers, Told
from eddyline_trainer.settings import TrainerSettings
from eddyline_trainer.slate_route import OPERATION as SLATE

DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)


class Unfit(Refusal):
    """The model cannot be taken as it is."""

    code = "unfit_model"


class Models(Struct, frozen=True, kw_only=True):
    """Answer to ``GET /v1/models``. Each list has the newest first, at most 200."""

    models: list[ModelPapers]
    """All that were made."""
    changes: list[DecisionPapers]
    """The decisions that changed who serves: the champion's history, however long ago."""
    decisions: list[DecisionPapers]
    """Of the gate, and by hand."""
    cycles: list[CyclePapers]
    """What each cycle of learning made, and what it cost."""


_AWAY = Answer(
    when="The database does not answer",
    example=a_problem(503, "the database does not answer: ConnectionRefusedError", title="Unavailable"),
)
_CHAMPION = "98a7d1afdfe998f2873a3d6106f27846cb549cc43f5d9fdbedb3abfed47911a0"
_FORMER = "05999e5679d1fb3af87f73469a7250ea3f15a0e4cb308926f4d68a86336129e1"
_ADDED = "4be8a1f0c2d95e7a3b6f8091a2c4d6e8f0a1b3c5d7e9f1a2b4c6d8e0f2a4b6c8"
# Both fit into a request line, however they are written there.
_MAX_NAME, _MAX_NOTE = 100, 500
_SLATES, _MAX_SLATES = 10_000, 1_000_000
_PIECE = 256 * 1024
_TOLD = {"model": _CHAMPION, "replaced": _FORMER, "event": "promotion-59233b9e-1099511628617"}
_DECISION = {
    "cut": 3,
    "sequence": 1099511628324,
    "challenger": _CHAMPION,
    "opponent": _FORMER,
    "outcome": "promote",
    "reason": "not worse, on slates that neither was trained on",
    "n": 400,
    "mean": 0.0163,
    "lower": 0.0024,
    "upper": 0.0302,
    "delta": 0.005,
    "seconds": 0.012,
    "decided_at": 1795517722391,
}
_MODELS = {
    "models": [
        {
            "model": _CHAMPION,
            "view": "shop-ffa6324e",
            "parent": _FORMER,
            "predecessor": _FORMER,
            "objective": "rank",
            "first_sequence": 1099511627856,
            "last_sequence": 1099511628181,
            "n_slates": 100,
            "n_examples": 1000,
            "metrics": {"made": {"strategy": "rebuild", "n_trees": 20}, "seconds": {"train": 0.023}},
            "created_at": 1795517722184,
            "promoted_at": 1795517722391,
            "decided_at": 1099511628324,
            "role": "champion",
        }
    ],
    "changes": [_DECISION],
    "decisions": [_DECISION],
    "cycles": [
        {
            "number": 2,
            "sequence": 1099511628195,
            "outcome": "made",
            "model": _CHAMPION,
            "cost": {"train": 0.023, "export": 0.002, "verify": 0.037},
            "created_at": 1795517722190,
        }
    ],
}
OPERATIONS = [
    Operation(
        method="get",
        path="/v1/models",
        summary="The models with their roles, what the gate decided and by which numbers, and what cycles cost",
        description="Each list has the newest first, at most 200. `eddyline models` shows the same on a terminal.",
        response=Models,
        response_example=_MODELS,
        errors={503: _AWAY},
    ),
    Operation(
        method="post",
        path="/v1/models",
        summary="Add a model that was made elsewhere, as ONNX",
        description="It is tried at once, and from its place in the log on compared with the champion; it serves when "
        "the gate promotes it. It takes the columns of `GET /v1/columns` as (N, F) float32, with NaN for what is "
        "unknown, and gives one score a row. `eddyline models add` does the same.",
        file="The ONNX file, with all weights inside; at most 32 MiB unless the trainer is set otherwise",
        example="model.onnx",
        response=Added,
        response_example={
            "model": _ADDED,
            "view": "shop-ffa6324e",
            "event": "added-59233b9e-6d1b-4b6e-9d37-0c5d8a9f6c11",
            "p50_us": 140,
            "n_rows": 2000,
        },
        parameters=[
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": about,
                "schema": {"type": "string", "maxLength": most, "pattern": "^[^\u0000]*$"},
                "example": example,
            }
            for name, about, most, example in (
                ("name", "What people call it", _MAX_NAME, "two towers"),
                ("note", "What else there is to say of it", _MAX_NOTE, "trained on November"),
            )
        ],
        errors={
            409: Answer(
                when="It is compared or serves already, or Eddyline has made it itself",
                example=a_problem(
                    409, f"model {_ADDED} is there already: `eddyline models` tells what became of it"
                ),
            ),
            413: "The file is larger than is allowed",
            422: Answer(
                when="It cannot be compared or served; `detail` says why, and what to do",
                example=a_problem(
                    422,
                    "it takes 12 columns, and the view in use has 10: one input (N, 10) of float32 with N left open is "
                    "expected; `eddyline models columns` lists them in their order",
                    code=Unfit.code,
                    title="Refused",
                ),
            ),
            503: Answer(
                when="The database does not answer; or the trainer stands by, still reads the log, or is at work on as "
                "many other models as it has room for",
                example=_AWAY.example,
            ),
        },
    ),
    Operation(
        method="get",
        path="/v1/columns",
        summary="What a model that is made elsewhere takes and gives",
        response=ColumnsPapers,
        response_example={
            "view": "shop-ffa6324e",
            "columns": ["position", "price", "ctr_30d"],
            "objective": "rank",
        },
    ),
    Operation(
        method="get",
        path="/v1/examples",
        summary="What models are made from: the newest ripe slates with their vectors and labels",
        description="A file for `numpy.load`: `vectors` (R, F) float32, `labels` and `positions` (R,), the rows of one "
        "slate after those of another; `sizes` and `sequences` (S,), of each slate its rows and its place in the log; "
        "`columns` (F,), their names. `eddyline models examples` writes it to disk.",
        response=str,
        response_example="(the bytes of an .npz file)",
        response_type="application/octet-stream",
        parameters=[
            {
                "name": "slates",
                "in": "query",
                "required": False,
                "description": "How many; those that the trainer holds at most",
                "schema": {"type": "integer", "minimum": 1, "maximum": _MAX_SLATES, "default": _SLATES},
                "example": 1_000,
            }
        ],
        errors={
            422: f"`slates` is no whole number from 1 to {_MAX_SLATES:,}",
            503: Answer(
                when="Others are fetching them, or the disk has no room to put them together",
                example=a_problem(
                    503,
                    "examples are fetched: 2 at once, and all places are taken; try again in 10 s",
                    title="Unavailable",
                ),
            ),
        },
    ),
    Operation(
        method="post",
        path="/v1/models/{model}/promote",
        summary="Make a model champion by hand",
        description="""\
Without asking the gate: every ranker serves it within seconds, and the learning goes on from it.
The one before is compared with it in the shadow: if it turns out worse, it is taken back, unless it is pinned.""",
        response=Told,
        response_example=_TOLD,
        parameters=[
            {
                "name": "model",
                "in": "path",
                "required": True,
                "description": "Its name, or so much of it that no other begins with it",
                "schema": {"type": "string", "minLength": 1},
                "example": _CHAMPION[:12],
            },
            {
                "name": "pin",
                "in": "query",
                "required": False,
                "schema": {"type": "boolean"},
                "description": "true: it stays until the next decision by hand, whatever the gate finds. "
                "The champion itself may be pinned, and released with false",
            },
        ],
        errors={
            404: Answer(
                when="No model of that name",
                example=a_problem(404, "no model's name begins with 'x1': GET /v1/models lists them"),
            ),
            409: Answer(
                when="Several models' names begin so; or it serves already, or is of another view",
                example=a_problem(409, f"model {_CHAMPION} serves already"),
            ),
            422: "`pin` is neither true nor false",
            503: _AWAY,
        },
    ),
    Operation(
        method="post",
        path="/v1/models/rollback",
        summary="Make the champion's predecessor champion again",
        description="For when a model turns out bad in use: every ranker serves the one before within seconds.",
        response=Told,
        response_example={**_TOLD, "model": _FORMER, "replaced": _CHAMPION},
        errors={
            409: Answer(
                when="There is none",
                example=a_problem(409, "no model serves: there is nothing to roll back"),
            ),
            503: _AWAY,
        },
    ),
]
API = Api(
    title="Eddyline trainer",
    description="Makes models from the log, compares them with the champion, and hands the better ones to the rankers.",
    default_port=TrainerSettings.port,
    tags={
        "models": "The registry: which models there are, which one serves and why.",
        "slates": "What was shown, what came of it, and why.",
    },
    operations=[*OPERATIONS, SLATE],
)


async def models(http: web.Request) -> web.Response:
    """``GET /v1/models``."""
    found, changes, decisions, cycles = await http.app[DESK].look()
    return json_response(Models(models=found, changes=changes, decisions=decisions, cycles=cycles))


async def add(http: web.Request) -> web.Response:
    """``POST /v1/models``."""
    told = {}
    for name, most in (("name", _MAX_NAME), ("note", _MAX_NOTE)):
        told[name] = http.query.get(name, "")
        if len(told[name]) > most:
            raise Refusal(
                f"`{name}` has {len(told[name]):,} characters, and {most:,} are allowed: shorten it"
            )
        if "\0" in told[name]:
            raise Refusal(f"`{name}` holds a NUL character, which the database cannot store: leave it out")
    desk = http.app[DESK]
    with desk.adding.place():
        try:
            onnx = await http.read()
        except web.HTTPRequestEntityTooLarge as error:
            error.text = "the model is larger than EDDYLINE_ADDED_MODEL_BYTES of the trainer allows"
            raise
        try:
            return json_response(await desk.add(onnx, **told))
        except UnfitModel as error:
            raise Unfit(str(error)) from error


async def columns(http: web.Request) -> web.Response:
    """``GET /v1/columns``."""
    return json_response(http.app[DESK].columns())


async def examples(http: web.Request) -> web.StreamResponse:
    """``GET /v1/examples``."""
    said = http.query.get("slates", str(_SLATES))
    if not (said.isascii() and said.isdigit() and len(said) < 8 and 1 <= int(said) <= _MAX_SLATES):
        raise Refusal(f"`slates` is {said[:40]!r}: give a whole number from 1 to {_MAX_SLATES:,}")
    desk = http.app[DESK]
    with desk.fetching.place(), await desk.examples(int(said)) as file:
        answer = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        answer.content_length = os.fstat(file.fileno()).st_size
        await answer.prepare(http)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await answer.write(piece)
        await answer.write_eof()
        return answer


async def promote(http: web.Request) -> web.Response:
    """``POST /v1/models/{model}/promote``."""
    said = http.query.get("pin", "false")
    if said not in ("true", "false"):
        raise InvalidEvent(f"`pin` is {said[:40]!r}; write pin=true or pin=false")
    return json_response(await http.app[DESK].promote(http.match_info["model"], pin=said == "true"))


async def roll_back(http: web.Request) -> web.Response:
    """``POST /v1/models/rollback``."""
    return json_response(await http.app[DESK].roll_back())
