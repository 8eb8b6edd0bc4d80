"""Requests and answers of ``/v1/recommend``: the types that validate are those that the OpenAPI document shows."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from eddyline_contracts.api import Problem, Slate
from eddyline_contracts.events import Fields, Id, OccurredAt
from eddyline_contracts.limits import MAX_ITEMS

MAX_BATCH = 100
FilterForm = dict[str, Any]
"""A condition on item fields as JSON; checked where it is compiled."""


class RecommendRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/recommend``: choose items from the whole catalogue for this person."""

    user: Id | None = None
    """For whom; this, or ``session``, or both."""
    session: Id | None = None
    """The visit; who has no account is known by it alone."""
    n: Annotated[int, Meta(ge=1, le=MAX_ITEMS)] = 20
    """So many items at most; fewer only where there are no more."""
    context: Fields = {}
    """Fields of this request, as the device or the query; features with ``context.`` read them."""
    exclude: Annotated[list[Id], Meta(max_length=10 * MAX_ITEMS)] = []
    """Items that are not to be shown, as those on the page already."""
    filters: FilterForm | None = None
    """Only items whose fields are so."""
    caps: dict[str, Annotated[int, Meta(ge=1, le=MAX_ITEMS)]] | None = None
    """At most so many items with the same value of a field; the view's where absent."""
    diversity: Annotated[float, Meta(ge=0, le=1)] | None = None
    """0: by score alone; 1: as unlike each other as can be; the view's where absent."""
    occurred_at: OccurredAt | None = None
    """Recommend as of this time; for replaying history."""
    min_sequence: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    """Wait (bounded) until the features reflect this place in the log."""
    explain: bool = False
    """Say of each item why it is there."""
    log: bool = True
    """Publish the slate as a fact to learn from."""
    request_id: Id | None = None
    """A retry with the same id gets the same slate, and is logged once."""


class RecommendBatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/recommend:batch``: many requests in one."""

    requests: Annotated[list[RecommendRequest], Meta(max_length=MAX_BATCH)]
    """Each as of ``/v1/recommend``."""


class BatchAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one request of a batch: a slate, or what is wrong with it."""

    slate: Slate | None = None
    """As of ``/v1/recommend``."""
    problem: Problem | None = None
    """Why there is no slate; the others have theirs all the same."""


class BatchAnswers(Struct, frozen=True, kw_only=True):
    """Answer to ``POST /v1/recommend:batch``."""

    answers: list[BatchAnswer]
    """In the order of the requests."""
