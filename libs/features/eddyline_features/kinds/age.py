"""Item age: days since an item first appeared, or since the time in one of its fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.item_age import ItemAge
from eddyline_features.declarations.paths import ITEM
from eddyline_features.field_values import moment
from eddyline_features.kernel import FloatTable, Ints, IntTable, LongTable, kernel
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

_FIRST_SEEN = 1
_DAY_MS = 86_400_000.0


@kernel
def ages(out: FloatTable, rows: Ints, numbers: FloatTable, meta: LongTable, at: int, plan: IntTable) -> None:
    """Days before ``at``, not below 0; ``plan`` holds (column, slot of the time, or -1 for the first event)."""
    for i in range(rows.shape[0]):
        row = rows[i]
        if row >= 0:
            for p in range(plan.shape[0]):
                slot = plan[p, 1]
                born = numbers[row, slot] if slot >= 0 else float(meta[row, _FIRST_SEEN])
                age = at - born
                out[i, plan[p, 0]] = 0.0 if age < 0.0 else age / _DAY_MS


class Ages(Kind):
    """Columns that are ages."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, ItemAge]]) -> None:
        rows = [
            (column, -1 if f.field is None else plan.slot(ITEM, f.field, moment, int))
            for column, f in features
        ]
        self._plan = np.array(rows, np.int32).reshape(-1, 2)

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        if len(self._plan):
            ages(out, reading.rows, reading.items.numbers, reading.items.meta, reading.at, self._plan)
