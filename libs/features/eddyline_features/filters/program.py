"""A condition with the places of its fields, run over all items of a state.

Codes of texts are looked up at each run: a text that no item had yesterday may have one today.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eddyline_features.field_values import is_exact_number, number, text
from eddyline_features.filters.conditions import (
    Between,
    Condition,
    Every,
    Known,
    Leaf,
    Not,
    OneOf,
    Scalar,
    Some,
    leaves,
)
from eddyline_features.filters.kernels import keep_between, keep_known, keep_one_of
from eddyline_features.filters.reading import InvalidFilter
from eddyline_features.filters.shortening import shortened
from eddyline_features.item_fields import FieldPlace, ItemFields, UnknownField
from eddyline_features.kernel import Floats, Octets
from eddyline_features.state import State

_NO_NUMBERS: Floats = np.zeros(0)


class Scratch:
    """Arrays for runs over one state, used again and again: to get memory anew takes longer than to fill it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._limit = state.view.limits.items
        self._masks: list[Octets] = []
        self.wanted: Octets = np.zeros(state.view.limits.values + 1, np.uint8)
        """By code + 1; all 0 between two steps."""

    def borrow(self) -> Octets:
        """A mask, shape (items,), whatever it holds; to be given back."""
        whole = self._masks.pop() if self._masks else np.empty(self._limit, np.uint8)
        return whole[: len(self.state.items)]

    def give_back(self, mask: Octets) -> None:
        """It is not needed any more."""
        assert mask.base is not None
        self._masks.append(mask.base)


Step = Callable[[Scratch, Octets], None]
"""Takes rows out of a mask."""


class Program:
    """A filter for the states of one view.

    Raises
    ------
    InvalidFilter
        If it names a field of which the state keeps nothing, or not what the condition needs.
    """

    def __init__(self, condition: Condition, fields: ItemFields) -> None:
        places = {}
        for leaf in leaves(condition):
            try:
                places[leaf.field] = fields.place(leaf.field)
            except UnknownField as error:
                raise InvalidFilter(f"`{leaf.at}`: {error}") from error
        self._step = _step(shortened(condition), True, places)

    def run(self, scratch: Scratch, mask: Octets) -> None:
        """Write into ``mask``, shape (items,), 1 where it is true. Removed items have no fields."""
        mask[:] = 1
        self._step(scratch, mask)


def _step(condition: Condition, keep: bool, places: dict[str, FieldPlace]) -> Step:
    """What keeps the rows of which it is true, or where not ``keep`` those of which it is not."""
    if isinstance(condition, Not):
        return _step(condition.part, not keep, places)
    if isinstance(condition, Every | Some):
        steps = [_step(part, keep, places) for part in condition.parts]
        # Not all of them is some not; not one of them is all not.
        return _all_of(steps) if isinstance(condition, Every) == keep else _some_of(steps)
    return _LEAVES[type(condition)](condition, int(keep), places[condition.field])


def _all_of(steps: list[Step]) -> Step:
    def run(scratch: Scratch, mask: Octets) -> None:
        for step in steps:
            step(scratch, mask)

    return run


def _some_of(steps: list[Step]) -> Step:
    def run(scratch: Scratch, mask: Octets) -> None:
        rest, part = scratch.borrow(), scratch.borrow()
        rest[:] = mask
        mask[:] = 0
        for step in steps:
            part[:] = rest
            step(scratch, part)
            mask |= part
            # Only of what no part before was true.
            rest ^= part
        scratch.give_back(rest)
        scratch.give_back(part)

    return run


def _one_of(leaf: OneOf, keep: int, place: FieldPlace) -> Step:
    spelt = [spelling for value in leaf.values if (spelling := text(value)) is not None]
    wanted_numbers = _numbers_of(leaf.values, place) if place.number >= 0 else _NO_NUMBERS
    width = place.width if place.field >= 0 else 0

    def run(scratch: Scratch, mask: Octets) -> None:
        state, wanted = scratch.state, scratch.wanted
        codes: list[int] = []
        if place.field >= 0:
            code_of = state.values.codes[place.field].get
            codes = [code for spelling in spelt if (code := code_of(spelling)) is not None]
        if len(wanted_numbers) == 1 and not codes:
            only = float(wanted_numbers[0])
            keep_between(mask, keep, state.items.numbers, place.number, only, only)
        elif codes or len(wanted_numbers):
            for code in codes:
                wanted[code + 1] = 1
            keep_one_of(
                mask,
                keep,
                state.items.values,
                place.first,
                width if codes else 0,
                wanted,
                state.items.numbers,
                place.number if len(wanted_numbers) else -1,
                wanted_numbers,
            )
            for code in codes:
                wanted[code + 1] = 0
        elif keep:
            mask[:] = 0

    return run


def _numbers_of(values: tuple[Scalar, ...], place: FieldPlace) -> Floats:
    """Those that a number in the field would be equal to, rising."""
    found = set()
    for value in values:
        meant = _spelt_number(value) if isinstance(value, str) else value
        # Where texts are kept, true and false have texts, and so have numbers that would be taken for others.
        if meant is not None and (place.field < 0 or is_exact_number(meant)):
            found.add(number(meant))
    return np.array(sorted(found), np.float64)


def _spelt_number(spelling: str) -> int | float | None:
    """The number that has this text, if there is one: 20 and "20" are the same everywhere."""
    for convert in (int, float):
        try:
            value = convert(spelling)
        except ValueError:
            continue
        if text(value) == spelling:
            return value
    return None


def _between(leaf: Between, keep: int, place: FieldPlace) -> Step:
    if place.number < 0:
        raise InvalidFilter(
            f"`{leaf.at}`: of item field `{leaf.field[:60]}` only texts are kept, which have no order: add it to "
            "`recommend.fields` in eddyline.yaml"
        )

    def run(scratch: Scratch, mask: Octets) -> None:
        keep_between(mask, keep, scratch.state.items.numbers, place.number, leaf.least, leaf.most)

    return run


def _known(leaf: Known, keep: int, place: FieldPlace) -> Step:
    width = place.width if place.field >= 0 else 0

    def run(scratch: Scratch, mask: Octets) -> None:
        items = scratch.state.items
        keep_known(mask, keep, items.values, place.first, width, items.numbers, place.number)

    return run


_LEAVES: dict[type[Leaf], Callable[..., Step]] = {OneOf: _one_of, Between: _between, Known: _known}
