"""Retrieval as a part of the state: what it keeps beside items and people, and the choice for one request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from eddyline_features.declarations.paths import IMPRESSION
from eddyline_features.kernel import Floats, Ints, Octets
from eddyline_features.kinds.kind import Kind, Tables
from eddyline_features.kinds.rates import MOST, base_rate
from eddyline_features.plan import Plan
from eddyline_features.recommend_settings import FILL
from eddyline_features.retrieval.blocking import block
from eddyline_features.retrieval.filling import best_by_prior
from eddyline_features.retrieval.found import Found

_ALL: Octets = np.zeros(0, np.uint8)


class Retrieving(Kind):
    """Gives no columns: candidates from the whole catalogue."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Any]]) -> None:
        recommend = plan.view.recommend
        assert recommend is not None
        for name in recommend.fields:
            plan.keep_field(name)
        prior = plan.view.prior
        self._acted = plan.counters.column(tuple(plan.view.actions), prior.half_life_ms)
        self._shown = plan.counters.column((IMPRESSION,), prior.half_life_ms)
        self._prior = plan.half_life(prior.half_life_ms)
        self._strength = prior.strength
        self._blocked: Octets = np.zeros(plan.view.limits.items, np.uint8)

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._tables = tables

    def candidates(
        self, user: int, at: int, n: int, factors: Floats, allowed: Octets | None, exclude: Iterable[str]
    ) -> Found:
        """See `State.candidates`; ``factors``: by half-life, what counters are multiplied by at this time."""
        items, overall = self._tables.items, self._tables.overall
        n_items = len(items)
        block(n_items, items.meta, _ALL if allowed is None else allowed, self._blocked)
        for item in exclude:
            row = items.rows.get(item)
            if row is not None:
                self._blocked[row] = 1
        n = min(n, n_items)
        scores: Floats = np.zeros(n)
        rows: Ints = np.zeros(n, np.int32)
        n_found = best_by_prior(
            n_items,
            items.counters,
            self._acted,
            self._shown,
            float(factors[self._prior]),
            base_rate(overall, self._acted, self._shown, MOST),
            self._strength,
            self._blocked,
            scores,
            rows,
        )
        rows = rows[:n_found]
        ids = items.ids
        return Found([ids[row] for row in rows.tolist()], rows, (FILL,), np.zeros(n_found, np.uint8))
