"""Co-interaction: what a candidate has with the person's newest items, by what was acted on together (see
``neighbours``)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eddyline_features import decay
from eddyline_features.declarations.co_interaction import CO_INTERACTION_OUTPUTS, CoInteraction
from eddyline_features.entities import People
from eddyline_features.kernel import (
    Floats,
    FloatTable,
    Ints,
    IntTable,
    Longs,
    LongTable,
    SingleTable,
    kernel,
)
from eddyline_features.kinds.kind import Acted, Kind, Tables
from eddyline_features.neighbours import Neighbours, meet_recent
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2


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
    slots: Ints,
    keys: IntTable,
    weights: SingleTable,
    units: Ints,
    totals: Floats,
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
            slot = slots[item]
            if turn == 1:
                for place in range(keys.shape[1]):
                    if keys[slot, place] < 0:
                        break
                    other = keys[slot, place] & 0xFFFFFF
                    for s in range(4):
                        scratch[s, other] = 0.0
                continue
            found += 1
            counts = ages[age, entry]
            mine = totals[slot] * factor
            total += counts * mine
            if mine <= 0.0:
                continue
            unit = math.ldexp(1.0, int(units[slot]))
            for place in range(keys.shape[1]):
                other = keys[slot, place]
                if other < 0:
                    break
                to = other & 0xFFFFFF
                if (items_meta[to, _GENERATION] & 0x7F) != other >> 24:
                    continue
                both = np.float64(weights[slot, place]) * unit * factor
                share = counts * (both / mine)
                scratch[0, to] += share
                scratch[1, to] = max(scratch[1, to], share)
                scratch[2, to] += counts * both
                theirs = totals[slots[to]] * factor
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
                    popular = totals[slots[row]] / overall[0] if overall[0] > 0.0 else 0.0
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
        self.lists = Neighbours(plan.view.limits.items, feature.neighbours)


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
                **pairs.lists.arrays(),
                overall=pairs.lists.overall,
            )
            for pairs in self._pairs
        ]

    def begin_item(self, row: int) -> None:
        """As `Kind.begin_item`."""
        for pairs in self._pairs:
            pairs.lists.begin(row)

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
        for pairs in self._pairs:
            pairs.lists.rescale(float(shrink[pairs.half_life]))

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
        ring, lists = people.rings[person], pairs.lists
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
            lists.slots,
            lists.keys,
            lists.weights,
            lists.units,
            lists.totals,
            lists.overall,
            pairs.columns,
            self._scratch,
        )

    def save(self) -> list[bytes]:
        """As `Kind.save`."""
        n = len(self._tables.items)
        return [part for pairs in self._pairs for part in pairs.lists.save(n)]

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        n, size = len(self._tables.items), Neighbours.N_SAVED
        for index, pairs in enumerate(self._pairs):
            pairs.lists.load(saved[size * index : size * (index + 1)], n)

    def sizes(self) -> dict[str, float]:
        """As `Kind.sizes`."""
        return {"item": sum(pairs.lists.bytes_each for pairs in self._pairs)}
