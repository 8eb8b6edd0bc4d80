"""All columns of a view: its kinds, in the order of the registry, and one (N, F) table from them."""

from __future__ import annotations

import numpy as np

from eddyline_features.kernel import FloatTable, SingleTable, kernel
from eddyline_features.kinds.affinity import Affinities
from eddyline_features.kinds.age import Ages
from eddyline_features.kinds.chances import Chances
from eddyline_features.kinds.co_interaction import CoInteractions
from eddyline_features.kinds.counts import Counts
from eddyline_features.kinds.diversity import Diversities
from eddyline_features.kinds.fatigue import Fatigues
from eddyline_features.kinds.field_match import FieldMatches
from eddyline_features.kinds.fields import Fields
from eddyline_features.kinds.groups import Groups
from eddyline_features.kinds.interacted_with import InteractedWiths
from eddyline_features.kinds.kind import Kind, overrides
from eddyline_features.kinds.local_times import LocalTimes
from eddyline_features.kinds.online import OnlineModel
from eddyline_features.kinds.position import Positions
from eddyline_features.kinds.rates import Rates
from eddyline_features.kinds.relative import Relatives
from eddyline_features.kinds.sequence import Sequences
from eddyline_features.kinds.trends import Trends
from eddyline_features.kinds.uncertainties import Uncertainties
from eddyline_features.kinds.windows import Windows
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

KINDS: tuple[type[Kind], ...] = (
    Fields,
    FieldMatches,
    Chances,
    LocalTimes,
    Ages,
    Rates,
    Counts,
    Groups,
    Windows,
    Trends,
    Uncertainties,
    OnlineModel,
    Affinities,
    CoInteractions,
    InteractedWiths,
    Sequences,
    Fatigues,
    Diversities,
    Positions,
    # Last: they compare what the others have written.
    Relatives,
)


@kernel
def to_singles(table: FloatTable, out: SingleTable) -> None:
    """Cast once, at the end; what float32 cannot hold becomes its largest number, never infinity."""
    largest = 3.4028234663852886e38
    for i in range(table.shape[0]):
        for c in range(table.shape[1]):
            out[i, c] = (
                np.float32(min(max(table[i, c], -largest), largest)) if table[i, c] == table[i, c] else np.nan
            )


class Columns:
    """The kinds that a view has features of."""

    def __init__(self, plan: Plan) -> None:
        self.n = len(plan.view.columns)
        self.kinds: list[Kind] = []
        for kind in KINDS:
            features = []
            column = 0
            for feature in plan.view.features:
                if kind.takes(feature):
                    features.append((column, feature))
                column += len(feature.columns)
            if features or kind.wanted(plan.view):
                self.kinds.append(kind(plan, features))

    @property
    def online(self) -> OnlineModel | None:
        """The online model, where the view has one."""
        return next((kind for kind in self.kinds if isinstance(kind, OnlineModel)), None)

    def that(self, method: str) -> list[Kind]:
        """The kinds that override a method of `Kind`."""
        return [kind for kind in self.kinds if overrides(kind, method)]

    def read(self, reading: Reading) -> SingleTable:
        """Shape (N, F); NaN where unknown. Arithmetic is in float64 throughout."""
        table: FloatTable = np.full((len(reading.rows), self.n), np.nan)
        for kind in self.kinds:
            kind.read(reading, table)
        out: SingleTable = np.empty(table.shape, np.float32)
        to_singles(table, out)
        return out
