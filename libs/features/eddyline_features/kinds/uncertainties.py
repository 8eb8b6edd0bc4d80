"""Uncertainty: the standard deviation of a Beta posterior of the rate of an item or of the values of its field."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.paths import IMPRESSION
from eddyline_features.declarations.uncertainty import Uncertainty
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, kernel
from eddyline_features.kinds.counts import feature_columns
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading


@kernel
def deviation(above: float, shown: float) -> float:
    """Of Beta(a, b) with a = ``above`` and a + b = ``shown`` > 0: sqrt(p (1 - p) / (a + b + 1)), p within [0, 1]."""
    p = min(max(above / shown, 0.0), 1.0)
    return math.sqrt(p * (1.0 - p) / (shown + 1.0))


@kernel
def deviations(
    out: FloatTable,
    rows: Ints,
    items: FloatTable,
    item_values: IntTable,
    values: FloatTable,
    overall: FloatTable,
    half_life_of: Ints,
    factors: Floats,
    plan: IntTable,
    strengths: Floats,
) -> None:
    """Standard deviations of the candidates' rates.

    ``plan`` holds (column of the mean or the only one, of the max, counter of actions, of impressions, first place of
    the field or -1 for the item, number of places).
    """
    for p in range(plan.shape[0]):
        acted = plan[p, 2]
        shown = plan[p, 3]
        factor = factors[half_life_of[acted]]
        strength = strengths[p]
        base = 0.0
        if overall[0, shown] > 0.0:
            base = min(max(overall[0, acted] / overall[0, shown], 0.0), 1.0)
        first = plan[p, 4]
        for i in range(rows.shape[0]):
            row = rows[i]
            if first < 0:
                a = items[row, acted] * factor if row >= 0 else 0.0
                n = items[row, shown] * factor if row >= 0 else 0.0
                out[i, plan[p, 0]] = deviation(a + strength * base, n + strength)
                continue
            if row < 0:
                continue
            n_values = 0
            total = 0.0
            best = 0.0
            for place in range(first, first + plan[p, 5]):
                value = item_values[row, place]
                if value >= 0:
                    found = deviation(
                        values[value, acted] * factor + strength * base,
                        values[value, shown] * factor + strength,
                    )
                    best = max(best, found)
                    n_values += 1
                    total += found
            if n_values > 0:
                if plan[p, 0] >= 0:
                    out[i, plan[p, 0]] = total / n_values
                if plan[p, 1] >= 0:
                    out[i, plan[p, 1]] = best


@kernel
def relative_deviation(above: float, shown: float) -> float:
    """As `deviation`, with p kept half an impression away from 0 and 1, which no count can show a rate to be."""
    edge = 0.5 / (shown + 2.0)
    p = min(max(above / shown, edge), 1.0 - edge)
    return math.sqrt(p * (1.0 - p) / (shown + 1.0))


@kernel
def relative_deviations(
    out: Floats,
    rows: Ints,
    counters: FloatTable,
    overall: FloatTable,
    half_life_of: Ints,
    factors: Floats,
    plan: Ints,
    strength: float,
) -> None:
    """How uncertain each item's rate is, as a multiple of what it is for one that was never shown.

    ``plan`` holds (counter of actions, of impressions).
    """
    acted = plan[0]
    shown = plan[1]
    factor = factors[half_life_of[acted]]
    base = 0.0
    if overall[0, shown] > 0.0:
        base = min(max(overall[0, acted] / overall[0, shown], 0.0), 1.0)
    unknown = relative_deviation(strength * base, strength)
    for i in range(rows.shape[0]):
        row = rows[i]
        if row < 0:
            out[i] = 1.0
            continue
        above = counters[row, acted] * factor + strength * base
        n = max(counters[row, shown], 0.0) * factor + strength
        out[i] = relative_deviation(above, n) / unknown


class Uncertainties(Kind):
    """Columns that are standard deviations. Unknown items have the prior's; those without a field's values NaN."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Uncertainty]]) -> None:
        rows: list[list[int]] = []
        strengths: list[float] = []
        for column, feature in features:
            first = -1 if feature.field is None else plan.value_places(feature.field)
            reduce = ("mean",) if feature.field is None else feature.reduce
            for at, half_life in enumerate(feature.half_lives):
                acted = plan.counters.column(feature.actions, half_life)
                shown = plan.counters.column((IMPRESSION,), half_life)
                rows.append([*feature_columns(column, at, reduce), acted, shown, first, plan.width])
                strengths.append(feature.strength)
        self._plan = np.array(rows, np.int32)
        self._strengths: Floats = np.array(strengths)

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        deviations(
            out,
            reading.rows,
            reading.items.counters,
            reading.items.values,
            reading.values.counters,
            reading.overall,
            reading.half_life_of,
            reading.factors,
            self._plan,
            self._strengths,
        )
