"""Affinity: what a person acted on and what they were shown but left, among things that share a field value.

Computed at read time from the person's rings (see ``rings``), so it costs nothing while events arrive, and always
knows the items' values of today.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.decay import entry_weights
from eddyline_features.declarations.affinity import AFFINITY_OUTPUTS, Affinity
from eddyline_features.declarations.paths import IMPRESSION, THE_ITEM
from eddyline_features.entities import People
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, kernel
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2


@kernel
def affinities(
    out: FloatTable,
    rows: Ints,
    ring: Longs,
    n_acted: int,
    n_shown: int,
    items_meta: LongTable,
    item_values: IntTable,
    weights: FloatTable,
    amounts: FloatTable,
    marks: Floats,
    expected: Floats,
    at: int,
    plan: IntTable,
    withins: Longs,
    strengths: Floats,
    scratch: FloatTable,
) -> None:
    """Affinities of one person to the candidates.

    ``weights``, shape (half-lives, entries): what each ring entry counts by its age. ``amounts``, shape (plan rows,
    actions): what each action counts; below 0 it is something passed by, and taken off what exceeds expectation.
    ``marks``, shape (actions,): 1.0 where the action stands for the item's impressions before it, 0.0 where these
    count as passed all the same. ``withins``, shape (plan rows,): ms, 0 is no bound. ``expected``, shape (entries,):
    rate of each entry's item. ``plan`` holds (half-life, first place of the field or -1 for the item itself, number
    of places, column of each output or -1). ``scratch``, shape (3, at least values and items): what was acted on,
    passed and expected; all zero before and after.
    """
    for p in range(plan.shape[0]):
        h = plan[p, 0]
        first = plan[p, 1]
        last = first + plan[p, 2]
        acted_total = 0.0
        passed_total = 0.0
        for i in range(n_acted + n_shown):
            key = ring[_HEAD + 2 * i]
            item = (key >> 8) & 0xFFFFFF
            if key < 0 or items_meta[item, _GENERATION] != key >> 32:
                continue
            if withins[p] > 0 and at - ring[_HEAD + 2 * i + 1] > withins[p]:
                continue
            side = 1
            amount = weights[h, i]
            less = amount * expected[i]
            if i < n_acted:
                amount *= amounts[p, key & 0xFF]
                less *= marks[key & 0xFF]
                if amount < 0.0:
                    amount = -amount
                    less = amount
                else:
                    side = 0
            elif key & 1:
                continue
            if side == 0:
                acted_total += amount
            else:
                passed_total += amount
            if first < 0:
                scratch[side, item] += amount
                scratch[2, item] += less
            else:
                for place in range(first, last):
                    value = item_values[item, place]
                    if value >= 0:
                        scratch[side, value] += amount
                        scratch[2, value] += less
        total = acted_total + passed_total
        if total > 0.0:
            strength = strengths[p]
            above = strength * (acted_total / total)
            for c in range(rows.shape[0]):
                row = rows[c]
                if row < 0:
                    continue
                n = 0
                acted = 0.0
                passed = 0.0
                rates = 0.0
                best = 0.0
                lift = 0.0
                if first < 0:
                    n = 1
                    acted = scratch[0, row]
                    passed = scratch[1, row]
                    rates = (acted + above) / (acted + passed + strength)
                    best = rates
                    lift = (acted - scratch[2, row]) / (acted + passed + strength)
                else:
                    for place in range(first, last):
                        value = item_values[row, place]
                        if value >= 0:
                            n += 1
                            a = scratch[0, value]
                            b = scratch[1, value]
                            rate = (a + above) / (a + b + strength)
                            acted += a
                            passed += b
                            rates += rate
                            lift += (a - scratch[2, value]) / (a + b + strength)
                            best = max(best, rate)
                if n == 0:
                    continue
                if plan[p, 3] >= 0:
                    out[c, plan[p, 3]] = acted / n
                if plan[p, 4] >= 0:
                    out[c, plan[p, 4]] = passed / n
                if plan[p, 5] >= 0:
                    out[c, plan[p, 5]] = rates / n
                if plan[p, 6] >= 0:
                    out[c, plan[p, 6]] = best
                if plan[p, 7] >= 0:
                    out[c, plan[p, 7]] = acted / acted_total if acted_total > 0.0 else 0.0
                if plan[p, 8] >= 0:
                    out[c, plan[p, 8]] = lift / n
        for i in range(n_acted + n_shown):
            key = ring[_HEAD + 2 * i]
            if key < 0:
                continue
            item = (key >> 8) & 0xFFFFFF
            if first < 0:
                scratch[0, item] = 0.0
                scratch[1, item] = 0.0
                scratch[2, item] = 0.0
            else:
                for place in range(first, last):
                    value = item_values[item, place]
                    if value >= 0:
                        scratch[0, value] = 0.0
                        scratch[1, value] = 0.0
                        scratch[2, value] = 0.0


@kernel
def expected_rates(
    ring: Longs,
    n: int,
    counters: FloatTable,
    overall: FloatTable,
    factor: float,
    acted: int,
    shown: int,
    strength: float,
    out: Floats,
) -> None:
    """Smoothed rate of the item of each of ``n`` ring entries, by its counters ``acted`` and ``shown``."""
    base = max(min(overall[0, acted] / overall[0, shown], 1.0), -1.0) if overall[0, shown] > 0.0 else 0.0
    for i in range(n):
        key = ring[_HEAD + 2 * i]
        if key >= 0:
            item = (key >> 8) & 0xFFFFFF
            above = counters[item, acted] * factor + strength * base
            out[i] = above / (counters[item, shown] * factor + strength)


class Affinities(Kind):
    """Columns that are affinities; NaN for people of whom nothing is known, and for unknown items."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Affinity]]) -> None:
        limits = plan.view.limits
        self._n_acted, self._n_shown = limits.acted, limits.shown
        half_lives: list[int] = []
        rows: dict[str, list[list[int]]] = {"user": [], "session": []}
        withins: dict[str, list[int]] = {"user": [], "session": []}
        strengths: dict[str, list[float]] = {"user": [], "session": []}
        amounts: dict[str, list[list[float]]] = {"user": [], "session": []}
        for column, feature in features:
            plan.sessions |= feature.by == "session"
            first = -1 if feature.field == THE_ITEM else plan.value_places(feature.field)
            for at, half_life in enumerate(feature.half_lives):
                if half_life not in half_lives:
                    half_lives.append(half_life)
                start = column + at * len(feature.outputs)
                columns = [
                    start + feature.outputs.index(output) if output in feature.outputs else -1
                    for output in AFFINITY_OUTPUTS
                ]
                rows[feature.by].append([half_lives.index(half_life), first, plan.width, *columns])
                withins[feature.by].append(feature.within)
                strengths[feature.by].append(feature.strength)
                amounts[feature.by].append(
                    [0.0]
                    + [a.weight if name in feature.actions else 0.0 for name, a in plan.view.actions.items()]
                )
        width = 3 + len(AFFINITY_OUTPUTS)
        everything, prior = tuple(plan.view.actions), plan.view.prior
        self._prior = (
            plan.counters.column(everything, prior.half_life_ms),
            plan.counters.column((IMPRESSION,), prior.half_life_ms),
        )
        self._prior_strength = prior.strength
        self._half_lives = np.array(half_lives, np.int64)
        self._plans = {by: np.array(found, np.int32).reshape(-1, width) for by, found in rows.items()}
        self._withins = {by: np.array(found, np.int64) for by, found in withins.items()}
        self._strengths = {by: np.array(found, np.float64) for by, found in strengths.items()}
        n_actions = 1 + len(plan.view.actions)
        self._amounts = {
            by: np.array(found, np.float64).reshape(-1, n_actions) for by, found in amounts.items()
        }
        self._marks: Floats = np.array([0.0, *(float(a.weight > 0.0) for a in plan.view.actions.values())])
        n_entries = self._n_acted + self._n_shown
        self._weights: FloatTable = np.zeros((len(half_lives), n_entries))
        self._expected: Floats = np.zeros(n_entries)
        self._scratch: FloatTable = reserved((3, max(limits.items, limits.values)))

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        self._read_of("user", reading.users, reading.user, reading, out)
        self._read_of("session", reading.sessions, reading.session, reading, out)

    def _read_of(self, by: str, people: People, row: int, reading: Reading, out: FloatTable) -> None:
        plan = self._plans[by]
        if row < 0 or not len(plan):
            return
        ring = people.rings[row]
        n_acted, n_shown = self._n_acted, self._n_shown
        entry_weights(reading.at, self._half_lives, ring, _HEAD, n_acted + n_shown, self._weights)
        expected_rates(
            ring,
            n_acted + n_shown,
            reading.items.counters,
            reading.overall,
            reading.factors[reading.half_life_of[self._prior[0]]],
            *self._prior,
            self._prior_strength,
            self._expected,
        )
        affinities(
            out,
            reading.rows,
            ring,
            n_acted,
            n_shown,
            reading.items.meta,
            reading.items.values,
            self._weights,
            self._amounts[by],
            self._marks,
            self._expected,
            reading.at,
            plan,
            self._withins[by],
            self._strengths[by],
            self._scratch,
        )
