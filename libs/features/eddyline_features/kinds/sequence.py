"""Sequence: a person's last actions in their order. Computed at read time from their rings (see ``rings``)."""

from __future__ import annotations

from collections.abc import Sequence as Members

import numpy as np

from eddyline_features.declarations.paths import THE_ITEM
from eddyline_features.declarations.sequence import Sequence
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
def sequences(
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
    scratch: FloatTable,
) -> None:
    """What one person's last actions say of the candidates.

    ``plan`` holds (first place of the field, -1 for the item itself, -2 for none; number of places; actions to match;
    columns of since, since_same, length, duration and the first match, or -1). ``counts``, shape (plan rows,
    actions): 1 where an action counts. ``withins``, shape (plan rows,): ms, 0 is no bound. ``scratch``, shape (2, at
    least values and items): how new the newest action is (0 is none), and values of one item; zero before and after.
    """
    n_kept = min(ring[0], n_acted)
    for p in range(plan.shape[0]):
        first = plan[p, 0]
        last = first + plan[p, 1]
        length = 0
        newest = 0
        oldest = 0
        for back in range(n_kept):
            i = (ring[0] - 1 - back) % n_acted
            key = ring[_HEAD + 2 * i]
            if counts[p, key & 0xFF] == 0:
                continue
            age = max(at - ring[_HEAD + 2 * i + 1], 0)
            if withins[p] > 0 and age > withins[p]:
                continue
            newest = min(newest, age) if length > 0 else age
            oldest = max(oldest, age)
            length += 1
            item = (key >> 8) & 0xFFFFFF
            if first == -2 or items_meta[item, _GENERATION] != key >> 32:
                continue
            newness = float(max(_OLDEST - age, 1))
            matched = plan[p, 7] >= 0 and length <= plan[p, 2]
            column = plan[p, 7] + length - 1
            if first == -1:
                scratch[0, item] = max(scratch[0, item], newness)
                if matched:
                    for c in range(rows.shape[0]):
                        if rows[c] >= 0:
                            out[c, column] = 1.0 if rows[c] == item else 0.0
                continue
            n_own = 0
            for place in range(first, last):
                value = item_values[item, place]
                if value >= 0:
                    n_own += 1
                    scratch[0, value] = max(scratch[0, value], newness)
                    scratch[1, value] = 1.0
            if matched and n_own > 0:
                for c in range(rows.shape[0]):
                    if rows[c] < 0:
                        continue
                    n = 0
                    shared = 0.0
                    for place in range(first, last):
                        value = item_values[rows[c], place]
                        if value >= 0:
                            n += 1
                            shared += scratch[1, value]
                    if n > 0:
                        out[c, column] = shared / n
            for place in range(first, last):
                value = item_values[item, place]
                if value >= 0:
                    scratch[1, value] = 0.0
        for c in range(rows.shape[0]):
            if plan[p, 3] >= 0 and length > 0:
                out[c, plan[p, 3]] = newest / _HOUR_MS
            if plan[p, 5] >= 0:
                out[c, plan[p, 5]] = float(length)
            if plan[p, 6] >= 0 and length > 0:
                out[c, plan[p, 6]] = oldest / _HOUR_MS
            row = rows[c]
            if plan[p, 4] >= 0 and row >= 0:
                found = 0.0
                if first == -1:
                    found = scratch[0, row]
                else:
                    for place in range(first, last):
                        value = item_values[row, place]
                        if value >= 0:
                            found = max(found, scratch[0, value])
                if found > 0.0:
                    out[c, plan[p, 4]] = (_OLDEST - found) / _HOUR_MS
        for back in range(n_kept if first > -2 else 0):
            item = (ring[_HEAD + 2 * back] >> 8) & 0xFFFFFF
            if first == -1:
                scratch[0, item] = 0.0
            else:
                for place in range(first, last):
                    value = item_values[item, place]
                    if value >= 0:
                        scratch[0, value] = 0.0


class Sequences(Kind):
    """Columns that are about the last actions; people of whom nothing is known have a length of 0, and else NaN."""

    def __init__(self, plan: Plan, features: Members[tuple[int, Sequence]]) -> None:
        limits, actions = plan.view.limits, plan.view.actions
        self._n_acted = limits.acted
        rows: dict[str, list[list[int]]] = {"user": [], "session": []}
        counts: dict[str, list[list[int]]] = {"user": [], "session": []}
        withins: dict[str, list[int]] = {"user": [], "session": []}
        for column, feature in features:
            plan.sessions |= feature.by == "session"
            first = -2
            if feature.field is not None:
                first = -1 if feature.field == THE_ITEM else plan.value_places(feature.field)
            columns = dict.fromkeys(("since", "since_same", "length", "duration", "match"), -1)
            for output in feature.outputs:
                columns[output] = column
                column += feature.last if output == "match" else 1
            rows[feature.by].append([first, plan.width, feature.last, *columns.values()])
            counts[feature.by].append(plan.acts(feature.actions))
            withins[feature.by].append(feature.within)
        self._plans = {by: np.array(found, np.int32).reshape(-1, 8) for by, found in rows.items()}
        self._counts = {
            by: np.array(found, np.int32).reshape(-1, 1 + len(actions)) for by, found in counts.items()
        }
        self._withins = {by: np.array(found, np.int64) for by, found in withins.items()}
        self._scratch: FloatTable = reserved((2, max(limits.items, limits.values)))
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
        sequences(
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
