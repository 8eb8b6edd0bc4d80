"""All columns of a view: each kind's part of the plan, and one (N, F) table from them."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

from eddyline_features.declarations import (
    Affinity,
    Boolean,
    Categories,
    Count,
    ItemAge,
    Number,
    Position,
    Rate,
)
from eddyline_features.kernel import FloatTable, SingleTable, kernel
from eddyline_features.kinds.affinity import Affinities
from eddyline_features.kinds.age import Ages
from eddyline_features.kinds.counts import Counts
from eddyline_features.kinds.fields import Fields
from eddyline_features.kinds.position import Positions
from eddyline_features.kinds.rates import Rates
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

_T = TypeVar("_T")


@kernel
def to_singles(table: FloatTable, out: SingleTable) -> None:
    """Cast once, at the end; what float32 cannot hold becomes its largest number, never infinity."""
    largest = 3.4028234663852886e38
    for i in range(table.shape[0]):
        for c in range(table.shape[1]):
            out[i, c] = (
                np.float32(min(max(table[i, c], -largest), largest)) if table[i, c] == table[i, c] else np.nan
            )


class Kind(Protocol):
    """One kind's columns."""

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write them; the rest of ``out`` stays as it is."""


class Columns:
    """The kinds of a view, ready to read."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.n = len(plan.view.columns)
        self.fields = Fields(plan, self._of(Number) + self._of(Boolean) + self._of(Categories))
        rates = Rates(plan, self._of(Rate))
        counts = Counts(plan, self._of(Count))
        self._kinds: list[Kind] = [
            self.fields,
            Ages(plan, self._of(ItemAge)),
            rates,
            counts,
            # After the rates: fields that are counted come first among an item's values.
            Affinities(plan, self._of(Affinity)),
            Positions(plan, self._of(Position)),
        ]

    def _of(self, kind: type[_T]) -> list[tuple[int, _T]]:
        found: list[tuple[int, _T]] = []
        column = 0
        for feature in self._plan.view.features:
            if isinstance(feature, kind):
                found.append((column, feature))
            column += len(feature.columns)
        return found

    def read(self, reading: Reading) -> SingleTable:
        """Shape (N, F); NaN where unknown. Arithmetic is in float64 throughout."""
        table: FloatTable = np.full((len(reading.rows), self.n), np.nan)
        for kind in self._kinds:
            kind.read(reading, table)
        out: SingleTable = np.empty(table.shape, np.float32)
        to_singles(table, out)
        return out
