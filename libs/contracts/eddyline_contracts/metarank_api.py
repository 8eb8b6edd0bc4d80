"""Requests and answers of the HTTP API in Metarank's form: ``POST /feedback`` and ``POST /rank/{model}``.

Members that its documentation knows have its names and meaning; what Eddyline has to say beyond them stands beside.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from eddyline_contracts.api import Rejection
from eddyline_contracts.events import Id
from eddyline_contracts.limits import MAX_ITEMS
from eddyline_contracts.metarank import MetarankRankingItem, Pairs, Timestamp


class MetarankAccepted(Struct, frozen=True, kw_only=True):
    """Answer to ``POST /feedback``. ``accepted`` and ``rejected`` add up to the events sent."""

    accepted: int
    """Stored, now or when they were sent before."""
    status: str
    """``ok``, or ``rejected`` when some of the events were refused; the others are kept."""
    took_millis: int = msgspec.field(name="tookMillis")
    updated: int = 0
    """Always 0: no feature waits to be computed, each is read from the state when a ranking needs it."""
    duplicates: int = 0
    """How many of the accepted were stored before, or twice in the request; best effort, the log decides."""
    rejected: list[Rejection] = []
    sequence: int | None = None
    """Place of the newest accepted event; pass it as ``min_sequence`` to ``/rank/{model}`` to read your own writes."""


class MetarankRankRequest(Struct, frozen=True, kw_only=True):
    """``POST /rank/{model}``: a ranking event that did not happen yet. Members that are not listed are ignored."""

    id: Annotated[Id, Meta(extra_json_schema={"pattern": "^[^\0]*$"})]
    """Name of the ranking: what the ``ranking`` event and its interactions name."""
    items: Annotated[list[MetarankRankingItem], Meta(min_length=1, max_length=MAX_ITEMS)]
    event: Literal["ranking"] = "ranking"
    timestamp: Timestamp | None = None
    """Rank as of this time: milliseconds since 1970, as a number or as digits, or ISO 8601; absent means now."""
    user: Id | None = None
    session: Id | None = None
    """Where neither user nor session is given, the ranking is a visit of its own."""
    fields: Pairs = []


class MetarankFeature(Struct, frozen=True, gc=False):
    """A column that the model saw."""

    name: str
    value: float | None
    """None where it is unknown."""


class MetarankScore(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An item in its new place."""

    item: str
    score: float
    features: list[MetarankFeature] | None = None
    """With ``explain=true``: every column of the view, by name."""


class MetarankRanked(Struct, frozen=True, kw_only=True):
    """Answer to ``POST /rank/{model}``: the items in order, the best first."""

    took: int
    """Milliseconds."""
    items: list[MetarankScore]
    model: str | None
    """The model whose scores these are; none while there is no usable one, and items go by their rates."""
    degraded: list[str]
    """What was missing, as in the answer of ``/v1/rank``; empty when all is well."""
