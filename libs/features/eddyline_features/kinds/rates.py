"""Rate: weighted actions for each impression of an item, of the values of its fields, or of a person; smoothed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.paths import IMPRESSION
from eddyline_features.declarations.rate import Rate
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, kernel
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading


@kernel
def base_rate(overall: FloatTable, acted: int, shown: int) -> float:
    """Actions for each impression of all items together, at most 1; 0 before the first impression.

    Both counters decay alike, so their quotient needs no time.
    """
    impressions = overall[0, shown]
    if impressions <= 0.0:
        return 0.0
    return float(min(overall[0, acted] / impressions, 1.0))


@kernel
def rates_of_items(
    out: FloatTable,
    rows: Ints,
    counters: FloatTable,
    overall: FloatTable,
    half_life_of: Ints,
    factors: Floats,
    plan: IntTable,
    strengths: Floats,
) -> None:
    """Rates of the candidates; ``plan`` holds (column, counter of actions, counter of impressions)."""
    for p in range(plan.shape[0]):
        acted = plan[p, 1]
        shown = plan[p, 2]
        factor = factors[half_life_of[acted]]
        strength = strengths[p]
        base = base_rate(overall, acted, shown)
        for i in range(rows.shape[0]):
            row = rows[i]
            if row >= 0:
                above = counters[row, acted] * factor + strength * base
                out[i, plan[p, 0]] = above / (counters[row, shown] * factor + strength)
            else:
                out[i, plan[p, 0]] = base


@kernel
def rates_of_values(
    out: FloatTable,
    rows: Ints,
    item_values: IntTable,
    counters: FloatTable,
    overall: FloatTable,
    half_life_of: Ints,
    factors: Floats,
    plan: IntTable,
    strengths: Floats,
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
        above = smoothing * base_rate(overall, acted, shown)
        for i in range(rows.shape[0]):
            row = rows[i]
            if row < 0:
                continue
            n = 0
            total = 0.0
            best = 0.0
            for place in range(plan[p, 4], plan[p, 4] + plan[p, 5]):
                value = item_values[row, place]
                if value >= 0:
                    rate = (counters[value, acted] * factor + above) / (
                        counters[value, shown] * factor + smoothing
                    )
                    n += 1
                    total += rate
                    best = max(best, rate)
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
    overall: FloatTable,
    half_life_of: Ints,
    factors: Floats,
    plan: IntTable,
    strengths: Floats,
) -> None:
    """Rates of one user or session, smoothed towards everybody's.

    ``plan`` holds (column, the person's counter of actions, of impressions, the overall counter of actions, of
    impressions).
    """
    for p in range(plan.shape[0]):
        strength = strengths[p]
        rate = base_rate(overall, plan[p, 3], plan[p, 4])
        if row >= 0:
            factor = factors[half_life_of[plan[p, 1]]]
            above = counters[row, plan[p, 1]] * factor + strength * rate
            rate = above / (counters[row, plan[p, 2]] * factor + strength)
        for i in range(out.shape[0]):
            out[i, plan[p, 0]] = rate


class Rates(Kind):
    """Columns that are rates. What is unknown has the overall rate; an item without a field's values, NaN."""

    declared = (Rate,)

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Rate]]) -> None:
        rows: dict[str, list[list[int]]] = {"item": [], "user": [], "session": [], "values": []}
        strengths: dict[str, list[float]] = {by: [] for by in rows}
        for column, feature in features:
            plan.sessions |= feature.by == "session"
            for at, half_life in enumerate(feature.half_lives):
                acted = plan.counters.column(feature.actions, half_life)
                shown = plan.counters.column((IMPRESSION,), half_life)
                if feature.field is not None:
                    first = column + at * len(feature.reduce)
                    columns = [
                        first + feature.reduce.index(how) if how in feature.reduce else -1
                        for how in ("mean", "max")
                    ]
                    row = [*columns, acted, shown, plan.value_places(feature.field), plan.width]
                elif feature.by == "item":
                    row = [column + at, acted, shown]
                else:
                    own = plan.people_counters
                    mine = [own.column(feature.actions, half_life), own.column((IMPRESSION,), half_life)]
                    row = [column + at, *mine, acted, shown]
                rows[feature.by].append(row)
                strengths[feature.by].append(feature.strength)
        widths = {"item": 3, "user": 5, "session": 5, "values": 6}
        self._plans = {by: np.array(found, np.int32).reshape(-1, widths[by]) for by, found in rows.items()}
        self._strengths = {by: np.array(found, np.float64) for by, found in strengths.items()}

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        plans, strengths, factors, overall = self._plans, self._strengths, reading.factors, reading.overall
        items = reading.items
        if len(plans["item"]):
            rates_of_items(
                out,
                reading.rows,
                items.counters,
                overall,
                reading.half_life_of,
                factors,
                plans["item"],
                strengths["item"],
            )
        if len(plans["values"]):
            rates_of_values(
                out,
                reading.rows,
                items.values,
                reading.values.counters,
                overall,
                reading.half_life_of,
                factors,
                plans["values"],
                strengths["values"],
            )
        for by, people, row in (
            ("user", reading.users, reading.user),
            ("session", reading.sessions, reading.session),
        ):
            if len(plans[by]):
                rates_of_person(
                    out,
                    row,
                    people.counters,
                    overall,
                    reading.people_half_life_of,
                    factors,
                    plans[by],
                    strengths[by],
                )
