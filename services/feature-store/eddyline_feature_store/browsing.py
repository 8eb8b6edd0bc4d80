"""HTTP to the catalogue as the state knows it: what goes with an item, what many people act on lately."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import web

from eddyline_contracts.api_catalogue import (
    UNKNOWN_ITEM,
    FoundItem,
    SimilarItems,
    SimilarQuery,
    TrendingItem,
    TrendingItems,
    TrendingQuery,
)
from eddyline_feature_store import metrics
from eddyline_feature_store.live_fold import LiveFold
from eddyline_features.durations import milliseconds, spell
from eddyline_features.filters.masks import Filters
from eddyline_features.kernel import Octets
from eddyline_features.retrieval.browsing import (
    UnknownHalfLife,
    UnknownItem,
    similar_items,
    trending_items,
)
from eddyline_features.retrieval.similar import WAYS
from eddyline_features.state import NoRetrieval, State
from eddyline_runtime.openapi import Answer, Operation, a_problem
from eddyline_runtime.problems import Conflict, NotFound, Unavailable
from eddyline_runtime.query import InvalidQuery, query_parameters, read_query
from eddyline_runtime.web_app import json_response

TAG = "catalogue"
_MOST_WAIT_MS = 1_000
"""For ``min_sequence``, as the ranker does."""
_BEHIND = "the state is still catching up with the log"
_NO_RECOMMEND = (
    "eddyline.yaml has no section `recommend`, so nothing is kept to choose candidates from: add `recommend: {}` to "
    "it"
)
_ERRORS: dict[int, str | Answer] = {
    409: Answer(
        when="The view does not keep what is needed; `detail` says what to add",
        example=a_problem(409, _NO_RECOMMEND),
    ),
    422: Answer(
        when="The query cannot be taken; `detail` says why",
        example=a_problem(
            422,
            "`limit` is no parameter of this call: there are n, by, filters, exclude, min_sequence",
            title="Refused",
        ),
    ),
    503: _BEHIND,
}
OPERATIONS = [
    Operation(
        method="get",
        path="/v1/similar/{item}",
        summary="What goes with this item",
        description="""\
Never itself, nothing removed or excluded, and only what `filters` let through. Items that people act on beside it, that
say the same, and that the same people like are found each by itself, and put in one order by their places (`by` chooses
among them). Where that gives too few, items follow that share values of fields with it (`fields`), rare ones first, and
then popular ones (`popular`): each says by what it was found.""",
        tag=TAG,
        response=SimilarItems,
        response_example={
            "item": "i1",
            "items": [
                {"item": "i9", "score": 0.98, "found_by": ["together", "taste"]},
                {"item": "i2", "score": 0.49, "found_by": ["taste"]},
                {"item": "i7", "score": 0.21, "found_by": ["fields"]},
            ],
            "by": ["together", "taste"],
            "sequence": 1099511628341,
            "stale": False,
        },
        parameters=[
            {
                "name": "item",
                "in": "path",
                "required": True,
                "description": "Its id, as in the events; percent-encode what has a meaning in addresses, as `/` "
                "(`%2F`)",
                "schema": {"type": "string", "minLength": 1},
                "example": "i1",
            },
            *query_parameters(SimilarQuery, {"n": 3}),
        ],
        errors={
            404: Answer(
                when="Nothing is known of this item",
                example=a_problem(404, "nothing is known of item 'x1'", code=UNKNOWN_ITEM),
            ),
            **_ERRORS,
        },
    ),
    Operation(
        method="get",
        path="/v1/trending",
        summary="What many people act on lately",
        description="""\
By the number of actions, each counting half after `half_life` and as much as its weight in eddyline.yaml says. With
`over`, a longer half-life, by how many times as many as usual they are: what rises. Items that nobody acts on any more
are not among them.""",
        tag=TAG,
        response=TrendingItems,
        response_example={
            "items": [
                {"item": "i9", "score": 3.91, "actions": 12.4},
                {"item": "i2", "score": 1.07, "actions": 40.2},
            ],
            "half_life": "1h",
            "over": "7d",
            "at": 1795517858033,
            "sequence": 1099511628341,
            "stale": False,
        },
        parameters=query_parameters(TrendingQuery, {"n": 2}),
        errors=_ERRORS,
    ),
]


class Browsing:
    """Answers both.

    Parameters
    ----------
    max_wait_ms
        How long an answer waits for ``min_sequence`` at most.
    """

    def __init__(self, fold: LiveFold, *, max_wait_ms: int) -> None:
        self._fold = fold
        self._max_wait_s = min(max_wait_ms, _MOST_WAIT_MS) / 1_000
        self._filters = Filters(fold.state)

    async def similar(self, http: web.Request) -> web.Response:
        """``GET /v1/similar/{item}``."""
        with metrics.SIMILAR.counted():
            return await self._similar(http)

    async def trending(self, http: web.Request) -> web.Response:
        """``GET /v1/trending``."""
        with metrics.TRENDING.counted():
            return await self._trending(http)

    async def _similar(self, http: web.Request) -> web.Response:
        item, asked = http.match_info["item"], read_query(http.query, SimilarQuery)
        state = await self._state(asked.min_sequence)
        try:
            with metrics.SIMILAR.seconds.time():
                found = similar_items(
                    state,
                    item,
                    asked.n,
                    ways=asked.by or WAYS,
                    allowed=self._allowed(asked.filters),
                    exclude=asked.exclude,
                )
        except NoRetrieval as error:
            raise Conflict(str(error)) from error
        except UnknownItem as error:
            raise NotFound(f"nothing is known of item {item!r}", UNKNOWN_ITEM) from error
        told = SimilarItems(
            item=item,
            items=[
                FoundItem(item=name, score=near.score, found_by=near.found_by) for name, near in found.items
            ],
            by=found.ways,
            sequence=state.sequence,
            stale=state.sequence < asked.min_sequence,
        )
        metrics.SIMILAR.answered(len(told.items), asked.n, stale=told.stale)
        return json_response(told)

    async def _trending(self, http: web.Request) -> web.Response:
        asked = read_query(http.query, TrendingQuery)
        if (asked.field is None) != (asked.value is None):
            raise InvalidQuery(
                "`field` and `value` belong together: say both, as field=genres&value=comedy, or neither"
            )
        state = await self._state(asked.min_sequence)
        try:
            with metrics.TRENDING.seconds.time():
                found = trending_items(
                    state,
                    asked.n,
                    half_life_ms=None if asked.half_life is None else milliseconds(asked.half_life),
                    over_ms=None if asked.over is None else milliseconds(asked.over),
                    allowed=self._allowed(asked.filters, asked.field, asked.value),
                    exclude=asked.exclude,
                )
        except NoRetrieval as error:
            raise Conflict(str(error)) from error
        except UnknownHalfLife as error:
            raise InvalidQuery(str(error)) from error
        told = TrendingItems(
            items=[
                TrendingItem(item=item, score=score, actions=actions)
                for item, score, actions in zip(found.items, found.scores, found.actions, strict=True)
            ],
            half_life=spell(found.half_life_ms),
            over=None if found.over_ms is None else spell(found.over_ms),
            at=found.at,
            sequence=state.sequence,
            stale=state.sequence < asked.min_sequence,
        )
        metrics.TRENDING.answered(len(told.items), asked.n, stale=told.stale)
        return json_response(told)

    async def _state(self, min_sequence: int) -> State:
        if not self._fold.caught_up.is_set():
            raise Unavailable(_BEHIND)
        if min_sequence > self._fold.state.sequence:
            await self._fold.reached(min_sequence, self._max_wait_s)
        return self._fold.state

    def _allowed(
        self, filters: str | None, field: str | None = None, value: str | None = None
    ) -> Octets | None:
        """What the query says of fields, as a mask by item row; None where it says nothing."""
        told = [] if filters is None else [_read_filters(filters)]
        if field is not None and value is not None:
            told.append({"or": [{"field": field, "equals": one} for one in _meant(value)]})
        return self._filters.allowed({"and": told}) if told else None


def _read_filters(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidQuery(
            f"`filters` is not JSON ({error}): percent-encode it, as `curl -G --data-urlencode 'filters="
            '{"brand": "a"}\'`'
        ) from error


def _meant(value: str) -> list[str | float | bool]:
    """What a word of a query may be in an event."""
    meant: list[str | float | bool] = [value]
    if value in ("true", "false"):
        meant.append(value == "true")
    with suppress(ValueError):
        if math.isfinite(number := float(value)):
            meant.append(number)
    return meant
