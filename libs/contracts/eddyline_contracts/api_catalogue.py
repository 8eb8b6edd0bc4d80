"""Answers of ``/v1/similar/{item}`` and ``/v1/trending``: items of the catalogue, for nobody in particular."""

from __future__ import annotations

from msgspec import Struct

UNKNOWN_ITEM = "unknown_item"
"""Code of the problem where nothing is known of an item; another 404 says that the address is wrong."""


class FoundItem(Struct, frozen=True, kw_only=True, gc=False):
    """An item of the catalogue, and what says that it belongs there."""

    item: str
    score: float
    """The higher, the better; comparable within the answer, and among items with the same first of ``found_by``."""
    found_by: list[str]
    """What found it, the best first."""


class SimilarItems(Struct, frozen=True, kw_only=True):
    """What goes with an item, the best first."""

    item: str
    """The one that was asked about; it is never among ``items``."""
    items: list[FoundItem]
    by: list[str]
    """The ways that had something to say of this item; empty where it is known by its fields at most."""
    sequence: int
    """Log position that the answer reflects."""
    stale: bool = False
    """``min_sequence`` was not reached in time: this is the newest there is."""


class TrendingItem(Struct, frozen=True, kw_only=True, gc=False):
    """An item that many people act on."""

    item: str
    score: float
    """By which it stands there: ``actions``, or with ``over`` how many times as many as usual."""
    actions: float
    """Decayed number of actions under the half-life."""


class TrendingItems(Struct, frozen=True, kw_only=True):
    """What many people act on lately, the most first; only items that somebody acted on."""

    items: list[TrendingItem]
    half_life: str
    """An action counts half after this time."""
    over: str | None
    """Half-life of what is usual, where the answer is what rises most."""
    at: int
    """Time for which the numbers hold: ms since the Unix epoch, never before the state's newest event."""
    sequence: int
    """Log position that the answer reflects."""
    stale: bool = False
    """``min_sequence`` was not reached in time: this is the newest there is."""
