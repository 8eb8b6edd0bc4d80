"""Fatigue: what a person was shown and left, again and again; read from their rings (see ``rings``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.decay import entry_weights
from eddyline_features.declarations.fatigue import Fatigue
from eddyline_features.declarations.paths import THE_ITEM
from eddyline_features.entities import People
from eddyline_features.kernel import FloatTable, Ints, IntTable, Longs, LongTable, kernel
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2

_OLDEST = 9007199254740992
"""2^53: as many ms ago is the longest time that float64 tells exactly."""
_HOUR_MS = 3_600_000.0


@kernel
def fatigues(
    out: FloatTable,
    rows: Ints,
    ring: Longs,
    n_acted: int,
    n_shown: int,
    items_meta: LongTable,
    item_values: IntTable,
    weights: FloatTable,
    at: int,
    plan: IntTable,
    withins: Longs,
    scratch: FloatTable,
) -> None:
    """How often one person was shown the candidates' values and left them, and when they last were.

    ``weights``, shape (half-lives, entries): what each ring entry counts by its age. ``plan`` holds (half-life or -1,
    first place of the field or -1 for the item itself, number of places, column of the times or -1, column of the
    time since or -1). ``withins``, shape (plan rows,): ms, 0 is no bound. ``scratch``, shape (2, at least values and
    items): the times, and how new the newest is (0 is never); all zero before and after.
    """
    for p in range(plan.shape[0]):
        h = plan[p, 0]
        first = plan[p, 1]
        last = first + plan[p, 2]
        for i in range(n_acted, n_acted + n_shown):
            key = ring[_HEAD + 2 * i]
            item = (key >> 8) & 0xFFFFFF
            if key < 0 or items_meta[item, _GENERATION] != key >> 32:
                continue
            age = max(at - ring[_HEAD + 2 * i + 1], 0)
            if withins[p] > 0 and age > withins[p]:
                continue
            amount = weights[h, i] if h >= 0 and key & 1 == 0 else 0.0
            newness = float(max(_OLDEST - age, 1))
            if first < 0:
                scratch[0, item] += amount
                scratch[1, item] = max(scratch[1, item], newness)
            else:
                for place in range(first, last):
                    value = item_values[item, place]
                    if value >= 0:
                        scratch[0, value] += amount
                        scratch[1, value] = max(scratch[1, value], newness)
        for c in range(rows.shape[0]):
            row = rows[c]
            if row < 0:
                continue
            n = 0
            times = 0.0
            newest = 0.0
            if first < 0:
                n = 1
                times = scratch[0, row]
                newest = scratch[1, row]
            else:
                for place in range(first, last):
                    value = item_values[row, place]
                    if value >= 0:
                        n += 1
                        times += scratch[0, value]
                        newest = max(newest, scratch[1, value])
            if n > 0 and plan[p, 3] >= 0:
                out[c, plan[p, 3]] = times / n
            if newest > 0.0 and plan[p, 4] >= 0:
                out[c, plan[p, 4]] = (_OLDEST - newest) / _HOUR_MS
        for i in range(n_acted, n_acted + n_shown):
            key = ring[_HEAD + 2 * i]
            if key < 0:
                continue
            item = (key >> 8) & 0xFFFFFF
            if first < 0:
                scratch[0, item] = 0.0
                scratch[1, item] = 0.0
            else:
                for place in range(first, last):
                    value = item_values[item, place]
                    if value >= 0:
                        scratch[0, value] = 0.0
                        scratch[1, value] = 0.0


class Fatigues(Kind):
    """Columns that are fatigue; NaN for people of whom nothing is known, and for unknown items."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Fatigue]]) -> None:
        limits = plan.view.limits
        self._n_acted, self._n_shown = limits.acted, limits.shown
        half_lives: list[int] = []
        rows: dict[str, list[list[int]]] = {"user": [], "session": []}
        withins: dict[str, list[int]] = {"user": [], "session": []}
        for column, feature in features:
            plan.sessions |= feature.by == "session"
            first = -1 if feature.field == THE_ITEM else plan.value_places(feature.field)
            half_lives += [h for h in feature.half_lives if h not in half_lives]
            since = column + len(feature.half_lives) if "since" in feature.outputs else -1
            of_each = [(half_lives.index(h), column + at) for at, h in enumerate(feature.half_lives)]
            for index, (h, times) in enumerate(of_each or [(-1, -1)]):
                rows[feature.by].append([h, first, plan.width, times, since if index == 0 else -1])
                withins[feature.by].append(feature.within)
        self._half_lives = np.array(half_lives, np.int64)
        self._plans = {by: np.array(found, np.int32).reshape(-1, 5) for by, found in rows.items()}
        self._withins = {by: np.array(found, np.int64) for by, found in withins.items()}
        self._weights: FloatTable = np.zeros((len(half_lives), limits.acted + limits.shown))
        self._scratch: FloatTable = reserved((2, max(limits.items, limits.values)))

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
        fatigues(
            out,
            reading.rows,
            ring,
            n_acted,
            n_shown,
            reading.items.meta,
            reading.items.values,
            self._weights,
            reading.at,
            plan,
            self._withins[by],
            self._scratch,
        )
