"""Co-interaction: for each item, the items that were acted on together with it, bounded and decaying.

Each list is a sketch of the heavy hitters: when it is full, a newcomer is paid for by the smallest weight (Misra and
Gries, "Finding repeated elements", 1982; the smallest instead of all, so that an update touches one entry), so a
weight is never above the true one. All weights decay by forward decay (see ``decay``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features import decay
from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.declarations.co_interaction import CO_INTERACTION_OUTPUTS, CoInteraction
from eddyline_features.entities import People
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, kernel
from eddyline_features.kinds.kind import Acted, Kind, Tables
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2


@kernel
def short_key(row: int, generation: int) -> int:
    """31 bits: a row, and which of its owners; 128 owners later it would be taken for the same."""
    return ((generation & 0x7F) << 24) | row


@kernel
def meet(
    row: int, key: int, amount: float, neighbours: IntTable, weights: FloatTable, totals: FloatTable
) -> None:
    """Add to what an item has with a neighbour."""
    totals[row, 0] += amount
    least = 0
    for n in range(neighbours.shape[1]):
        if neighbours[row, n] == key:
            weights[row, n] += amount
            return
        if neighbours[row, n] < 0:
            neighbours[row, n] = key
            weights[row, n] = amount
            return
        if weights[row, n] < weights[row, least]:
            least = n
    weights[row, least] -= amount
    if weights[row, least] < 0.0:
        neighbours[row, least] = key
        weights[row, least] = -weights[row, least]


@kernel
def meet_each(
    row: int,
    others: Ints,
    amount: float,
    items_meta: LongTable,
    neighbours: IntTable,
    weights: FloatTable,
    totals: FloatTable,
) -> None:
    """Pair an item with each of others; -1 is none."""
    key = short_key(row, items_meta[row, _GENERATION])
    for n in range(others.shape[0]):
        other = others[n]
        if other >= 0:
            meet(row, short_key(other, items_meta[other, _GENERATION]), amount, neighbours, weights, totals)
            meet(other, key, amount, neighbours, weights, totals)


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
    neighbours: IntTable,
    weights: FloatTable,
    totals: FloatTable,
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
        meet(row, short_key(item, items_meta[item, _GENERATION]), adds, neighbours, weights, totals)
        meet(item, key, adds, neighbours, weights, totals)


@kernel
def read_neighbours(
    out: FloatTable,
    rows: Ints,
    ring: Longs,
    n_acted: int,
    last: int,
    ages: FloatTable,
    age: int,
    factor: float,
    amounts: Floats,
    items_meta: LongTable,
    neighbours: IntTable,
    weights: FloatTable,
    totals: FloatTable,
    overall: Floats,
    columns: Ints,
    scratch: FloatTable,
) -> None:
    """What the candidates have with a person's newest items.

    ``ages[age]``: what each ring entry counts by its age. ``columns``: of sum, best, lift and cosine, or -1.
    ``scratch``: shape (4, items), zero before and after.
    """
    strength = 5.0
    total = 0.0
    found = 0
    n = min(min(ring[0], n_acted), last)
    for turn in range(2):
        for back in range(n):
            entry = (ring[0] - 1 - back) % n_acted
            key = ring[_HEAD + 2 * entry]
            item = (key >> 8) & 0xFFFFFF
            if key < 0 or items_meta[item, _GENERATION] != key >> 32 or amounts[key & 0xFF] <= 0.0:
                continue
            if turn == 1:
                for place in range(neighbours.shape[1]):
                    if neighbours[item, place] < 0:
                        break
                    other = neighbours[item, place] & 0xFFFFFF
                    for s in range(4):
                        scratch[s, other] = 0.0
                continue
            found += 1
            counts = ages[age, entry]
            mine = totals[item, 0] * factor
            total += counts * mine
            if mine <= 0.0:
                continue
            for place in range(neighbours.shape[1]):
                other = neighbours[item, place]
                if other < 0:
                    break
                to = other & 0xFFFFFF
                if (items_meta[to, _GENERATION] & 0x7F) != other >> 24:
                    continue
                both = weights[item, place] * factor
                share = counts * (both / mine)
                scratch[0, to] += share
                scratch[1, to] = max(scratch[1, to], share)
                scratch[2, to] += counts * both
                theirs = totals[to, 0] * factor
                if theirs > 0.0:
                    scratch[3, to] += counts * (both / math.sqrt(mine * theirs))
        if turn == 0 and found > 0:
            for c in range(rows.shape[0]):
                row = rows[c]
                if row < 0:
                    continue
                if columns[0] >= 0:
                    out[c, columns[0]] = scratch[0, row]
                if columns[1] >= 0:
                    out[c, columns[1]] = scratch[1, row]
                if columns[2] >= 0:
                    popular = totals[row, 0] / overall[0] if overall[0] > 0.0 else 0.0
                    expected = (total + strength) * popular
                    # Of what nobody acted on beside anything, nothing is expected and nothing is known.
                    out[c, columns[2]] = (
                        (scratch[2, row] + strength * popular) / expected if expected > 0.0 else 1.0
                    )
                if columns[3] >= 0:
                    out[c, columns[3]] = scratch[3, row]


class _Pairs:
    """The lists of one feature."""

    def __init__(self, plan: Plan, column: int, feature: CoInteraction) -> None:
        items = plan.view.limits.items
        self.feature = feature
        self.half_life = plan.half_life(feature.half_life)
        self.amounts: Floats = np.array(
            [0.0]
            + [
                max(a.weight, 0.0) if name in feature.actions else 0.0
                for name, a in plan.view.actions.items()
            ]
        )
        self.amount_of: list[float] = self.amounts.tolist()
        self.columns: Ints = np.array(
            [
                column + feature.outputs.index(output) if output in feature.outputs else -1
                for output in CO_INTERACTION_OUTPUTS
            ],
            np.int32,
        )
        self.neighbours: IntTable = reserved((items, feature.neighbours), np.int32)
        self.weights: FloatTable = reserved((items, feature.neighbours))
        self.totals: FloatTable = reserved((items, 1))
        self.overall: Floats = np.zeros(1)


class CoInteractions(Kind):
    """Columns that come from items acted on together; NaN for people who have not acted and for unknown items."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, CoInteraction]]) -> None:
        limits = plan.view.limits
        self._n_acted, self._n_shown = limits.acted, limits.shown
        self._pairs = [_Pairs(plan, column, feature) for column, feature in features]
        plan.sessions |= any(feature.by == "session" for _, feature in features)
        self._half_lives: Longs = np.array([pairs.feature.half_life for pairs in self._pairs], np.int64)
        self._ages: FloatTable = np.zeros((len(self._pairs), limits.acted))
        self._scratch: FloatTable = reserved((4, limits.items))

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._tables = tables
        self._meets = [
            meet_recent.bind(
                rings=(tables.users if pairs.feature.by == "user" else tables.sessions).rings,
                n_acted=self._n_acted,
                last=pairs.feature.last,
                within=pairs.feature.within,
                items_meta=tables.items.meta,
                amounts=pairs.amounts,
                neighbours=pairs.neighbours,
                weights=pairs.weights,
                totals=pairs.totals,
                overall=pairs.overall,
            )
            for pairs in self._pairs
        ]

    def begin_item(self, row: int) -> None:
        """As `Kind.begin_item`."""
        for pairs in self._pairs:
            pairs.neighbours[row] = -1
            pairs.totals[row] = 0.0

    def interaction(self, acted: Acted) -> None:
        """Pair the item with those that the person acted on before."""
        landmarks = self._tables.landmarks
        for pairs, meet in zip(self._pairs, self._meets, strict=True):
            feature, amount = pairs.feature, pairs.amount_of[acted.action] if acted.action >= 0 else 0.0
            if amount <= 0.0:
                continue
            person = acted.user if feature.by == "user" else acted.session
            if person < 0:
                continue
            now = 1.0
            if feature.half_life:
                now = decay.weight(acted.at, feature.half_life, int(landmarks[pairs.half_life]))
            meet(acted.at, acted.row, amount, now, person)

    def rescale(self, shrink: Floats) -> None:
        """As `Kind.rescale`."""
        n = len(self._tables.items)
        for pairs in self._pairs:
            by = float(shrink[pairs.half_life])
            if by != 1.0:
                for array in (pairs.weights[:n], pairs.totals[:n], pairs.overall):
                    array *= by

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        for index, pairs in enumerate(self._pairs):
            by_user = pairs.feature.by == "user"
            people, person = (reading.users, reading.user) if by_user else (reading.sessions, reading.session)
            if person >= 0:
                self._read(index, pairs, people, person, reading, out)

    def _read(
        self, index: int, pairs: _Pairs, people: People, person: int, reading: Reading, out: FloatTable
    ) -> None:
        ring = people.rings[person]
        decay.entry_weights(reading.at, self._half_lives, ring, _HEAD, self._n_acted, self._ages)
        read_neighbours(
            out,
            reading.rows,
            ring,
            self._n_acted,
            pairs.feature.last,
            self._ages,
            index,
            reading.factors[pairs.half_life],
            pairs.amounts,
            reading.items.meta,
            pairs.neighbours,
            pairs.weights,
            pairs.totals,
            pairs.overall,
            pairs.columns,
            self._scratch,
        )

    def save(self) -> list[bytes]:
        """As `Kind.save`. Places that are empty hold what was there before: they are saved as 0."""
        n = len(self._tables.items)
        saved = []
        for pairs in self._pairs:
            weights = np.where(pairs.neighbours[:n] < 0, 0.0, pairs.weights[:n])
            saved += [as_bytes(a) for a in (pairs.neighbours[:n], weights, pairs.totals[:n], pairs.overall)]
        return saved

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        n = len(self._tables.items)
        for index, pairs in enumerate(self._pairs):
            arrays: tuple[NDArray[Any], ...] = (
                pairs.neighbours[:n],
                pairs.weights[:n],
                pairs.totals[:n],
                pairs.overall,
            )
            for array, raw in zip(arrays, saved[4 * index :], strict=False):
                fill(array, raw)

    def sizes(self) -> dict[str, float]:
        """As `Kind.sizes`."""
        return {"item": sum(12.0 * pairs.feature.neighbours + 8.0 for pairs in self._pairs)}
