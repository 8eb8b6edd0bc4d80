"""Count: decayed counts of what happened to an item or the values of its field, of what a person did, or of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.count import Count
from eddyline_features.declarations.scopes import GLOBAL, OF_ITEM, OF_SESSION, OF_USER, OF_VALUES
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, kernel
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

_LAST_SEEN = 0


@kernel
def counts_of_items(
    out: FloatTable,
    rows: Ints,
    counters: FloatTable,
    meta: LongTable,
    half_life_of: Ints,
    factors: Floats,
    at: int,
    plan: IntTable,
    ttls: Longs,
) -> None:
    """Counts of the candidates; ``plan`` holds (column, counter). After ``ttls`` (ms, 0 is never) they are NaN."""
    for i in range(rows.shape[0]):
        row = rows[i]
        for p in range(plan.shape[0]):
            c = plan[p, 1]
            if ttls[p] > 0 and (row < 0 or at - meta[row, _LAST_SEEN] > ttls[p]):
                continue
            out[i, plan[p, 0]] = counters[row, c] * factors[half_life_of[c]] if row >= 0 else 0.0


@kernel
def counts_of_values(
    out: FloatTable,
    rows: Ints,
    item_values: IntTable,
    counters: FloatTable,
    seen: Longs,
    half_life_of: Ints,
    factors: Floats,
    at: int,
    plan: IntTable,
    ttls: Longs,
) -> None:
    """Counts of the values of the candidates' fields, reduced to mean and max.

    ``plan`` holds (column of the mean or -1, of the max or -1, counter, first place of the field, number of places).
    """
    for p in range(plan.shape[0]):
        c = plan[p, 2]
        factor = factors[half_life_of[c]]
        for i in range(rows.shape[0]):
            row = rows[i]
            if row < 0:
                continue
            n = 0
            total = 0.0
            best = 0.0
            for place in range(plan[p, 3], plan[p, 3] + plan[p, 4]):
                value = item_values[row, place]
                if value >= 0 and (ttls[p] == 0 or at - seen[value] <= ttls[p]):
                    count = counters[value, c] * factor
                    best = count if n == 0 else max(best, count)
                    n += 1
                    total += count
            if n > 0:
                if plan[p, 0] >= 0:
                    out[i, plan[p, 0]] = total / n
                if plan[p, 1] >= 0:
                    out[i, plan[p, 1]] = best


@kernel
def counts_of_person(
    out: FloatTable,
    row: int,
    counters: FloatTable,
    meta: LongTable,
    half_life_of: Ints,
    factors: Floats,
    at: int,
    plan: IntTable,
    ttls: Longs,
) -> None:
    """Counts of one user or session (or of all, who are one row), the same for all candidates."""
    for p in range(plan.shape[0]):
        c = plan[p, 1]
        if ttls[p] > 0 and (row < 0 or at - meta[row, _LAST_SEEN] > ttls[p]):
            continue
        count = counters[row, c] * factors[half_life_of[c]] if row >= 0 else 0.0
        for i in range(out.shape[0]):
            out[i, plan[p, 0]] = count


class Counts(Kind):
    """Columns that are counts. Nobody and nothing known has a count of 0; an item without a field's values, NaN."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Count]]) -> None:
        rows: dict[str, list[list[int]]] = {
            by: [] for by in (OF_ITEM, OF_VALUES, OF_USER, OF_SESSION, GLOBAL)
        }
        ttls: dict[str, list[int]] = {by: [] for by in rows}
        for column, feature in features:
            by = feature.by
            counters = plan.people_counters if by in (OF_USER, OF_SESSION) else plan.counters
            plan.sessions |= by == OF_SESSION
            for at, half_life in enumerate(feature.half_lives):
                counter = counters.column(feature.of, half_life, feature.value)
                if by == OF_VALUES:
                    assert feature.field is not None
                    places = [plan.value_places(feature.field), plan.width]
                    rows[by].append([*feature_columns(column, at, feature.reduce), counter, *places])
                else:
                    rows[by].append([column + at, counter])
                ttls[by].append(feature.ttl_ms)
        self._plans = {
            by: np.array(found, np.int32).reshape(-1, 5 if by == OF_VALUES else 2)
            for by, found in rows.items()
        }
        self._ttls = {by: np.array(found, np.int64) for by, found in ttls.items()}

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        factors, at, plans, ttls = reading.factors, reading.at, self._plans, self._ttls
        items, values = reading.items, reading.values
        half_life_of = reading.half_life_of
        if len(plans[OF_ITEM]):
            counts_of_items(
                out,
                reading.rows,
                items.counters,
                items.meta,
                half_life_of,
                factors,
                at,
                plans[OF_ITEM],
                ttls[OF_ITEM],
            )
        if len(plans[OF_VALUES]):
            counts_of_values(
                out,
                reading.rows,
                items.values,
                values.counters,
                values.seen,
                half_life_of,
                factors,
                at,
                plans[OF_VALUES],
                ttls[OF_VALUES],
            )
        users, sessions, of_people = reading.users, reading.sessions, reading.people_half_life_of
        for by, row, counters, meta, of in (
            (OF_USER, reading.user, users.counters, users.meta, of_people),
            (OF_SESSION, reading.session, sessions.counters, sessions.meta, of_people),
            (GLOBAL, 0, reading.overall, items.meta, half_life_of),
        ):
            if len(plans[by]):
                counts_of_person(out, row, counters, meta, of, factors, at, plans[by], ttls[by])


def feature_columns(column: int, at: int, reduce: Sequence[str]) -> list[int]:
    """Columns of mean and max, -1 where it has none, of a feature's ``at``-th half-life (or period)."""
    first = column + at * len(reduce)
    return [first + reduce.index(how) if how in reduce else -1 for how in ("mean", "max")]
