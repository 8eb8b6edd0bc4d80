"""HTTP to the state and back: what is known of an item or a user."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from eddyline_feature_store import browsing
from eddyline_feature_store.known import ItemKnown, UserKnown
from eddyline_feature_store.live_fold import LiveFold
from eddyline_feature_store.settings import FeatureStoreSettings
from eddyline_runtime.openapi import Answer, Api, Operation, a_problem
from eddyline_runtime.problems import NotFound, Unavailable
from eddyline_runtime.web_app import json_response

FOLD: web.AppKey[LiveFold] = web.AppKey("fold", LiveFold)


_ITEM = {
    "item": "i1",
    "fields": {"price": 3.23, "popularity": 5.396, "in_stock": False, "genres": ["family", "crime"]},
    "counts": {"click_1h": 0.74, "impression_1h": 13.99, "click_forever": 8.0, "impression_forever": 51.0},
    "prior": 0.0447,
    "removed": False,
    "first_seen": 1736150400200,
    "last_seen": 1736157858033,
}
_USER = {
    "user": "u1",
    "fields": {"age": 52.0},
    "counts": {"impression_30m": 22.99},
    "acted": [
        {"item": "i9", "action": "click", "occurred_at": 1736157855520},
        {"item": "i11", "action": "bookmark", "occurred_at": 1736157849811},
    ],
    "shown": 64,
    "first_seen": 1736150420300,
    "last_seen": 1736157858033,
}


def _operation(kind: str, response: type, example: dict[str, Any], description: str) -> Operation:
    return Operation(
        method="get",
        path=f"/v1/{kind}s/{{{kind}}}",
        summary=f"What is known of the {kind}: fields that features use, counts, when it was seen",
        description=description,
        response=response,
        response_example=example,
        parameters=[
            {
                "name": kind,
                "in": "path",
                "required": True,
                "description": "Its id, as in the events; percent-encode what has a meaning in addresses, as `/` "
                "(`%2F`)",
                "schema": {"type": "string", "minLength": 1},
                "example": example[kind],
            }
        ],
        errors={
            404: Answer(
                when=f"Nothing is known of this {kind}",
                example=a_problem(404, f"nothing is known of {kind} 'x1'"),
            ),
            503: _BEHIND,
        },
    )


_BEHIND = "the state is still catching up with the log"
_AS_OF = "As of the log position that the state reflects: `details.sequence` of `/health/ready`."
OPERATIONS = [
    _operation("item", ItemKnown, _ITEM, _AS_OF),
    _operation(
        "user", UserKnown, _USER, f"{_AS_OF} A session that came without a user is found by its own id."
    ),
]
API = Api(
    title="Eddyline feature-store",
    description="The live state of items and users, folded from the log. The ranker asks it over the bus; here people "
    "can look into it, and programs through the catalogue.",
    default_port=FeatureStoreSettings.port,
    tags={
        "state": "What is known of an item or a user.",
        browsing.TAG: "What goes with an item, and what many people act on.",
    },
    operations=[*OPERATIONS, *browsing.OPERATIONS],
)


async def item(http: web.Request) -> web.Response:
    """``GET /v1/items/{item}``."""
    name = http.match_info["item"]
    return _found(_live(http).state.item(name), ItemKnown, f"nothing is known of item {name!r}")


async def user(http: web.Request) -> web.Response:
    """``GET /v1/users/{user}``."""
    name = http.match_info["user"]
    return _found(_live(http).state.user(name), UserKnown, f"nothing is known of user {name!r}")


def _live(http: web.Request) -> LiveFold:
    fold = http.app[FOLD]
    if not fold.caught_up.is_set():
        raise Unavailable(_BEHIND)
    return fold


def _found(known: dict[str, Any] | None, form: type, otherwise: str) -> web.Response:
    if known is None:
        raise NotFound(otherwise)
    return json_response(msgspec.convert(known, form))
