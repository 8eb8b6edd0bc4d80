"""Requests and answers of ``/v1/predict``: the types that validate are those that the OpenAPI document shows."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from eddyline_contracts.events import Fields, Id, OccurredAt
from eddyline_contracts.limits import MAX_ITEMS

MAX_PAIRS = MAX_ITEMS


class PredictPair(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """A person and an item."""

    item: Id
    user: Id | None = None
    """Who; this, or ``session``, or both."""
    session: Id | None = None
    """The visit; who has no account is known by it alone."""


class PredictRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/predict``: what is to be expected if these people are shown these items."""

    pairs: Annotated[list[PredictPair], Meta(min_length=1, max_length=MAX_PAIRS)]
    """Of whom, and of what. Nothing is shown, and nothing is logged."""
    context: Fields = {}
    """Fields of this request, as the device or the query; features with ``context.`` read them."""
    occurred_at: OccurredAt | None = None
    """Predict as of this time."""
    min_sequence: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    """Wait (bounded) until the features reflect this place in the log."""


class Prediction(Struct, frozen=True, kw_only=True, gc=False):
    """What is expected of one pair."""

    item: str
    user: str | None
    session: str | None
    """The pair, as it was asked."""
    value: float | None
    """As ``unit`` says; none where there is nothing to predict by."""
    unit: Literal["value", "probability", "rate"]
    """``value``: on the scale of the ratings. ``probability``: that the person acts on the item, once it is shown.
    ``rate``: how often anybody does."""
    by: Literal["booster", "online", "prior", "nothing"]
    """``booster``: the model in service (objectives ``rating`` and ``click``). ``online``: the model in the fold (under
    ``rank``, whose scores only order, or while there is no booster). ``prior``: the item alone."""


class Predictions(Struct, frozen=True, kw_only=True):
    """Answer to ``POST /v1/predict``."""

    predictions: list[Prediction]
    """In the order of the pairs."""
    model: str | None
    """The model in service, where it predicted any."""
    view: str
    """Feature view that was asked."""
    features_sequence: int | None
    """Log position that the features of every pair reflect at least; none when those of a pair could not be had."""
    degraded: list[str]
    """What was missing; empty when all is well. ``features``: predicted by the item priors of the model's bundle.
    ``model``: there is no usable booster. ``min_sequence``: the features do not yet reflect that place in the log."""
    took_ms: float
    """Milliseconds that the ranker spent on it."""
