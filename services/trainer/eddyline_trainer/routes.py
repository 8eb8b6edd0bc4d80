"""HTTP to the registry and back."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from eddyline_eventlog.database import is_transient
from eddyline_runtime.openapi import Operation
from eddyline_runtime.problems import Unavailable
from eddyline_runtime.web_app import json_response
from eddyline_trainer.registry import ModelPapers, Registry

REGISTRY: web.AppKey[Registry] = web.AppKey("registry", Registry)
_NEWEST = 200


class Models(Struct, frozen=True, kw_only=True):
    """Answer to ``GET /v1/models``."""

    models: list[ModelPapers]
    """The newest first, at most 200."""


OPERATIONS = [
    Operation(
        method="get",
        path="/v1/models",
        summary="The models that were made, the newest first, with their papers and roles",
        response=Models,
        errors={503: "the database does not answer"},
    )
]


async def models(http: web.Request) -> web.Response:
    """``GET /v1/models``."""
    try:
        found = await http.app[REGISTRY].models(_NEWEST)
    except Exception as error:
        if is_transient(error):
            raise Unavailable(f"the database does not answer: {error or type(error).__name__}") from error
        raise
    return json_response(Models(models=found))
