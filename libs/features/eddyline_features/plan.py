"""Where everything of a view lies in the packed arrays: slots, places, counters and half-lives, each given out once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from eddyline_features.declarations.declaration import counted_fields
from eddyline_features.declarations.paths import IMPRESSION, ITEM
from eddyline_features.field_values import number
from eddyline_features.kernel import FloatTable, Ints, Longs
from eddyline_features.view import View

Encode = Callable[[Any], float | list[float]]
"""From a JSON value to what a slot holds: a number, or as many as it is wide; total."""
Decode = Callable[[Any], Any]
"""Back again, for people to read; None where the number says that something is absent."""


class Slot(NamedTuple):
    """A place for one number, or for several beside each other."""

    place: int | slice
    encode: Encode
    decode: Decode


@dataclass
class Slots:
    """Places in an entity's ``numbers``, filled when the entity's fields change."""

    by_field: dict[str, list[Slot]] = field(default_factory=dict)
    n: int = 0

    def add(self, name: str, encode: Encode, decode: Decode, width: int = 1) -> int:
        """The (first) place of a number that is computed from a field, or of several; equal ones are shared."""
        for slot in self.by_field.get(name, ()):
            if width == 1 and isinstance(slot.place, int) and slot.encode is encode and slot.decode is decode:
                return slot.place
        first = self.reserve(width)
        place = first if width == 1 else slice(first, first + width)
        self.by_field.setdefault(name, []).append(Slot(place, encode, decode))
        return first

    def reserve(self, width: int = 1) -> int:
        """The first of places that a kind fills by itself. All are NaN before, and after a removal."""
        self.n += width
        return self.n - width


class Counters:
    """Columns of decayed counts. A column is of a set of actions (or impressions), a half-life, and valued or not."""

    def __init__(self, view: View, half_lives: list[int]) -> None:
        self._names = [IMPRESSION, *view.actions]
        self._weights = [1.0, *(action.weight for action in view.actions.values())]
        self._half_lives = half_lives
        self._columns: dict[tuple[tuple[str, ...], int, bool], int] = {}

    def column(self, of: tuple[str, ...], half_life: int, valued: bool = False) -> int:
        """The column; equal ones are shared. Where ``valued``, weights are multiplied by the events' values."""
        if half_life not in self._half_lives:
            self._half_lives.append(half_life)
        return self._columns.setdefault((tuple(sorted(of)), half_life, valued), len(self._columns))

    @property
    def n(self) -> int:
        return len(self._columns)

    def amounts(self) -> FloatTable:
        """Shape (1 + actions, C): what an impression (row 0) or action adds to each column, before decay."""
        table = np.zeros((len(self._names), self.n))
        for (of, _, _), column in self._columns.items():
            for row, name in enumerate(self._names):
                if name in of:
                    table[row, column] = self._weights[row]
        return table

    def half_life_of(self) -> Ints:
        """Shape (C,): index of each column's half-life."""
        indices = [self._half_lives.index(half_life) for _, half_life, _ in self._columns]
        return np.array(indices, np.int32)

    def valued(self) -> Ints:
        """Shape (C,): 1 where the events' values multiply what they add."""
        return np.array([int(valued) for _, _, valued in self._columns], np.int32)

    def names(self) -> list[tuple[str, int]]:
        """What each column counts, and its half-life in ms."""
        return [
            ("+".join(of) + ("_value" if valued else ""), half_life)
            for of, half_life, valued in self._columns
        ]


class Plan:
    """What the kinds of features ask for while they are set up, and what the state then reserves."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._half_lives: list[int] = []
        self.item_slots = Slots()
        self.user_slots = Slots()
        self.counters = Counters(view, self._half_lives)
        """Of items, of field values, and overall."""
        self.people_counters = Counters(view, self._half_lives)
        self.value_fields: dict[str, int] = {}
        """Item fields whose values have codes, those that are counted first."""
        self.n_counted_fields = 0
        self.numbers_apart: set[str] = set()
        """Fields whose numbers have places of their own, and no codes: a price would use up a code for each amount."""
        self.sessions = False
        """Whether sessions are kept apart from users."""
        self.actions = {
            name: 1 + index
            for index, (name, action) in enumerate(view.actions.items())
            if action.weight != 0.0
        }
        """Rows of `Counters.amounts`, of those actions that count for something."""
        # Fields that are counted lie together, before the others.
        for feature in view.features:
            for name in counted_fields(feature):
                if name not in self.value_fields:
                    self.value_fields[name] = len(self.value_fields)
        self.n_counted_fields = len(self.value_fields)

    @property
    def width(self) -> int:
        """Places of each value field."""
        return self.view.limits.values_per_field

    def slot(self, scope: str, name: str, encode: Encode, decode: Decode, width: int = 1) -> int:
        """The (first) place in the numbers of items or users."""
        return (self.item_slots if scope == ITEM else self.user_slots).add(name, encode, decode, width)

    def value_places(self, name: str) -> int:
        """First place of a field in an item's ``values``."""
        return self.value_fields.setdefault(name, len(self.value_fields)) * self.width

    def keep_field(self, name: str) -> None:
        """Keep an item field for whoever asks later: texts as codes, and numbers as numbers."""
        if name not in self.value_fields:
            self.numbers_apart.add(name)
        self.value_places(name)
        self.slot(ITEM, name, number, float)

    def half_life(self, half_life: int) -> int:
        """Index of a half-life (ms; 0 never decays) among `half_lives`."""
        if half_life not in self._half_lives:
            self._half_lives.append(half_life)
        return self._half_lives.index(half_life)

    def acts(self, named: tuple[str, ...]) -> list[int]:
        """By row of `Counters.amounts`: 1 for an action that is named; where none is, for those of a weight above 0."""
        return [0] + [
            int(name in named if named else action.weight > 0.0) for name, action in self.view.actions.items()
        ]

    def new_counters(self) -> Counters:
        """Columns that a kind keeps by itself, with the half-lives of all."""
        return Counters(self.view, self._half_lives)

    def half_lives(self) -> Longs:
        """In ms, each once; 0 never decays."""
        return np.array(self._half_lives, np.int64)
