"""Trend: a rate or count by a short half-life over that by a long one, of an item or the values of its field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.paths import IMPRESSION
from eddyline_features.declarations.trend import COUNT, Trend
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, kernel
from eddyline_features.kinds.counts import feature_columns
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

MOST = 1.0
"""Of a base rate, either way, as in ``rates``."""

MOST_TREND = 1_000.0
LEAST_SHARE = 0.01
"""Of everybody's rate, either way: rates below (also those below 0) are taken for this, so that a rate which comes
near to 0, or crosses it, makes no leap."""
LEAST_RATE = 1e-6
"""The same where nobody does anything."""


@kernel
def trend_of(
    counters: FloatTable,
    row: int,
    plan: IntTable,
    p: int,
    short: float,
    long: float,
    strength: float,
    ratio: float,
    base: float,
) -> float:
    """Trend of one row; ``short`` and ``long``: what the counters of the two half-lives are multiplied by."""
    acted = counters[row, plan[p, 2]] * short
    acted_long = counters[row, plan[p, 3]] * long
    if plan[p, 4] < 0:
        lately = max(acted, 0.0) * ratio + strength
        before = max(acted_long, 0.0) + strength
    else:
        before = (acted_long + strength * base) / (counters[row, plan[p, 5]] * long + strength)
        lately = (acted + strength * before) / (counters[row, plan[p, 4]] * short + strength)
        least = max(LEAST_SHARE * abs(base), LEAST_RATE)
        before = max(before, least)
        lately = max(lately, least)
    return float(min(lately / before, MOST_TREND))


@kernel
def trends(
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
    ratios: Floats,
) -> None:
    """Trends of the candidates.

    ``plan`` holds (column of the mean or the only one, of the max, counters of the actions by the short and by the long
    half-life, of impressions by both or -1 for a count, first place of the field or -1 for the item, number of places).
    ``ratios``: the long half-life over the short one, for counts.
    """
    for p in range(plan.shape[0]):
        short = factors[half_life_of[plan[p, 2]]]
        long = factors[half_life_of[plan[p, 3]]]
        base = 0.0
        if plan[p, 4] >= 0 and overall[0, plan[p, 5]] > 0.0:
            base = max(min(overall[0, plan[p, 3]] / overall[0, plan[p, 5]], MOST), -MOST)
        first = plan[p, 6]
        for i in range(rows.shape[0]):
            row = rows[i]
            if first < 0:
                out[i, plan[p, 0]] = (
                    trend_of(items, row, plan, p, short, long, strengths[p], ratios[p], base)
                    if row >= 0
                    else 1.0
                )
                continue
            if row < 0:
                continue
            n = 0
            total = 0.0
            best = 0.0
            for place in range(first, first + plan[p, 7]):
                value = item_values[row, place]
                if value >= 0:
                    found = trend_of(values, value, plan, p, short, long, strengths[p], ratios[p], base)
                    best = max(best, found)
                    n += 1
                    total += found
            if n > 0:
                if plan[p, 0] >= 0:
                    out[i, plan[p, 0]] = total / n
                if plan[p, 1] >= 0:
                    out[i, plan[p, 1]] = best


class Trends(Kind):
    """Columns that are trends. Of what is unknown nothing moves: 1; an item without a field's values has NaN."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Trend]]) -> None:
        rows: list[list[int]] = []
        for column, feature in features:
            counters = plan.counters
            acted = [counters.column(feature.actions, h) for h in (feature.short, feature.long)]
            shown = [counters.column((IMPRESSION,), h) for h in (feature.short, feature.long)]
            if feature.measure == COUNT:
                shown = [-1, -1]
            columns = feature_columns(column, 0, ("mean",) if feature.field is None else feature.reduce)
            first = -1 if feature.field is None else plan.value_places(feature.field)
            rows.append([*columns, *acted, *shown, first, plan.width])
        self._plan = np.array(rows, np.int32)
        self._strengths: Floats = np.array([feature.strength for _, feature in features])
        self._ratios: Floats = np.array([feature.long / feature.short for _, feature in features])

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        trends(
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
            self._ratios,
        )
