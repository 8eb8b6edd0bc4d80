"""HTTP to the state and back: what is known of an item or a user."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from eddyline_feature_store.live_fold import LiveFold
from eddyline_runtime.openapi import Operation
from eddyline_runtime.problems import NotFound, Unavailable
from eddyline_runtime.web_app import json_response

FOLD: web.AppKey[LiveFold] = web.AppKey("fold", LiveFold)


def _operation(kind: str) -> Operation:
    return Operation(
        method="get",
        path=f"/v1/{kind}s/{{{kind}}}",
        summary=f"What is known of the {kind}: fields that features use, counts, when it was seen",
        response=dict[str, Any],
        parameters=[{"name": kind, "in": "path", "required": True, "schema": {"type": "string"}}],
        errors={404: f"nothing is known of this {kind}", 503: "the state is still catching up with the log"},
    )


OPERATIONS = [_operation("item"), _operation("user")]


async def item(http: web.Request) -> web.Response:
    """``GET /v1/items/{item}``."""
    name = http.match_info["item"]
    return _found(_live(http).state.item(name), f"nothing is known of item {name!r}")


async def user(http: web.Request) -> web.Response:
    """``GET /v1/users/{user}``."""
    name = http.match_info["user"]
    return _found(_live(http).state.user(name), f"nothing is known of user {name!r}")


def _live(http: web.Request) -> LiveFold:
    fold = http.app[FOLD]
    if not fold.caught_up.is_set():
        raise Unavailable("the state is still catching up with the log")
    return fold


def _found(known: dict[str, Any] | None, otherwise: str) -> web.Response:
    if known is None:
        raise NotFound(otherwise)
    return json_response(known)
