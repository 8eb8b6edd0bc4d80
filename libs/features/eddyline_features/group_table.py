"""Decayed counters of groups that have no row of their own: values of a person's or request's field, and pairs.

A set-associative table, bounded and flat: a group's key says its bucket, of eight places. A new group takes an empty
place, else that of the group there that was longest without an event. What is kept depends on the log alone. A key is
62 bits of the identities of both sides (see ``identities``): two groups of a hundred thousand share one with a
probability below 2e-9.
"""

from __future__ import annotations

import numpy as np

from eddyline_features.array_bytes import as_bytes
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, kernel

WAYS = 8
"""Places of a bucket."""

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
def place_for(
    at: int, key: int, spec: int, keys: Longs, seen: Longs, specs: Ints, counters: FloatTable
) -> int:
    """Place of a group that has an event at ``at``, a new one if need be."""
    first = (key & (keys.shape[0] // WAYS - 1)) * WAYS
    taken = first
    for place in range(first, first + WAYS):
        if keys[place] == key:
            if seen[place] < at:
                seen[place] = at
            return place
        if keys[taken] != 0 and (keys[place] == 0 or seen[place] < seen[taken]):
            taken = place
    keys[taken] = key
    seen[taken] = at
    specs[taken] = spec
    for c in range(counters.shape[1]):
        counters[taken, c] = 0.0
    return int(taken)


@kernel
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
    seen: Longs,
    specs: Ints,
    counters: FloatTable,
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
            place = place_for(at, group_key(start, 0), s, keys, seen, specs, counters)
            for c in range(n):
                counters[place, c] += rows.shape[0] * adds[first + c]
            continue
        for i in range(rows.shape[0]):
            row = rows[i]
            if side == ITEM_SIDE:
                place = place_for(at, group_key(start, item_identities[row]), s, keys, seen, specs, counters)
                for c in range(n):
                    counters[place, c] += adds[first + c]
            else:
                for at_value in range(side, side + layout[s, 2]):
                    code = item_values[row, at_value]
                    if code >= 0:
                        key = group_key(start, value_identities[code])
                        place = place_for(at, key, s, keys, seen, specs, counters)
                        for c in range(n):
                            counters[place, c] += adds[first + c]


@kernel
def rescale_groups(
    keys: Longs, specs: Ints, counters: FloatTable, layout: IntTable, half_life_of: Ints, shrink: Floats
) -> None:
    """Landmarks have moved: multiply by what the half-lives say."""
    for place in range(keys.shape[0]):
        if keys[place] != 0:
            first = layout[specs[place], 3]
            for c in range(layout[specs[place], 4]):
                counters[place, c] *= shrink[half_life_of[first + c]]


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
    seen: Longs,
    counters: FloatTable,
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
        acted = plan[p, 7]
        shown = plan[p, 8]
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
            if ttls[p] > 0 and (place < 0 or at - seen[place] > ttls[p]):
                continue
            found = base
            if what == COUNT:
                found = counters[place, acted] * factor if place >= 0 else 0.0
            elif place >= 0:
                found = (counters[place, acted] * factor + strength * base) / (
                    max(counters[place, shown], 0.0) * factor + strength
                )
            for i in range(rows.shape[0]):
                out[i, plan[p, 1]] = found
            continue
        for i in range(rows.shape[0]):
            row = rows[i]
            if side == ITEM_SIDE:
                found = base
                if row >= 0:
                    found = (item_counters[row, plan[p, 10]] * factor + strength * base) / (
                        item_counters[row, plan[p, 11]] * factor + strength
                    )
                    place = find(group_key(start, item_identities[row]), keys) if left != 0 else -1
                    if place >= 0:
                        found = (counters[place, acted] * factor + strength * found) / (
                            max(counters[place, shown], 0.0) * factor + strength
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
                    found = (value_counters[code, plan[p, 10]] * factor + strength * base) / (
                        value_counters[code, plan[p, 11]] * factor + strength
                    )
                    place = find(group_key(start, value_identities[code]), keys) if left != 0 else -1
                    if place >= 0:
                        found = (counters[place, acted] * factor + strength * found) / (
                            max(counters[place, shown], 0.0) * factor + strength
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
        self.keys: Longs = np.zeros(n, np.int64)
        """0 is an empty place."""
        self.seen: Longs = np.zeros(n, np.int64)
        """Fold time of a group's newest event, ms."""
        self.specs: Ints = np.zeros(n, np.int32)
        self.counters: FloatTable = np.zeros((n, width))
        """A group's columns are the first ones, as many as its spec has."""

    @property
    def bytes_each(self) -> float:
        """What a place takes."""
        return 20.0 + self.counters.strides[0]

    def save(self) -> list[bytes]:
        """Places in use, in their order."""
        used = np.flatnonzero(self.keys).astype(np.int32)
        return [
            as_bytes(used),
            *(as_bytes(array[used]) for array in (self.keys, self.seen, self.specs, self.counters)),
        ]

    def load(self, saved: list[bytes]) -> None:
        """Take back what `save` gave."""
        used = np.frombuffer(saved[0], "<i4")
        self.keys[used] = np.frombuffer(saved[1], "<i8")
        self.seen[used] = np.frombuffer(saved[2], "<i8")
        self.specs[used] = np.frombuffer(saved[3], "<i4")
        self.counters[used] = np.frombuffer(saved[4], "<f8").reshape(-1, self.counters.shape[1])
