"""Interacted with: counts of values among a person's last actions, read from their rings (see ``rings``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.interacted_with import InteractedWith
from eddyline_features.declarations.paths import THE_ITEM
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
def overlaps(
    out: FloatTable,
    rows: Ints,
    ring: Longs,
    n_acted: int,
    items_meta: LongTable,
    item_values: IntTable,
    at: int,
    plan: IntTable,
    counts: IntTable,
    withins: Longs,
    scratch: Floats,
) -> None:
    """How many of one person's last actions were on items with the candidates' values.

    ``plan`` holds (column, first place of the field or -1 for the item itself, number of places, actions at most).
    ``counts``, shape (plan rows, actions): 1 where an action counts. ``withins``, shape (plan rows,): ms, 0 is no
    bound. ``scratch``, shape (at least values and items,): zero before and after.
    """
    n_kept = min(ring[0], n_acted)
    for p in range(plan.shape[0]):
        first = plan[p, 1]
        last = first + plan[p, 2]
        n = 0
        for back in range(n_kept):
            i = (ring[0] - 1 - back) % n_acted
            key = ring[_HEAD + 2 * i]
            if counts[p, key & 0xFF] == 0:
                continue
            if withins[p] > 0 and at - ring[_HEAD + 2 * i + 1] > withins[p]:
                continue
            n += 1
            if n > plan[p, 3]:
                break
            item = (key >> 8) & 0xFFFFFF
            if items_meta[item, _GENERATION] != key >> 32:
                continue
            if first < 0:
                scratch[item] += 1.0
            else:
                for place in range(first, last):
                    value = item_values[item, place]
                    if value >= 0:
                        scratch[value] += 1.0
        for c in range(rows.shape[0]):
            row = rows[c]
            if row < 0:
                continue
            if first < 0:
                out[c, plan[p, 0]] = scratch[row]
                continue
            known = False
            found = 0.0
            for place in range(first, last):
                value = item_values[row, place]
                if value >= 0:
                    known = True
                    found += scratch[value]
            if known:
                out[c, plan[p, 0]] = found
        for i in range(n_kept):
            item = (ring[_HEAD + 2 * i] >> 8) & 0xFFFFFF
            if first < 0:
                scratch[item] = 0.0
            else:
                for place in range(first, last):
                    value = item_values[item, place]
                    if value >= 0:
                        scratch[value] = 0.0


class InteractedWiths(Kind):
    """Columns that are overlaps: 0 for people of whom nothing is known, NaN for items without the field."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, InteractedWith]]) -> None:
        limits, actions = plan.view.limits, plan.view.actions
        self._n_acted = limits.acted
        rows: dict[str, list[list[int]]] = {"user": [], "session": []}
        counts: dict[str, list[list[int]]] = {"user": [], "session": []}
        withins: dict[str, list[int]] = {"user": [], "session": []}
        for column, feature in features:
            plan.sessions |= feature.by == "session"
            for at, field in enumerate(feature.fields):
                first = -1 if field == THE_ITEM else plan.value_places(field)
                rows[feature.by].append([column + at, first, plan.width, feature.last or limits.acted])
                counts[feature.by].append(plan.acts(feature.actions))
                withins[feature.by].append(feature.within)
        self._plans = {by: np.array(found, np.int32).reshape(-1, 4) for by, found in rows.items()}
        self._counts = {
            by: np.array(found, np.int32).reshape(-1, 1 + len(actions)) for by, found in counts.items()
        }
        self._withins = {by: np.array(found, np.int64) for by, found in withins.items()}
        self._scratch: Floats = reserved(max(limits.items, limits.values))
        self._nobody: Longs = np.zeros(_HEAD + 2 * limits.acted, np.int64)
        """A ring that nothing was put into."""

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        self._read_of("user", reading.users, reading.user, reading, out)
        self._read_of("session", reading.sessions, reading.session, reading, out)

    def _read_of(self, by: str, people: People, row: int, reading: Reading, out: FloatTable) -> None:
        plan = self._plans[by]
        if not len(plan):
            return
        overlaps(
            out,
            reading.rows,
            people.rings[row] if row >= 0 else self._nobody,
            self._n_acted,
            reading.items.meta,
            reading.items.values,
            reading.at,
            plan,
            self._counts[by],
            self._withins[by],
            self._scratch,
        )
