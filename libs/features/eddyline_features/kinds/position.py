"""Position: the place in the slate, which only training knows; in serving every candidate has the same."""

from __future__ import annotations

from collections.abc import Sequence

from eddyline_features.declarations.position import Position
from eddyline_features.kernel import FloatTable
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading


class Positions(Kind):
    """Columns that are positions."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Position]]) -> None:
        self._constants = [(column, feature.serving) for column, feature in features]

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        for column, value in self._constants:
            out[:, column] = value
