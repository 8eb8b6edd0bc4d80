"""Lists of neighbours of items, bounded and decaying: what was acted on together with each.

A list is a sketch of the heavy hitters: when it is full, a newcomer is paid for by the smallest weight (Misra and
Gries, "Finding repeated elements", 1982; the smallest instead of all, so that an update touches one entry), so a
weight is never above the true one. All weights decay by forward decay (see ``decay``).

Most items of a large catalogue are never acted on beside another. So an item gets a list, its slot, with its first
pair; and weights are float32, with a power of two that all of a list have in common, since those of forward decay grow
beyond what float32 holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.kernel import Floats, Ints, IntTable, LongTable, SingleTable, kernel
from eddyline_features.reserving import reserved

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2
_HIGHEST = 60
"""A weight that would be 2 to this, in the unit of its list, gives the list a larger unit."""
_LOWEST = -4000
"""Of units: 2 to this is nothing."""


@kernel
def short_key(row: int, generation: int) -> int:
    """31 bits: a row, and which of its owners; 128 owners later it would be taken for the same."""
    return ((generation & 0x7F) << 24) | row


@kernel
def list_of(row: int, slots: Ints, used: Ints, keys: IntTable) -> int:
    """Where an item's list lies; one without gets the next free place."""
    slot = int(slots[row])
    if slot == 0:
        used[0] += 1
        slot = int(used[0])
        slots[row] = slot
        for n in range(keys.shape[1]):
            keys[slot, n] = -1
    return slot


@kernel
def in_units(slot: int, amount: float, weights: SingleTable, units: Ints) -> float:
    """An amount, above 0, in the unit of a list, which gets a larger one where the amount is too large for it."""
    _, exponent = math.frexp(amount)
    unit = int(units[slot])
    if exponent - unit > _HIGHEST:
        smaller = math.ldexp(1.0, max(unit - exponent, -1000))
        for n in range(weights.shape[1]):
            weights[slot, n] = np.float32(np.float64(weights[slot, n]) * smaller)
        unit = exponent
        units[slot] = unit
    return math.ldexp(amount, -unit)


@kernel
def meet(
    row: int,
    key: int,
    amount: float,
    slots: Ints,
    used: Ints,
    keys: IntTable,
    weights: SingleTable,
    units: Ints,
    totals: Floats,
) -> None:
    """Add to what an item has with a neighbour."""
    if amount <= 0.0:
        return
    slot = list_of(row, slots, used, keys)
    totals[slot] += amount
    adds = in_units(slot, amount, weights, units)
    least = 0
    for n in range(keys.shape[1]):
        if keys[slot, n] == key:
            weights[slot, n] = np.float32(np.float64(weights[slot, n]) + adds)
            return
        if keys[slot, n] < 0:
            keys[slot, n] = key
            weights[slot, n] = np.float32(adds)
            return
        if weights[slot, n] < weights[slot, least]:
            least = n
    left = np.float64(weights[slot, least]) - adds
    if left < 0.0:
        keys[slot, least] = key
        left = -left
    weights[slot, least] = np.float32(left)


@kernel
def meet_each(
    row: int,
    others: Ints,
    amount: float,
    items_meta: LongTable,
    slots: Ints,
    used: Ints,
    keys: IntTable,
    weights: SingleTable,
    units: Ints,
    totals: Floats,
) -> None:
    """Pair an item with each of others; -1 is none."""
    key = short_key(row, items_meta[row, _GENERATION])
    for n in range(others.shape[0]):
        other = others[n]
        if other >= 0:
            theirs = short_key(other, items_meta[other, _GENERATION])
            meet(row, theirs, amount, slots, used, keys, weights, units, totals)
            meet(other, key, amount, slots, used, keys, weights, units, totals)


@bound_kernel("at", "row", "amount", "now", "person")
def meet_recent(
    at: int,
    row: int,
    amount: float,
    now: float,
    person: int,
    rings: LongTable,
    n_acted: int,
    last: int,
    within: int,
    items_meta: LongTable,
    amounts: Floats,
    slots: Ints,
    used: Ints,
    keys: IntTable,
    weights: SingleTable,
    units: Ints,
    totals: Floats,
    overall: Floats,
) -> None:
    """Pair an item with each of a person's newest other items; a pair counts the geometric mean of its actions.

    ``amounts``: by action. ``now``: what an event of this time adds, before its amount.
    """
    ring = rings[person]
    key = short_key(row, items_meta[row, _GENERATION])
    n = min(min(ring[0], n_acted), last)
    for back in range(n):
        place = _HEAD + 2 * ((ring[0] - 1 - back) % n_acted)
        other = ring[place]
        item = (other >> 8) & 0xFFFFFF
        if other < 0 or item == row or items_meta[item, _GENERATION] != other >> 32:
            continue
        apart = at - ring[place + 1]
        if apart > within or -apart > within or amounts[other & 0xFF] <= 0.0:
            continue
        seen = False
        for newer in range(back):
            seen |= ring[_HEAD + 2 * ((ring[0] - 1 - newer) % n_acted)] >> 8 == other >> 8
        if seen:
            continue
        adds = now * math.sqrt(amount * amounts[other & 0xFF])
        overall[0] += 2.0 * adds
        theirs = short_key(item, items_meta[item, _GENERATION])
        meet(row, theirs, adds, slots, used, keys, weights, units, totals)
        meet(item, key, adds, slots, used, keys, weights, units, totals)


class Neighbours:
    """Of all items.

    Parameters
    ----------
    limit
        Rows of items.
    most
        Neighbours of each, K at most.
    """

    def __init__(self, limit: int, most: int) -> None:
        self.slots: Ints = reserved(limit, np.int32)
        """By item row: where its list lies in the others; 0, whose list stays empty, while it has none."""
        self.used: Ints = np.zeros(1, np.int32)
        """How many have one."""
        self.keys: IntTable = reserved((1 + limit, most), np.int32)
        """shape (1 + items, K): see `short_key`; -1 from the first on that is empty."""
        self.keys[0] = -1
        self.weights: SingleTable = reserved((1 + limit, most), np.float32)
        """How much each was acted on beside the item, in units of its list."""
        self.units: Ints = reserved(1 + limit, np.int32)
        """shape (1 + items,): the unit of each list is 2 to this."""
        self.totals: Floats = reserved(1 + limit)
        """shape (1 + items,): sum over everything that was acted on beside each."""
        self.overall: Floats = np.zeros(1)
        """Sum of these."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As kernels that change them take them, by name; all but ``overall``."""
        return {
            "slots": self.slots,
            "used": self.used,
            "keys": self.keys,
            "weights": self.weights,
            "units": self.units,
            "totals": self.totals,
        }

    def begin(self, row: int) -> None:
        """A row has got a new item; the list of the former one is the place for its own."""
        slot = int(self.slots[row])
        if slot:
            self.keys[slot] = -1
            self.units[slot] = 0
            self.totals[slot] = 0.0

    def rescale(self, by: float) -> None:
        """Landmarks have moved: everything is multiplied by a power of two, or by 0."""
        if by == 1.0:
            return
        lists = slice(1, 1 + int(self.used[0]))
        self.totals[lists] *= by
        self.overall *= by
        lower = math.frexp(by)[1] - 1 if by else _LOWEST
        self.units[lists] = np.maximum(self.units[lists] + lower, _LOWEST)

    def shares_of(self, row: int) -> tuple[Ints, Floats]:
        """Keys of an item's neighbours, and which share of what was acted on beside it each is; none of no pairs."""
        slot = int(self.slots[row])
        total, keys = float(self.totals[slot]), self.keys[slot]
        n = int(np.count_nonzero(keys >= 0)) if total > 0.0 else 0
        unit = math.ldexp(1.0, int(self.units[slot]))
        shares: Floats = self.weights[slot, :n].astype(np.float64) * unit / total if n else np.zeros(0)
        return keys[:n], shares

    def save(self, n_items: int) -> list[bytes]:
        """Of the first ``n_items`` rows. Places that are empty hold what was there before: they are saved as 0."""
        lists = slice(1, 1 + int(self.used[0]))
        keys = self.keys[lists]
        weights = np.where(keys < 0, np.float32(0.0), self.weights[lists])
        arrays = (self.slots[:n_items], keys, weights, self.units[lists], self.totals[lists], self.overall)
        return [as_bytes(array) for array in arrays]

    def load(self, saved: Sequence[bytes], n_items: int) -> None:
        """The inverse of `save`."""
        slots, keys, weights, units, totals, overall = saved
        self.used[0] = len(totals) // 8
        lists = slice(1, 1 + int(self.used[0]))
        fill(self.slots[:n_items], slots)
        fill(self.keys[lists], keys)
        fill(self.weights[lists], weights)
        fill(self.units[lists], units)
        fill(self.totals[lists], totals)
        fill(self.overall, overall)

    N_SAVED = 6
    """Parts that `save` gives."""

    @property
    def bytes_each(self) -> float:
        """That an item takes which was acted on beside others; 4 of these any item does."""
        return 4.0 + 8.0 * int(self.keys.shape[1]) + 4.0 + 8.0
