"""``/v1/similar/{item}`` and ``/v1/trending``, asked and answered: items of the catalogue, for nobody in particular."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from eddyline_contracts.events import Id
from eddyline_contracts.limits import MAX_ITEMS

UNKNOWN_ITEM = "unknown_item"
"""Code of the problem where nothing is known of an item; another 404 says that the address is wrong."""


_Count = Annotated[int, Meta(ge=1, le=MAX_ITEMS)]
_Excluded = Annotated[list[Id], Meta(max_length=100)]
_FilterText = Annotated[str, Meta(min_length=2, max_length=4_096)]
_Text = Annotated[str, Meta(max_length=256)]
_Sequence = Annotated[int, Meta(ge=0, lt=2**53)]
_HalfLife = Annotated[str, Meta(pattern=r"^\d{1,9}(\.\d{1,6})?(ms|s|m|h|d)$")]
Way = Literal["together", "content", "taste"]


class SimilarQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``GET /v1/similar/{item}`` may say."""

    n: _Count = 20
    """So many items at most; fewer only where there are no more."""
    by: Annotated[list[Way], Meta(max_length=3)] = []
    """`together`: people act on both; `content`: they say the same; `taste`: the same people like both. Say it again
    for more than one; all that there are where none is said."""
    filters: _FilterText | None = None
    """Only items whose fields are so, as JSON: as in `POST /v1/recommend`."""
    exclude: _Excluded = []
    """An item that is not to be shown; say it again for more."""
    min_sequence: _Sequence = 0
    """Wait (bounded) until the answer reflects this place in the log."""


class TrendingQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``GET /v1/trending`` may say."""

    n: _Count = 20
    """So many items at most; fewer where people act on fewer."""
    half_life: _HalfLife | None = None
    """An action counts half after this time: one of those that `recommend.half_lives` keeps, as `1h`; the shortest
    where none is said."""
    over: _HalfLife | None = None
    """A longer one of them: what rises most comes first, lately over what is usual."""
    field: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """Only items with a `value` of this field."""
    value: _Text | None = None
    """Of `field`, as text."""
    filters: _FilterText | None = None
    """Only items whose fields are so, as JSON: as in `POST /v1/recommend`."""
    exclude: _Excluded = []
    """An item that is not to be shown; say it again for more."""
    min_sequence: _Sequence = 0
    """Wait (bounded) until the answer reflects this place in the log."""


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
    """The best first."""
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
    """By score."""
    half_life: str
    """An action counts half after this time."""
    over: str | None
    """Half-life of what is usual, where the answer is what rises most."""
    at: int
    """Time for which the numbers hold, that of the state's newest event: ms since the Unix epoch."""
    sequence: int
    """Log position that the answer reflects."""
    stale: bool = False
    """``min_sequence`` was not reached in time: this is the newest there is."""
