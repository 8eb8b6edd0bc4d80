"""Field affinity: items whose field values a person acts on more than these come up, those with the best rates first.

What is liked is computed at read time from the person's rings (see ``rings``), as the feature ``affinity`` is. Of each
value, the items that were acted on last are kept, among which those that came just now are: to look at every item of
the catalogue would take a millisecond.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.entities import Items, People
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, Octets, kernel
from eddyline_features.reserving import reserved
from eddyline_features.retrieval.selecting import best_of_some
from eddyline_features.values import Values

LISTED = 64
"""Items kept of each value."""
VALUES = 32
"""The best liked ones whose items are looked at."""
FADE = 0.9
"""What each further act counts, relative to the one after it."""
_STRENGTH = 1.0
"""Expected acts that are added: a value that is rarely met is not liked ten times as much for one act."""
_USUAL = 5.0
"""Impressions that count as passed by, and hold values as the catalogue does."""

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2


class Rate(NamedTuple):
    """How items are rated, as `rates_of_items` does."""

    acted: int
    shown: int
    """Counters of actions and impressions."""
    factor: float
    base: float
    strength: float


@kernel
def meet_values(
    ring: Longs,
    n_acted: int,
    n_shown: int,
    items_meta: LongTable,
    item_values: IntTable,
    amounts: Floats,
    fade: float,
    sums: FloatTable,
    touched: Ints,
    totals: Floats,
) -> int:
    """Sum up what a person acted on, and what they were shown and passed by, by field value.

    ``amounts``, by action: above 0 it is acted on, below 0 passed by; the newest counts 1, each older one ``fade`` of
    the one after it. ``sums``, shape (3, values), is zero before; codes with a sum are listed in ``touched``, of which
    the number is returned. ``totals``: of all that was acted on, and passed.
    """
    n = 0
    totals[0] = 0.0
    totals[1] = 0.0
    for of in range(2):
        room = n_acted if of == 0 else n_shown
        start = _HEAD if of == 0 else _HEAD + 2 * n_acted
        counts = 1.0
        for back in range(min(ring[of], room)):
            key = ring[start + 2 * ((ring[of] - 1 - back) % room)]
            item = (key >> 8) & 0xFFFFFF
            if key < 0 or items_meta[item, _GENERATION] != key >> 32:
                continue
            side = of
            amount = counts
            if of == 0:
                amount *= amounts[key & 0xFF]
                counts *= fade
                if amount < 0.0:
                    side = 1
                    amount = -amount
            elif key & 1:
                continue
            totals[side] += amount
            for place in range(item_values.shape[1]):
                value = item_values[item, place]
                if value >= 0:
                    if sums[0, value] == 0.0 and sums[1, value] == 0.0:
                        touched[n] = value
                        n += 1
                    sums[side, value] += amount
    return n


@kernel
def weigh_values(
    touched: Ints, n: int, parts: Floats, totals: Floats, usual: float, strength: float, sums: FloatTable
) -> bool:
    """How much more than expected each value was acted on, relative to that; tells whether any was.

    Expected is the share that the value has of what was passed by; of ``usual`` more, the share ``parts`` that it has
    of the catalogue, shape (n,).
    """
    liked = False
    for i in range(n):
        value = touched[i]
        expected = totals[0] * ((sums[1, value] + usual * parts[i]) / (totals[1] + usual))
        sums[2, value] = (sums[0, value] - expected) / (expected + strength)
        liked |= sums[2, value] > 0.0
    return liked


@kernel
def like_items(
    liked: Ints,
    n_liked: int,
    lists: IntTable,
    items_meta: LongTable,
    item_values: IntTable,
    width: int,
    sums: FloatTable,
    counters: FloatTable,
    acted: int,
    shown: int,
    factor: float,
    base: float,
    strength: float,
    scores: Floats,
    found: Ints,
) -> int:
    """Score the items in the lists of ``liked`` values; ``found`` gets those that score. Gives their number.

    A score is how well liked all values of an item are, times its smoothed rate. ``width``: places of a field, its
    values first. ``scores``, shape (items,), is zero before.
    """
    n_found = 0
    for which in range(n_liked):
        for place in range(lists.shape[1]):
            key = lists[liked[which], place]
            if key < 0:
                break
            row = key & 0xFFFFFF
            if (items_meta[row, _GENERATION] & 0x7F) != key >> 24 or scores[row] != 0.0:
                continue
            total = 0.0
            n = 0
            for first in range(0, item_values.shape[1], width):
                for at in range(first, first + width):
                    value = item_values[row, at]
                    if value < 0:
                        break
                    total += sums[2, value]
                    n += 1
            if total <= 0.0:
                continue
            rate = (counters[row, acted] * factor + strength * base) / (
                max(counters[row, shown], 0.0) * factor + strength
            )
            scores[row] = total / math.sqrt(n) * max(rate, 1e-9)
            found[n_found] = row
            n_found += 1
    return n_found


@bound_kernel("row")
def push_item(row: int, items_meta: LongTable, item_values: IntTable, lists: IntTable) -> None:
    """Put an item at the head of the list of each of its values; where there is no room, the last one goes."""
    key = ((items_meta[row, _GENERATION] & 0x7F) << 24) | row
    for place in range(item_values.shape[1]):
        value = item_values[row, place]
        if value >= 0:
            at = 0
            while at < lists.shape[1] - 1 and lists[value, at] >= 0 and lists[value, at] != key:
                at += 1
            for later in range(at, 0, -1):
                lists[value, later] = lists[value, later - 1]
            lists[value, 0] = key


@kernel
def forget_values(touched: Ints, n: int, sums: FloatTable) -> None:
    """Set the sums back to zero."""
    for i in range(n):
        for side in range(sums.shape[0]):
            sums[side, touched[i]] = 0.0


class Liking:
    """Likes of a person, by field value; and of each value, the items that were acted on, or came, last.

    Parameters
    ----------
    width
        Places of a field in the items' values.
    amounts
        By action: below 0 it says no.
    zeros
        Shape (items,): zero whenever it is not in use.
    """

    def __init__(
        self,
        items: Items,
        values: Values,
        people: People,
        *,
        amounts: Floats,
        width: int,
        n_acted: int,
        n_shown: int,
        zeros: Floats,
    ) -> None:
        self._items, self._values, self._people = items, values, people
        self._amounts, self._width = amounts, width
        self._n_acted, self._n_shown = n_acted, n_shown
        n_places = items.values.shape[1]
        self._none = n_places == 0
        self._lists: IntTable = reserved((0 if self._none else values.limit, LISTED), np.int32)
        self._push = push_item.bind(items_meta=items.meta, item_values=items.values, lists=self._lists)
        self._sums: FloatTable = reserved((3, values.limit))
        self._all: Octets = reserved(values.limit, np.uint8)
        self._touched: Ints = np.zeros((n_acted + n_shown) * n_places, np.int32)
        self._totals: Floats = np.zeros(2)
        self._liked: Ints = np.zeros(2 * VALUES, np.int32)
        self._likes: Floats = np.zeros(2 * VALUES)
        self._found: Ints = np.zeros(VALUES * LISTED, np.int32)
        self._scores = zeros

    def push(self, row: int) -> None:
        """An item was acted on, or its fields have changed."""
        if not self._none:
            self._push(row)

    def begin_value(self, code: int) -> None:
        """A code has got a new value."""
        self._lists[code] = -1

    def best(self, person: int, rate: Rate, blocked: Octets, most: int, scores: Floats, rows: Ints) -> int:
        """Fill ``rows`` with what somebody likes, the best first; gives how many there are.

        At most ``most``; ``scores`` and ``rows`` have room for twice as many.
        """
        items = self._items
        if self._none:
            return 0
        n = meet_values(
            self._people.rings[person],
            self._n_acted,
            self._n_shown,
            items.meta,
            items.values,
            self._amounts,
            FADE,
            self._sums,
            self._touched,
            self._totals,
        )
        uses, n_items = self._values.uses, len(items)
        parts: Floats = np.array([uses[code] / n_items for code in self._touched[:n].tolist()], np.float64)
        found = 0
        if weigh_values(self._touched, n, parts, self._totals, _USUAL, _STRENGTH, self._sums):
            n_liked = best_of_some(
                self._touched, n, self._sums[2], 0.0, self._all, VALUES, self._likes, self._liked
            )
            n_found = like_items(
                self._liked,
                n_liked,
                self._lists,
                items.meta,
                items.values,
                self._width,
                self._sums,
                items.counters,
                *rate,
                self._scores,
                self._found,
            )
            found = best_of_some(self._found, n_found, self._scores, 0.0, blocked, most, scores, rows)
            self._scores[self._found[:n_found]] = 0.0
        forget_values(self._touched, n, self._sums)
        return found

    def save(self) -> list[bytes]:
        """Of the values in use."""
        return [as_bytes(self._lists[: len(self._values)])]

    def load(self, saved: list[bytes]) -> None:
        """The inverse of `save`."""
        fill(self._lists[: len(self._values)], saved[0])

    @property
    def bytes_each(self) -> float:
        """That a value takes, scratch included."""
        return 0.0 if self._none else 4.0 * LISTED + 25.0
