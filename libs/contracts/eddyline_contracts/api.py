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
    """What is wrong, in a word for programs."""
    detail: str
    """What is wrong here, and what to do about it."""


class Receipt(Struct, frozen=True, kw_only=True):
    """Answer to ``POST /v1/events``: what the inbox has stored. The three counts add up to the events sent."""

    accepted: int
    """New, and stored now."""
    duplicates: int
    """Stored by the bus already, or twice in the request; best effort, the log decides."""
    rejected: list[Rejection]
    """What was refused; the rest is stored all the same."""
    sequence: int | None
    """Place of the newest accepted event; pass it as ``min_sequence`` to read your own writes."""


class RankItem(Struct, frozen=True, kw_only=True, gc=False):
    """A candidate with fields that hold in this request only."""

    item: Id
    fields: Fields = {}


class RankRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/rank``: order these items for this person."""

    items: Annotated[
        list[Id | RankItem],
        Meta(min_length=1, max_length=MAX_ITEMS, extra_json_schema={"uniqueItems": True}),
    ]
    """What to order: ids, or objects with fields of this request; each item once."""
    user: Id | None = None
    """For whom; this, or ``session``, or both."""
    session: Id | None = None
    """The visit; who has no account is known by it alone."""
    context: Fields = {}
    """Fields of this request, as the device or the query; features with ``context.`` read them."""
    occurred_at: OccurredAt | None = None
    """Rank as of this time; for replaying history."""
    min_sequence: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    """Wait (bounded) until the features reflect this place in the log."""
    log: bool = True
    """Publish the slate as a fact to learn from."""
    explain: bool = False
    """Say of each item why it stands there."""
    request_id: Id | None = None
    """A retry with the same id gets the same slate, and is logged once."""


class Contribution(Struct, frozen=True, kw_only=True, gc=False):
    """What one feature adds to a score."""

    feature: str
    """Column of the feature view."""
    value: float | None
    """What it was; none where it was unknown."""
    adds: float
    """To the score, beside the model's mean score; negative where it takes away (exact TreeSHAP)."""


class Explanation(Struct, frozen=True, kw_only=True):
    """Why an item stands where it does."""

    sentence: str
    """For the person who sees the item."""
    mean: float | None = None
    """Score of the model without knowing anything; it and all that features add sum up to the score."""
    contributions: list[Contribution] = []
    """The largest ones, by size."""
    rest: float = 0.0
    """What all other features add together."""
    missing: str | None = None
    """Why there are no contributions, where there are none."""


class RankedItem(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An item at its place in the slate."""

    item: str
    score: float
    """By which it stands there; comparable within the slate only."""
    propensity: float
    """Probability that it was put here: 1 where the order is by score alone, below where chance drew it."""
    source: str | None = None
    """Where ``/v1/recommend`` found it."""
    explanation: Explanation | None = None
    """Why it stands here, where that was asked for."""


class Slate(Struct, frozen=True, kw_only=True):
    """Answer to ``POST /v1/rank`` and ``POST /v1/recommend``: the items in order, the best first."""

    slate: str
    """Name it in the interactions that follow."""
    items: list[RankedItem]
    """All that were sent, or those that were chosen; the best first."""
    model: str | None
    """The model whose scores these are, or (when ``features`` were missing) whose item priors; none while there is no
    usable one."""
    view: str
    """Feature view that the model reads."""
    features_sequence: int | None
    """Log position that the features reflect; none when they could not be had."""
    ranked_at: int
    """Time for which the features held, in ms since the Unix epoch."""
    degraded: list[str]
    """What was missing; empty when all is well. ``features``: ordered by the item priors of the model's bundle.
    ``model``: by the item priors of the feature-store. Both: in the order of the request. ``min_sequence``: the
    features do not yet reflect that place in the log. While ``features`` are missing, a recommendation is of the items
    that the bundle knows (with ``model`` of none) and that were not removed since, and cannot heed ``caps`` or
    ``diversity``; with ``filters`` it is empty, since no item is shown whose filters were not checked. ``removals``:
    what was removed is not all known, so it is empty, or (while the bus is away) as of when that was known."""
    took_ms: float
    """Milliseconds that the ranker spent on it."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error, by RFC 9457 (``application/problem+json``)."""

    title: str
    status: int
    """As in the answer's first line."""
    detail: str
    """What is wrong here, and what to do about it."""
    code: str
    """What is wrong, in a word for programs."""
    errors: list[Rejection] | None = None
    """Each refused event, where none could be taken."""


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Answer of ``/health/live`` and ``/health/ready``."""

    status: str
    """``live``, ``ready`` or ``waiting``."""
    waiting_for: list[str] = []
    """What has to come first."""
    details: dict[str, Any] = {}
    """What the service says of itself beside that."""
    version: str = ""
    """Of Eddyline, in `/health/ready`."""
    now: int = 0
    """The clock of its machine in `/health/ready`, in ms since the Unix epoch."""
