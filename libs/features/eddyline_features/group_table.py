"""Decayed counters of groups that have no row of their own: values of a person's or request's field, and pairs.

A set-associative table, bounded and flat: a group's key says its bucket, of eight places. A new group takes an empty
place, else that of the group there that was longest without an event. What is kept depends on the log alone. A key is
62 bits of the identities of both sides (see ``identities``): two groups of a hundred thousand share one with a
probability below 2e-9.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features.array_bytes import as_bytes
from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, kernel
from eddyline_features.reserving import reserved

WAYS = 8
"""Places of a bucket."""

SEEN, SPEC, COUNTERS = range(3)
"""Columns of a group: fold time of its newest event (ms), what it is a group of, and its counters from here on. Beside
each other, since each group that is touched is a line of memory that is not in the cache."""

NO_SIDE, ITEM_SIDE = -2, -1
"""Instead of the first place of an item's field: no second side, or the item itself."""


@kernel
def mixed(h: int) -> int:
    """One round: 62 bits to 62 bits. Products stay below 2^63, so that uncompiled integers give the same."""
    return ((h & 0x7FFFFFF) * 0x9E3779B97 + (h >> 27)) & 0x3FFFFFFFFFFFFFFF


@kernel
def left_key(spec: int, left: int) -> int:
    """What all groups of a spec and a left side have in common."""
    return mixed(mixed(mixed(left) + spec + 1))


@kernel
def group_key(left: int, right: int) -> int:
    """Key of a group from its `left_key` and the identity of its other side; never 0."""
    h = mixed(mixed(mixed(left ^ right)))
    h = h ^ (h >> 31)
    return int(h) if h != 0 else 1


@kernel
def find(key: int, keys: Longs) -> int:
    """Place of a group; -1 if it is not there."""
    first = (key & (keys.shape[0] // WAYS - 1)) * WAYS
    for place in range(first, first + WAYS):
        if keys[place] == key:
            return place
    return -1


@kernel
def place_for(at: int, key: int, spec: int, keys: Longs, groups: FloatTable) -> int:
    """Place of a group that has an event at ``at``, a new one if need be."""
    # Nearly always it is there: then no other group's line of memory is touched.
    taken = find(key, keys)
    if taken >= 0:
        if groups[taken, SEEN] < at:
            groups[taken, SEEN] = at
        return taken
    first = (key & (keys.shape[0] // WAYS - 1)) * WAYS
    taken = first
    for place in range(first, first + WAYS):
        if keys[taken] != 0 and (keys[place] == 0 or groups[place, SEEN] < groups[taken, SEEN]):
            taken = place
    keys[taken] = key
    groups[taken, SEEN] = at
    groups[taken, SPEC] = spec
    for c in range(COUNTERS, groups.shape[1]):
        groups[taken, c] = 0.0
    return int(taken)


@bound_kernel("at", "action", "value", "rows")
def tally_groups(
    at: int,
    action: int,
    value: float,
    rows: Ints,
    weights: Floats,
    half_life_of: Ints,
    amounts: FloatTable,
    valued: Ints,
    adds: Floats,
    layout: IntTable,
    lefts: Longs,
    item_identities: Longs,
    item_values: IntTable,
    value_identities: Longs,
    keys: Longs,
    groups: FloatTable,
) -> None:
    """Count one event of the items in ``rows`` for every group that it belongs to.

    ``weights``: by half-life, what the event adds. ``amounts``, ``valued``, ``half_life_of`` and ``adds`` (scratch): by
    column, those of all specs one after the other. ``layout`` holds for each spec (index of its left side, first place
    of its right side's field or one of the words above, number of places, first column, number of columns).
    ``lefts``: identities of the left sides of this event; 0 is unknown and counts nothing.
    """
    for s in range(layout.shape[0]):
        left = lefts[layout[s, 0]]
        if left == 0:
            continue
        first = layout[s, 3]
        n = layout[s, 4]
        counts = False
        for c in range(first, first + n):
            amount = amounts[action, c]
            if valued[c] != 0:
                amount *= value
            adds[c] = amount * weights[half_life_of[c]]
            counts |= amount != 0.0
        if not counts:
            continue
        start = left_key(s, left)
        side = layout[s, 1]
        if side == NO_SIDE:
            place = place_for(at, group_key(start, 0), s, keys, groups)
            for c in range(n):
                groups[place, COUNTERS + c] += rows.shape[0] * adds[first + c]
            continue
        for i in range(rows.shape[0]):
            row = rows[i]
            if side == ITEM_SIDE:
                place = place_for(at, group_key(start, item_identities[row]), s, keys, groups)
                for c in range(n):
                    groups[place, COUNTERS + c] += adds[first + c]
            else:
                for at_value in range(side, side + layout[s, 2]):
                    code = item_values[row, at_value]
                    if code >= 0:
                        key = group_key(start, value_identities[code])
                        place = place_for(at, key, s, keys, groups)
                        for c in range(n):
                            groups[place, COUNTERS + c] += adds[first + c]


@kernel
def rescale_groups(
    keys: Longs, groups: FloatTable, layout: IntTable, half_life_of: Ints, shrink: Floats
) -> None:
    """Landmarks have moved: multiply by what the half-lives say."""
    for place in range(keys.shape[0]):
        if keys[place] != 0:
            spec = int(groups[place, SPEC])
            first = layout[spec, 3]
            for c in range(layout[spec, 4]):
                groups[place, COUNTERS + c] *= shrink[half_life_of[first + c]]


@bound_kernel("at", "action")
def places_for(
    at: int,
    action: int,
    counts: IntTable,
    lefts: Longs,
    keys: Longs,
    groups: FloatTable,
    places: Longs,
    new: Ints,
) -> None:
    """Places of the groups of one side alone that an event belongs to: of each left side, or -1.

    ``counts``, shape (actions, left sides): 0 where an action counts for none of a side's groups. ``new``: 1 for places
    that were another's, or nobody's, before.
    """
    for k in range(lefts.shape[0]):
        places[k] = -1
        new[k] = 0
        if lefts[k] != 0 and counts[action, k] != 0:
            key = group_key(left_key(k, lefts[k]), 0)
            new[k] = int(find(key, keys) < 0)
            places[k] = place_for(at, key, k, keys, groups)


@kernel
def places_of(lefts: Longs, keys: Longs, groups: FloatTable, places: Longs, seen: Longs) -> None:
    """Places of the groups of one side alone, or -1; and their newest events (ms), where they are there."""
    for k in range(lefts.shape[0]):
        places[k] = find(group_key(left_key(k, lefts[k]), 0), keys) if lefts[k] != 0 else -1
        if places[k] >= 0:
            seen[k] = int(groups[places[k], SEEN])


COUNT, RATE, CROSS_RATE = 0, 1, 2
"""What a plan row of `read_groups` computes."""


@kernel
def read_groups(
    out: FloatTable,
    rows: Ints,
    at: int,
    lefts: Longs,
    plan: IntTable,
    strengths: Floats,
    most: Floats,
    ttls: Longs,
    factors: Floats,
    overall: FloatTable,
    item_counters: FloatTable,
    item_identities: Longs,
    item_values: IntTable,
    value_counters: FloatTable,
    value_identities: Longs,
    keys: Longs,
    groups: FloatTable,
) -> None:
    """Counts and rates of the groups of the candidates.

    ``plan`` holds (what it is, column of the mean or only column, column of the max or -1, index of the left side,
    spec, first place of the right side's field or one of the words above, number of places, the group's counter of
    actions, of impressions, half-life, the counter of actions of items, values and overall, of impressions).
    """
    for p in range(plan.shape[0]):
        what = plan[p, 0]
        left = lefts[plan[p, 3]]
        side = plan[p, 5]
        acted = COUNTERS + plan[p, 7]
        shown = COUNTERS + plan[p, 8]
        factor = factors[plan[p, 9]]
        strength = strengths[p]
        base = 0.0
        if what != COUNT:
            impressions = overall[0, plan[p, 11]]
            if impressions > 0.0:
                base = float(max(min(overall[0, plan[p, 10]] / impressions, most[p]), -most[p]))
        start = left_key(plan[p, 4], left)
        if side == NO_SIDE:
            place = find(group_key(start, 0), keys) if left != 0 else -1
            if ttls[p] > 0 and (place < 0 or at - groups[place, SEEN] > ttls[p]):
                continue
            found = base
            if what == COUNT:
                found = groups[place, acted] * factor if place >= 0 else 0.0
            elif place >= 0:
                found = (groups[place, acted] * factor + strength * base) / (
                    max(groups[place, shown], 0.0) * factor + strength
                )
            for i in range(rows.shape[0]):
                out[i, plan[p, 1]] = found
            continue
        for i in range(rows.shape[0]):
            row = rows[i]
            if side == ITEM_SIDE:
                place = -1
                if row >= 0 and left != 0:
                    place = find(group_key(start, item_identities[row]), keys)
                if ttls[p] > 0 and (place < 0 or at - groups[place, SEEN] > ttls[p]):
                    continue
                found = base
                if row >= 0:
                    found = (item_counters[row, plan[p, 10]] * factor + strength * base) / (
                        item_counters[row, plan[p, 11]] * factor + strength
                    )
                    if place >= 0:
                        found = (groups[place, acted] * factor + strength * found) / (
                            max(groups[place, shown], 0.0) * factor + strength
                        )
                out[i, plan[p, 1]] = found
                continue
            if row < 0:
                continue
            n = 0
            total = 0.0
            best = 0.0
            for at_value in range(side, side + plan[p, 6]):
                code = item_values[row, at_value]
                if code >= 0:
                    place = find(group_key(start, value_identities[code]), keys) if left != 0 else -1
                    if ttls[p] > 0 and (place < 0 or at - groups[place, SEEN] > ttls[p]):
                        continue
                    found = (value_counters[code, plan[p, 10]] * factor + strength * base) / (
                        value_counters[code, plan[p, 11]] * factor + strength
                    )
                    if place >= 0:
                        found = (groups[place, acted] * factor + strength * found) / (
                            max(groups[place, shown], 0.0) * factor + strength
                        )
                    best = found if n == 0 else max(best, found)
                    n += 1
                    total += found
            if n > 0:
                if plan[p, 1] >= 0:
                    out[i, plan[p, 1]] = total / n
                if plan[p, 2] >= 0:
                    out[i, plan[p, 2]] = best


class GroupTable:
    """Places for groups, reserved at once."""

    def __init__(self, limit: int, width: int) -> None:
        n = WAYS
        while n < limit:
            n *= 2
        self.keys: Longs = _zeros(n, np.int64)
        """0 is an empty place."""
        self.groups: FloatTable = _zeros(n * (COUNTERS + width), np.float64).reshape(n, -1)
        """Time, spec and counters: the first ones, as many as the spec has."""

    @property
    def bytes_each(self) -> float:
        """What a place takes."""
        return 8.0 + self.groups.strides[0]

    def places_of_spec(self, spec: int) -> Ints:
        """Places in use by groups of a spec, in their order."""
        return np.flatnonzero((self.keys != 0) & (self.groups[:, SPEC] == spec)).astype(np.int32)

    def save(self) -> list[bytes]:
        """Places in use, in their order."""
        used = np.flatnonzero(self.keys).astype(np.int32)
        return [as_bytes(used), as_bytes(self.keys[used]), as_bytes(self.groups[used])]

    def load(self, saved: list[bytes]) -> None:
        """Take back what `save` gave."""
        used = np.frombuffer(saved[0], "<i4")
        self.keys[used] = np.frombuffer(saved[1], "<i8")
        self.groups[used] = np.frombuffer(saved[2], "<f8").reshape(-1, self.groups.shape[1])


def _zeros(n: int, dtype: type[Any]) -> NDArray[Any]:
    """Numbers from the beginning of a cache line on, so that a bucket's keys are one."""
    size = n * np.dtype(dtype).itemsize
    raw = reserved(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype)
