"""Rate: weighted actions for each impression of an item, of its fields' values, of a person, or of all; smoothed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.rate import Rate
from eddyline_features.declarations.scopes import GLOBAL, OF_ITEM, OF_SESSION, OF_USER, OF_VALUES
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, kernel
from eddyline_features.kinds.counts import feature_columns
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

_LAST_SEEN = 0

MOST, MOST_VALUED = 1.0, 1e15
"""Bounds of a base rate, either way: actions without slates would have none. With values it is the largest weight times
the largest value."""


@kernel
def base_rate(overall: FloatTable, acted: int, shown: int, most: float) -> float:
    """Actions for each impression of all items together, within ``most`` either way; 0 before the first impression.

    Both counters decay alike, so their quotient needs no time.
    """
    impressions = overall[0, shown]
    if impressions <= 0.0:
        return 0.0
    return float(max(min(overall[0, acted] / impressions, most), -most))


@kernel
def rates_of_items(
    out: FloatTable,
    rows: Ints,
    counters: FloatTable,
    meta: LongTable,
    overall: FloatTable,
    half_life_of: Ints,
    factors: Floats,
    at: int,
    plan: IntTable,
    strengths: Floats,
    most: Floats,
    ttls: Longs,
) -> None:
    """Rates of the candidates; ``plan`` holds (column, counter of actions, counter of impressions).

    After ``ttls`` (ms, 0 is never) they are NaN.
    """
    for p in range(plan.shape[0]):
        acted = plan[p, 1]
        shown = plan[p, 2]
        factor = factors[half_life_of[acted]]
        strength = strengths[p]
        base = base_rate(overall, acted, shown, most[p])
        for i in range(rows.shape[0]):
            row = rows[i]
            if ttls[p] > 0 and (row < 0 or at - meta[row, _LAST_SEEN] > ttls[p]):
                continue
            if row >= 0:
                above = counters[row, acted] * factor + strength * base
                out[i, plan[p, 0]] = above / (max(counters[row, shown], 0.0) * factor + strength)
            else:
                out[i, plan[p, 0]] = base


@kernel
def rates_of_values(
    out: FloatTable,
    rows: Ints,
    item_values: IntTable,
    counters: FloatTable,
    seen: Longs,
    overall: FloatTable,
    half_life_of: Ints,
    factors: Floats,
    at: int,
    plan: IntTable,
    strengths: Floats,
    most: Floats,
    ttls: Longs,
) -> None:
    """Rates of the values of the candidates' fields, reduced to mean and max.

    ``plan`` holds (column of the mean or -1, of the max or -1, counter of actions, of impressions, first place of the
    field, number of places).
    """
    for p in range(plan.shape[0]):
        acted = plan[p, 2]
        shown = plan[p, 3]
        factor = factors[half_life_of[acted]]
        smoothing = strengths[p]
        above = smoothing * base_rate(overall, acted, shown, most[p])
        for i in range(rows.shape[0]):
            row = rows[i]
            if row < 0:
                continue
            n = 0
            total = 0.0
            best = 0.0
            for place in range(plan[p, 4], plan[p, 4] + plan[p, 5]):
                value = item_values[row, place]
                if value >= 0 and (ttls[p] == 0 or at - seen[value] <= ttls[p]):
                    rate = (counters[value, acted] * factor + above) / (
                        max(counters[value, shown], 0.0) * factor + smoothing
                    )
                    best = rate if n == 0 else max(best, rate)
                    n += 1
                    total += rate
            if n > 0:
                if plan[p, 0] >= 0:
                    out[i, plan[p, 0]] = total / n
                if plan[p, 1] >= 0:
                    out[i, plan[p, 1]] = best


@kernel
def rates_of_person(
    out: FloatTable,
    row: int,
    counters: FloatTable,
    meta: LongTable,
    overall: FloatTable,
    half_life_of: Ints,
    factors: Floats,
    at: int,
    plan: IntTable,
    strengths: Floats,
    most: Floats,
    ttls: Longs,
) -> None:
    """Rates of one user or session, smoothed towards everybody's, which a ``row`` of -1 has.

    ``plan`` holds (column, the person's counter of actions, of impressions, the overall counter of actions, of
    impressions).
    """
    for p in range(plan.shape[0]):
        strength = strengths[p]
        if ttls[p] > 0 and (row < 0 or at - meta[row, _LAST_SEEN] > ttls[p]):
            continue
        rate = base_rate(overall, plan[p, 3], plan[p, 4], most[p])
        if row >= 0:
            factor = factors[half_life_of[plan[p, 1]]]
            above = counters[row, plan[p, 1]] * factor + strength * rate
            rate = above / (max(counters[row, plan[p, 2]], 0.0) * factor + strength)
        for i in range(out.shape[0]):
            out[i, plan[p, 0]] = rate


class Rates(Kind):
    """Columns that are rates. What is unknown has the overall rate; an item without a field's values, NaN."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Rate]]) -> None:
        widths = {OF_ITEM: 3, OF_USER: 5, OF_SESSION: 5, GLOBAL: 5, OF_VALUES: 6}
        rows: dict[str, list[list[int]]] = {by: [] for by in widths}
        strengths: dict[str, list[float]] = {by: [] for by in widths}
        most: dict[str, list[float]] = {by: [] for by in widths}
        ttls: dict[str, list[int]] = {by: [] for by in widths}
        for column, feature in features:
            by = feature.by
            plan.sessions |= by == OF_SESSION
            for at, half_life in enumerate(feature.half_lives):
                acted = plan.counters.column(feature.actions, half_life, feature.value)
                shown = plan.counters.column(feature.per, half_life)
                if by == OF_VALUES:
                    assert feature.field is not None
                    columns = feature_columns(column, at, feature.reduce)
                    row = [*columns, acted, shown, plan.value_places(feature.field), plan.width]
                elif by == OF_ITEM:
                    row = [column + at, acted, shown]
                elif by == GLOBAL:
                    row = [column + at, 0, 0, acted, shown]
                else:
                    own = plan.people_counters
                    mine = [
                        own.column(feature.actions, half_life, feature.value),
                        own.column(feature.per, half_life),
                    ]
                    row = [column + at, *mine, acted, shown]
                rows[by].append(row)
                strengths[by].append(feature.strength)
                most[by].append(MOST_VALUED if feature.value else MOST)
                ttls[by].append(feature.ttl_ms)
        self._plans = {by: np.array(found, np.int32).reshape(-1, widths[by]) for by, found in rows.items()}
        self._strengths = {by: np.array(found, np.float64) for by, found in strengths.items()}
        self._most = {by: np.array(found, np.float64) for by, found in most.items()}
        self._ttls = {by: np.array(found, np.int64) for by, found in ttls.items()}

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        plans, strengths, most, ttls = self._plans, self._strengths, self._most, self._ttls
        factors, overall, at = reading.factors, reading.overall, reading.at
        items, values = reading.items, reading.values
        if len(plans[OF_ITEM]):
            rates_of_items(
                out,
                reading.rows,
                items.counters,
                items.meta,
                overall,
                reading.half_life_of,
                factors,
                at,
                plans[OF_ITEM],
                strengths[OF_ITEM],
                most[OF_ITEM],
                ttls[OF_ITEM],
            )
        if len(plans[OF_VALUES]):
            rates_of_values(
                out,
                reading.rows,
                items.values,
                values.counters,
                values.seen,
                overall,
                reading.half_life_of,
                factors,
                at,
                plans[OF_VALUES],
                strengths[OF_VALUES],
                most[OF_VALUES],
                ttls[OF_VALUES],
            )
        for by, people, row in (
            (OF_USER, reading.users, reading.user),
            (OF_SESSION, reading.sessions, reading.session),
            (GLOBAL, reading.users, -1),
        ):
            if len(plans[by]):
                rates_of_person(
                    out,
                    row,
                    people.counters,
                    people.meta,
                    overall,
                    reading.people_half_life_of,
                    factors,
                    at,
                    plans[by],
                    strengths[by],
                    most[by],
                    ttls[by],
                )
