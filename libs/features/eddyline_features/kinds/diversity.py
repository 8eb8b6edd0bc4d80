"""Diversity: a candidate beside the others of its request, by a number or by the values of a field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.diversity import Diversity
from eddyline_features.declarations.paths import ITEM
from eddyline_features.field_values import number
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, kernel
from eddyline_features.kinds.kind import Kind
from eddyline_features.ordering import Numbers
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved


@kernel
def above_median(
    out: FloatTable, values: FloatTable, ordered: FloatTable, n_known: Ints, plan: IntTable
) -> None:
    """Less the median of all candidates; ``plan`` holds (column, row of ``values``)."""
    for p in range(plan.shape[0]):
        row = plan[p, 1]
        n = n_known[row]
        if n > 0:
            median = ordered[row, n // 2]
            if n % 2 == 0:
                median = 0.5 * ordered[row, n // 2 - 1] + 0.5 * median
            for c in range(values.shape[1]):
                out[c, plan[p, 0]] = values[row, c] - median


@kernel
def unlike_others(
    out: FloatTable, rows: Ints, item_values: IntTable, plan: IntTable, scratch: Floats
) -> None:
    """1 less the mean share of other candidates with the same values.

    ``plan`` holds (column, first place of the field, number of places). ``scratch``, shape (at least values,): zero
    before and after.
    """
    for p in range(plan.shape[0]):
        first = plan[p, 1]
        last = first + plan[p, 2]
        others = -1
        for c in range(rows.shape[0]):
            known = False
            if rows[c] >= 0:
                for place in range(first, last):
                    value = item_values[rows[c], place]
                    if value >= 0:
                        known = True
                        scratch[value] += 1.0
            if known:
                others += 1
        for c in range(rows.shape[0]):
            if rows[c] < 0 or others < 1:
                continue
            n = 0
            alike = 0.0
            for place in range(first, last):
                value = item_values[rows[c], place]
                if value >= 0:
                    n += 1
                    alike += scratch[value] - 1.0
            if n > 0:
                out[c, plan[p, 0]] = 1.0 - alike / (n * others)
        for c in range(rows.shape[0]):
            if rows[c] >= 0:
                for place in range(first, last):
                    value = item_values[rows[c], place]
                    if value >= 0:
                        scratch[value] = 0.0


class Diversities(Kind):
    """Columns that are diversities; NaN for items without the field, and where no other candidate has it."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Diversity]]) -> None:
        self._numbers = Numbers()
        of_number: list[list[int]] = []
        of_values: list[list[int]] = []
        for column, feature in features:
            if feature.compare == "number":
                slot = plan.slot(ITEM, feature.field, number, float)
                of_number.append([column, self._numbers.of_item(slot)])
            else:
                of_values.append([column, plan.value_places(feature.field), plan.width])
        self._of_number = np.array(of_number, np.int32).reshape(-1, 2)
        self._of_values = np.array(of_values, np.int32).reshape(-1, 3)
        self._scratch: Floats = reserved(plan.view.limits.values)

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        if len(self._of_number):
            values, ordered, n_known = self._numbers.gather(reading, out)
            above_median(out, values, ordered, n_known, self._of_number)
        if len(self._of_values):
            unlike_others(out, reading.rows, reading.items.values, self._of_values, self._scratch)
