"""Relative: numbers against those of the slate, against a person's own mean, and against the mean of a category.

The mean of a category is kept: for each value a sum and a number of items, moved when an item's fields change. What
a forgotten item added stays, so that forgetting one entity changes nothing of the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eddyline_contracts.events import ItemUpserted
from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.decay import entry_weights
from eddyline_features.declarations.paths import COLUMN, ITEM
from eddyline_features.declarations.relative import RELATIVE_OUTPUTS, Relative
from eddyline_features.entities import People
from eddyline_features.field_values import number
from eddyline_features.kernel import FloatTable, Ints, IntTable, Longs, LongTable, kernel
from eddyline_features.kinds.kind import Kind, Tables
from eddyline_features.ordering import Numbers
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved

# As in `rings`, `entities` and `ordering`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2
_MOST = 1e100

_MOST_SUMMED = 1e13
"""Numbers beyond are taken for this one in sums that go on: times in ms fit, and what is subtracted leaves no trace."""
_LEAST_WEIGHT = 1e-200
"""A mean of what has faded to less than this is unknown."""


@kernel
def beside_slate(
    out: FloatTable, values: FloatTable, ordered: FloatTable, n_known: Ints, plan: IntTable
) -> None:
    """Compare with all candidates; ``plan`` holds (row of ``values``, columns of diff, z, rank, minmax or -1)."""
    for p in range(plan.shape[0]):
        row = plan[p, 0]
        n = n_known[row]
        if n == 0:
            continue
        least = ordered[row, 0]
        most = ordered[row, n - 1]
        mean = least
        deviation = 0.0
        if most > least:
            total = 0.0
            for i in range(n):
                total += ordered[row, i]
            mean = total / n
            squares = 0.0
            for i in range(n):
                squares += (ordered[row, i] - mean) * (ordered[row, i] - mean)
            deviation = math.sqrt(squares / n)
        for c in range(values.shape[1]):
            x = values[row, c]
            if x != x:
                continue
            if plan[p, 1] >= 0:
                out[c, plan[p, 1]] = x - mean
            if plan[p, 2] >= 0:
                out[c, plan[p, 2]] = (x - mean) / deviation if deviation > 0.0 else 0.0
            if plan[p, 3] >= 0:
                # Bisect: how many are below it, and how many are not above it.
                below = 0
                end = n
                while below < end:
                    middle = (below + end) // 2
                    if ordered[row, middle] < x:
                        below = middle + 1
                    else:
                        end = middle
                up_to = below
                end = n
                while up_to < end:
                    middle = (up_to + end) // 2
                    if ordered[row, middle] <= x:
                        up_to = middle + 1
                    else:
                        end = middle
                equal = up_to - below - 1
                out[c, plan[p, 3]] = (below + 0.5 * equal) / (n - 1) if n > 1 else 0.5
            if plan[p, 4] >= 0:
                out[c, plan[p, 4]] = (x - least) / (most - least) if most > least else 0.5


@kernel
def beside_mean(out: FloatTable, x: float, mean: float, c: int, diff: int, ratio: int) -> None:
    """Difference to a mean and, where both are above 0, their quotient; columns of -1 are not asked for."""
    if diff >= 0:
        out[c, diff] = x - mean
    if ratio >= 0 and x >= 0.0 and mean > 0.0:
        out[c, ratio] = min(x / mean, _MOST)


@kernel
def beside_own(
    out: FloatTable,
    values: FloatTable,
    ring: Longs,
    n_acted: int,
    items_meta: LongTable,
    numbers: FloatTable,
    weights: FloatTable,
    amounts: FloatTable,
    plan: IntTable,
) -> None:
    """Compare with the mean over what one person acted on.

    ``weights``, shape (half-lives, entries): by age. ``amounts``, shape (plan rows, actions): what each action
    counts, not below 0. ``plan`` holds (row of ``values``, slot, half-life, columns of diff and ratio or -1).
    """
    for p in range(plan.shape[0]):
        total = 0.0
        summed = 0.0
        for i in range(n_acted):
            key = ring[_HEAD + 2 * i]
            item = (key >> 8) & 0xFFFFFF
            if key < 0 or items_meta[item, _GENERATION] != key >> 32:
                continue
            x = numbers[item, plan[p, 1]]
            amount = weights[plan[p, 2], i] * amounts[p, key & 0xFF]
            if amount > 0.0 and x == x:
                total += amount
                summed += amount * min(max(x, -_MOST), _MOST)
        if total < _LEAST_WEIGHT:
            continue
        for c in range(values.shape[1]):
            x = values[plan[p, 0], c]
            if x == x:
                beside_mean(out, x, summed / total, c, plan[p, 3], plan[p, 4])


@kernel
def beside_category(
    out: FloatTable,
    values: FloatTable,
    rows: Ints,
    item_values: IntTable,
    sums: FloatTable,
    counts: FloatTable,
    plan: IntTable,
) -> None:
    """Compare with the mean of the candidate's category, of several values with the mean of their means.

    ``sums`` and ``counts``, shape (values, pairs). ``plan`` holds (row of ``values``, pair, first place of the
    category, number of places, columns of diff and ratio or -1).
    """
    for p in range(plan.shape[0]):
        pair = plan[p, 1]
        for c in range(rows.shape[0]):
            x = values[plan[p, 0], c]
            if rows[c] < 0 or x != x:
                continue
            n = 0
            means = 0.0
            for place in range(plan[p, 2], plan[p, 2] + plan[p, 3]):
                value = item_values[rows[c], place]
                if value >= 0 and counts[value, pair] > 0.0:
                    n += 1
                    means += sums[value, pair] / counts[value, pair]
            if n > 0:
                beside_mean(out, x, means / n, c, plan[p, 4], plan[p, 5])


@kernel
def move_means(
    row: int,
    sign: float,
    numbers: FloatTable,
    item_values: IntTable,
    sums: FloatTable,
    counts: FloatTable,
    pairs: IntTable,
) -> None:
    """Add an item to the sums of its categories, or (``sign`` -1) take it away.

    ``pairs`` holds (slot, first place of the category, number of places).
    """
    for pair in range(pairs.shape[0]):
        x = numbers[row, pairs[pair, 0]]
        if x != x:
            continue
        x = min(max(x, -_MOST_SUMMED), _MOST_SUMMED)
        for place in range(pairs[pair, 1], pairs[pair, 1] + pairs[pair, 2]):
            value = item_values[row, place]
            if value >= 0:
                counts[value, pair] += sign
                # Sums round: the last item takes what is left of it away.
                sums[value, pair] = sums[value, pair] + sign * x if counts[value, pair] > 0.0 else 0.0


class Relatives(Kind):
    """Columns that are numbers beside others; NaN where either is unknown."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Relative]]) -> None:
        limits, actions = plan.view.limits, plan.view.actions
        self._n_acted = limits.acted
        self._numbers = Numbers()
        pairs: dict[tuple[int, int, int], int] = {}
        half_lives: list[int] = []
        of_slate: list[list[int]] = []
        of_category: list[list[int]] = []
        own: dict[str, list[list[int]]] = {"user": [], "session": []}
        amounts: dict[str, list[list[float]]] = {"user": [], "session": []}
        for column, feature in features:
            columns = [
                column + feature.outputs.index(output) if output in feature.outputs else -1
                for output in RELATIVE_OUTPUTS
            ]
            slot = -1
            if feature.field.scope == ITEM:
                slot = plan.slot(ITEM, feature.field.name, number, float)
                place = self._numbers.of_item(slot)
            elif feature.field.scope == COLUMN:
                place = self._numbers.of_column(plan.view.columns.index(feature.field.name))
            else:
                place = self._numbers.of_slate(feature.field.name)
            if max(columns[:4]) >= 0:
                of_slate.append([place, *columns[:4]])
            if max(columns[4:6]) >= 0:
                plan.sessions |= feature.by == "session"
                if feature.half_life not in half_lives:
                    half_lives.append(feature.half_life)
                own[feature.by].append([place, slot, half_lives.index(feature.half_life), *columns[4:6]])
                amounts[feature.by].append(
                    [0.0]
                    + [
                        max(action.weight, 0.0) if name in feature.actions or not feature.actions else 0.0
                        for name, action in actions.items()
                    ]
                )
            if feature.category is not None:
                pair = (slot, plan.value_places(feature.category), plan.width)
                index = pairs.setdefault(pair, len(pairs))
                of_category.append([place, index, *pair[1:], *columns[6:]])
        self._of_slate = np.array(of_slate, np.int32).reshape(-1, 5)
        self._of_category = np.array(of_category, np.int32).reshape(-1, 6)
        self._own = {by: np.array(found, np.int32).reshape(-1, 5) for by, found in own.items()}
        self._amounts = {
            by: np.array(found, np.float64).reshape(-1, 1 + len(actions)) for by, found in amounts.items()
        }
        self._half_lives = np.array(half_lives, np.int64)
        self._weights: FloatTable = np.zeros((len(half_lives), limits.acted))
        self._pairs = np.array(list(pairs), np.int32).reshape(-1, 3)
        self._sums: FloatTable = reserved((limits.values if pairs else 0, len(pairs)))
        self._counts: FloatTable = reserved(self._sums.shape)

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._items, self._values = tables.items, tables.values

    def before_item(self, row: int) -> None:
        """Take the item out of the sums of its categories."""
        self._move(row, -1.0)

    def after_item(self, row: int, event: ItemUpserted, at: int) -> None:
        """Add it to those that it has now."""
        self._move(row, 1.0)

    def _move(self, row: int, sign: float) -> None:
        if len(self._pairs):
            move_means(
                row, sign, self._items.numbers, self._items.values, self._sums, self._counts, self._pairs
            )

    def begin_value(self, code: int) -> None:
        """No item has it yet."""
        if len(self._pairs):
            self._sums[code] = 0.0
            self._counts[code] = 0.0

    def save(self) -> list[bytes]:
        """Sums and counts of the values in use."""
        n = len(self._values)
        return [as_bytes(self._sums[:n]), as_bytes(self._counts[:n])]

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        n = len(self._values)
        fill(self._sums[:n], saved[0])
        fill(self._counts[:n], saved[1])

    def sizes(self) -> dict[str, float]:
        """As `Kind.sizes`."""
        return {"value": 16.0 * len(self._pairs)}

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        values, ordered, n_known = self._numbers.gather(reading, out)
        if len(self._of_slate):
            beside_slate(out, values, ordered, n_known, self._of_slate)
        if len(self._of_category):
            items = reading.items
            beside_category(
                out, values, reading.rows, items.values, self._sums, self._counts, self._of_category
            )
        self._read_own("user", reading.users, reading.user, reading, values, out)
        self._read_own("session", reading.sessions, reading.session, reading, values, out)

    def _read_own(
        self, by: str, people: People, row: int, reading: Reading, values: FloatTable, out: FloatTable
    ) -> None:
        plan = self._own[by]
        if row < 0 or not len(plan):
            return
        ring = people.rings[row]
        entry_weights(reading.at, self._half_lives, ring, _HEAD, self._n_acted, self._weights)
        beside_own(
            out,
            values,
            ring,
            self._n_acted,
            reading.items.meta,
            reading.items.numbers,
            self._weights,
            self._amounts[by],
            plan,
        )
