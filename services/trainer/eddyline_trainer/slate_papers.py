"""A slate as it was shown, and what is known of it since."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from eddyline_contracts.api import Explanation


class ShownItem(Struct, frozen=True, kw_only=True):
    """An item at its place."""

    item: str
    position: int
    """From 0, at the top."""
    score: float | None
    """By which it was placed there, as it was logged: five digits of the slate's largest."""
    propensity: float | None
    """Probability that it was put there."""
    source: str | None
    """Where it was found, if it was retrieved."""
    fields: dict[str, Any]
    """That held for it in this slate only."""
    explanation: Explanation | None
    """Why it stood there; none beyond the first 50."""


class Followed(Struct, frozen=True, kw_only=True):
    """What the person did."""

    event: str
    sequence: int
    """Its place in the log."""
    occurred_at: int
    """ms since the Unix epoch."""
    item: str
    action: str
    """As the view's ``actions`` name it."""
    value: float
    named: bool
    """Whether it names this slate; otherwise it is held to follow from it, as the newest slate that showed this person
    the item."""
    in_time: bool
    """Whether it came within the label window, and on an item of the slate: then it is a lesson for models."""


class SlatePapers(Struct, frozen=True, kw_only=True):
    """Answer to ``GET /v1/slates/{slate}``."""

    slate: str
    """Its id."""
    sequence: int
    """Its place in the log."""
    occurred_at: int
    """ms since the Unix epoch, as all times here."""
    recorded_at: int
    """When the log got it."""
    user: str | None
    session: str | None
    """For whom it was; at least one of both is known."""
    context: dict[str, Any]
    """Fields of the request."""
    policy: str | None
    """How the order came about; none where a client made it."""
    model: str | None
    """Whose scores they are, or item priors (by ``policy``)."""
    view: str | None
    features_sequence: int | None
    """Log position that the features reflected."""
    ranked_at: int | None
    """Time for which they held."""
    items: list[ShownItem]
    """As they were shown, the first at the top."""
    n_candidates: int
    """That they were chosen from."""
    vectors: str | None
    """Where the features come from that the contributions are of: ``served`` (logged with the slate), ``replayed`` (by
    the trainer, and bit for bit the same); none where they are not known any more."""
    interactions: list[Followed]
    """That followed, in the order of the log; one that got there before its slate is found if it names it."""
    looked_until: int
    """Place in the log up to which they were looked for."""
    complete: bool
    """Whether the label window was looked through to its end; otherwise more may follow."""
