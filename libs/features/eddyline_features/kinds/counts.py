"""Count: decayed counts of what happened to an item, or of what a user or session did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.count import Count
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, kernel
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading


@kernel
def counts_of_items(
    out: FloatTable, rows: Ints, counters: FloatTable, half_life_of: Ints, factors: Floats, plan: IntTable
) -> None:
    """Counts of the candidates; ``plan`` holds (column, counter)."""
    for i in range(rows.shape[0]):
        row = rows[i]
        for p in range(plan.shape[0]):
            c = plan[p, 1]
            out[i, plan[p, 0]] = counters[row, c] * factors[half_life_of[c]] if row >= 0 else 0.0


@kernel
def counts_of_person(
    out: FloatTable, row: int, counters: FloatTable, half_life_of: Ints, factors: Floats, plan: IntTable
) -> None:
    """Counts of one user or session, the same for all candidates."""
    for p in range(plan.shape[0]):
        c = plan[p, 1]
        count = counters[row, c] * factors[half_life_of[c]] if row >= 0 else 0.0
        for i in range(out.shape[0]):
            out[i, plan[p, 0]] = count


class Counts(Kind):
    """Columns that are counts. Nobody and nothing known has a count of 0."""

    declared = (Count,)

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Count]]) -> None:
        rows: dict[str, list[tuple[int, int]]] = {"item": [], "user": [], "session": []}
        for column, feature in features:
            counters = plan.counters if feature.by == "item" else plan.people_counters
            plan.sessions |= feature.by == "session"
            for at, half_life in enumerate(feature.half_lives):
                rows[feature.by].append((column + at, counters.column(feature.of, half_life)))
        self._plans = {by: np.array(found, np.int32).reshape(-1, 2) for by, found in rows.items()}

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        factors, plans = reading.factors, self._plans
        if len(plans["item"]):
            counts_of_items(
                out, reading.rows, reading.items.counters, reading.half_life_of, factors, plans["item"]
            )
        if len(plans["user"]):
            users = reading.users.counters
            counts_of_person(out, reading.user, users, reading.people_half_life_of, factors, plans["user"])
        if len(plans["session"]):
            sessions = reading.sessions.counters
            counts_of_person(
                out, reading.session, sessions, reading.people_half_life_of, factors, plans["session"]
            )
