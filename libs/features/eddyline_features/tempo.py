"""How fast popularity changes: under which half-life did the recent past predict the next action best?

Predict, then learn, for every half-life at once. Without slates, an item's share of all recent actions is the
probability that it is the next; with slates, its recent rate among those of the items shown beside it. The mean
logarithms of these probabilities are compared.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
LADDER = (
    _MINUTE,
    5 * _MINUTE,
    15 * _MINUTE,
    _HOUR,
    3 * _HOUR,
    12 * _HOUR,
    _DAY,
    3 * _DAY,
    7 * _DAY,
    30 * _DAY,
    90 * _DAY,
    365 * _DAY,
)
"""Half-lives that are tried, in ms."""

_MAX_ITEMS = 50_000
_SURPRISE = 0.2
"""Share of actions that recent popularity need not explain: without it, one item out of nowhere would outweigh all."""
_THINNING = 2_000
"""Every action is predicted until there were so many, then every second, third …: thousands are enough to tell."""
_STRENGTH = 10.0
"""Impressions at the overall rate that are added to an item's, as priors do."""


class Tempo:
    """Scores of the half-lives in `LADDER`. Bounded: the items longest without an event are forgotten."""

    def __init__(self, max_items: int = _MAX_ITEMS) -> None:
        n = len(LADDER)
        self._n_passed = 0
        self._half_lives = np.array(LADDER, np.float64)
        self._alone = _Scores(n)
        self._shown = _Scores(n)
        self._rows: OrderedDict[str, int] = OrderedDict()
        self._acted: NDArray[np.float64] = np.zeros((max_items + 1, n))
        self._impressions: NDArray[np.float64] = np.zeros((max_items + 1, n))
        # The last row holds the totals.
        self._at: NDArray[np.int64] = np.zeros(max_items + 1, np.int64)
        self._max_items = max_items

    @property
    def n_predicted(self) -> int:
        """Actions that the choice rests on."""
        return max(self._shown.n, self._alone.n)

    def show(self, items: Sequence[str], at: int) -> None:
        """A slate was shown."""
        rows = self._decayed([self._row(item) for item in items], at)
        # An item that is shown twice counts once.
        self._impressions[rows] += 1.0
        self._impressions[-1] += len(items)

    def act(self, item: str, at: int, beside: Sequence[str] | None, *, predict: bool) -> None:
        """Somebody acted on an item; ``beside`` are the items of its slate. Repeats should not be predicted."""
        known = item in self._rows
        row = self._row(item)
        if predict and beside is not None and len(beside) > 1 and self._is_turn():
            self._predict_shown(row, self._decayed([self._row(other) for other in beside], at))
        else:
            self._decayed([row], at)
            if predict and beside is None and known and self._is_turn():
                self._predict_alone(row)
        self._acted[row] += 1.0
        self._acted[-1] += 1.0

    def best(self, longest: int) -> int | None:
        """The longest half-life (ms, at most ``longest``) that predicted as well as the best, as far as can be told.

        None without any prediction.
        """
        scores = self._shown if self._shown.n >= self._alone.n else self._alone
        allowed = [i for i, half_life in enumerate(LADDER) if half_life <= longest]
        if not allowed or not scores.n:
            return None
        return LADDER[max(i for i in allowed if scores.is_among_best(i, allowed))]

    def _is_turn(self) -> bool:
        self._n_passed += 1
        return self._n_passed % (1 + (self._shown.n + self._alone.n) // _THINNING) == 0

    def _predict_shown(self, row: int, rows: NDArray[np.int64]) -> None:
        overall = np.minimum(self._acted[-1] / np.maximum(self._impressions[-1], 1e-9), 1.0) + 1e-9
        rates = (self._acted[rows] + _STRENGTH * overall) / (self._impressions[rows] + _STRENGTH)
        own = (self._acted[row] + _STRENGTH * overall) / (self._impressions[row] + _STRENGTH)
        self._shown.add(np.log(own / rates.sum(axis=0)))

    def _predict_alone(self, row: int) -> None:
        share = self._acted[row] / np.maximum(self._acted[-1], 1e-12)
        self._alone.add(np.log((1 - _SURPRISE) * share + _SURPRISE / len(self._rows)))

    def _decayed(self, rows: list[int], at: int) -> NDArray[np.int64]:
        """These rows and the totals, brought to the time ``at``; each row once."""
        found: NDArray[np.int64] = np.array(sorted({*rows, self._max_items}), np.int64)
        elapsed = np.maximum(at - self._at[found], 0)
        factors = np.exp2(-elapsed[:, None] / self._half_lives)
        self._acted[found] *= factors
        self._impressions[found] *= factors
        self._at[found] = np.maximum(self._at[found], at)
        return found[:-1]

    def _row(self, item: str) -> int:
        row = self._rows.get(item)
        if row is not None:
            self._rows.move_to_end(item)
            return row
        if len(self._rows) < self._max_items:
            row = len(self._rows)
        else:
            _, row = self._rows.popitem(last=False)
            self._acted[row] = self._impressions[row] = 0.0
        self._rows[item] = row
        return row


class _Scores:
    """Log-probabilities of each half-life, with what is needed to compare two of them."""

    def __init__(self, n: int) -> None:
        self.n = 0
        self._sums: NDArray[np.float64] = np.zeros(n)
        self._products: NDArray[np.float64] = np.zeros((n, n))

    def add(self, found: NDArray[np.float64]) -> None:
        """One more prediction by all of them."""
        self.n += 1
        self._sums += found
        self._products += np.outer(found, found)

    def is_among_best(self, i: int, others: Sequence[int]) -> bool:
        """Whether the best of the others leads by less than two standard errors of the paired difference."""
        best = max(others, key=lambda j: float(self._sums[j]))
        lead = float(self._sums[best] - self._sums[i])
        products = self._products
        squares = float(products[best, best] - 2 * products[best, i] + products[i, i])
        return lead * lead <= 4.0 * max(0.0, squares - lead * lead / self.n)
