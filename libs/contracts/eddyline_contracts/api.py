"""Requests and answers of the HTTP API: the types that validate are those that the OpenAPI documents show."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from eddyline_contracts.events import Fields, Id, OccurredAt
from eddyline_contracts.limits import MAX_ITEMS


class Rejection(Struct, frozen=True, kw_only=True):
    """One refused event of a batch."""

    index: int
    """Its place in the batch, from 0."""
    code: str
    detail: str


class Receipt(Struct, frozen=True, kw_only=True):
    """Answer to ``POST /v1/events``: what the inbox has stored. The three counts add up to the events sent."""

    accepted: int
    duplicates: int
    """Stored by the bus already, or twice in the request; best effort, the log decides."""
    rejected: list[Rejection]
    sequence: int | None
    """Place of the newest accepted event; pass it as ``min_sequence`` to read your own writes."""


class RankItem(Struct, frozen=True, kw_only=True, gc=False):
    """A candidate with fields that hold in this request only."""

    item: Id
    fields: Fields = {}


class RankRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/rank``: order these items for this person."""

    items: Annotated[list[Id | RankItem], Meta(min_length=1, max_length=MAX_ITEMS)]
    user: Id | None = None
    session: Id | None = None
    context: Fields = {}
    occurred_at: OccurredAt | None = None
    """Rank as of this time; for replaying history."""
    min_sequence: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    """Wait (bounded) until the features reflect this place in the log."""
    log: bool = True
    """Publish the slate as a fact to learn from."""
    request_id: Id | None = None
    """A retry with the same id gets the same slate, and is logged once."""


class RankedItem(Struct, frozen=True, kw_only=True, gc=False):
    item: str
    score: float
    propensity: float


class Slate(Struct, frozen=True, kw_only=True):
    """Answer to ``POST /v1/rank``: the items in order, the best first."""

    slate: str
    """Name it in the interactions that follow."""
    items: list[RankedItem]
    model: str | None
    """The model whose scores these are, or (when ``features`` were missing) whose item priors; none while there is no
    usable one."""
    view: str
    features_sequence: int | None
    """Log position that the features reflect; none when they could not be had."""
    ranked_at: int
    degraded: list[str]
    """What was missing; empty when all is well. ``features``: ordered by the item priors of the model's bundle.
    ``model``: by the item priors of the feature-store. Both: in the order of the request. ``min_sequence``: the
    features do not yet reflect that place in the log."""
    took_ms: float


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error, by RFC 9457 (``application/problem+json``)."""

    title: str
    status: int
    detail: str
    code: str = "invalid"
    errors: list[Rejection] | None = None


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Answer of ``/health/live`` and ``/health/ready``."""

    status: str
    waiting_for: list[str] = []
    details: dict[str, Any] = {}
