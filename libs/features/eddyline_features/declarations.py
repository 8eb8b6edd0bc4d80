"""The kinds of features as they are declared, and the columns that each one gives.

One frozen class a kind. What these hold shapes state and vectors, so all of it goes into the view's id.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline_features.durations import spell

ITEM, SLATE, USER, CONTEXT = "item", "slate", "user", "context"
SCOPES = (ITEM, SLATE, USER, CONTEXT)

IMPRESSION = "impression"
"""Stands among actions for having been shown."""

THE_ITEM = "item"
"""As a field: the item itself is the value."""


@dataclass(frozen=True, kw_only=True)
class FieldPath:
    """Where a value is found: ``item.price``, ``slate.relevancy``, ``user.age``, ``context.device``."""

    scope: str
    """``slate`` is the candidate's own fields in one request or slate."""
    name: str

    def __str__(self) -> str:
        return f"{self.scope}.{self.name}"


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number as it is; NaN where unknown or of another type."""

    name: str
    field: FieldPath

    @property
    def columns(self) -> list[str]:
        return [self.name]


@dataclass(frozen=True, kw_only=True)
class Boolean:
    """1.0 for true, 0.0 for false; NaN where unknown or of another type."""

    name: str
    field: FieldPath

    @property
    def columns(self) -> list[str]:
        return [self.name]


@dataclass(frozen=True, kw_only=True)
class Categories:
    """Words as codes: one column with a code, or one column of 0.0 and 1.0 for each value."""

    name: str
    field: FieldPath
    one_hot: bool
    values: tuple[str, ...]
    """Codes fixed here; when empty, codes go by first appearance in the log."""
    max_values: int
    """At most so many codes; values that appear later stay unknown (NaN), so that no code ever changes."""

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}={value}" for value in self.values] if self.one_hot else [self.name]


@dataclass(frozen=True, kw_only=True)
class Count:
    """How often, lately: decayed counts of actions or impressions of an item, a user or a session."""

    name: str
    by: str
    of: tuple[str, ...]
    """Actions, or ``impression``."""
    half_lives: tuple[int, ...]
    """ms; 0 never decays."""

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{spell(h)}" for h in self.half_lives]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Weighted actions for each impression, smoothed towards the rate of all items together."""

    name: str
    by: str
    """``item``, ``user``, ``session``, or ``values``: each value of ``field``."""
    field: str | None
    """The item field whose values are counted."""
    actions: tuple[str, ...]
    half_lives: tuple[int, ...]
    strength: float
    """So many impressions at the overall rate are added."""
    reduce: tuple[str, ...]
    """Over an item's values: ``mean``, ``max``."""

    @property
    def columns(self) -> list[str]:
        if self.field is None:
            return [f"{self.name}_{spell(h)}" for h in self.half_lives]
        return [f"{self.name}_{spell(h)}_{how}" for h in self.half_lives for how in self.reduce]


AFFINITY_OUTPUTS = ("acted", "passed", "rate", "best", "share", "lift")


@dataclass(frozen=True, kw_only=True)
class Affinity:
    """What this person acted on, and what was shown but left, among things that have this field value too.

    Outputs, over the values of the candidate: ``acted`` and ``passed`` = mean decayed weight; ``rate`` = mean
    smoothed share acted / (acted + passed), ``best`` = the largest of these; ``share`` = part of all that was acted
    on, summed over the values; ``lift`` = mean of how much more was acted on than those items' own rates (the view's
    prior) let expect, for each impression: taste, cleared of what everybody likes.
    """

    name: str
    by: str
    """``user`` or ``session``."""
    field: str
    """An item field, or `THE_ITEM`."""
    actions: tuple[str, ...]
    half_lives: tuple[int, ...]
    strength: float
    """So many impressions at the person's own rate are added to ``rate`` and ``best``."""
    outputs: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{spell(h)}_{output}" for h in self.half_lives for output in self.outputs]


@dataclass(frozen=True, kw_only=True)
class Position:
    """Place in the slate: set by the trainer (0 is the top), constant in serving."""

    name: str
    serving: float

    @property
    def columns(self) -> list[str]:
        return [self.name]


@dataclass(frozen=True, kw_only=True)
class ItemAge:
    """Days since the item first appeared, or since the time in one of its fields; never negative."""

    name: str
    field: str | None

    @property
    def columns(self) -> list[str]:
        return [self.name]


Feature = Number | Boolean | Categories | Count | Rate | Affinity | Position | ItemAge
