"""What a slate whose items are unlike each other costs in relevance: the dial of ``/v1/recommend``, measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eddyline_features.slates.caps import Values
from eddyline_features.slates.choosing import choose
from eddyline_features.slates.likeness import Likeness
from eddyline_learning.metrics import Estimate, Floats, mean_of, ndcg
from eddyline_learning.scored import CHAMPION, ScoredSlates


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """What one place of the dial gives, as means over slates with a positive label."""

    dial: float
    k: int
    ndcg: Estimate
    change: Estimate
    """Of NDCG, slate by slate, against the order by score alone."""
    difference: Estimate
    """How unlike each other the first k are: the mean of 1 - likeness over their pairs (intra-list diversity)."""
    values: Estimate
    """So many different values the first k have in the fields that count."""

    def as_json(self) -> dict[str, Any]:
        """One of the answer's ``diversity``."""
        return {
            "dial": self.dial,
            f"ndcg@{self.k}": self.ndcg.as_json(),
            f"ndcg_change@{self.k}": self.change.as_json(),
            f"ild@{self.k}": self.difference.as_json(),
            f"values@{self.k}": self.values.as_json(),
        }


def tradeoffs(slates: ScoredSlates, dials: Sequence[float], k: int) -> list[Tradeoff]:
    """Each slate in the order of each dial; 0, which the others are compared with, is always there and comes first."""
    rows = [row for row, labels in enumerate(slates.labels) if bool((labels > 0.0).any())]
    by_score = _measured(slates, rows, 0.0, k)
    found = []
    for dial in sorted({0.0, *dials}):
        good, different, values = by_score if dial == 0.0 else _measured(slates, rows, dial, k)
        found.append(
            Tradeoff(dial, k, mean_of(good), mean_of(good - by_score[0]), mean_of(different), mean_of(values))
        )
    return found


def _measured(
    slates: ScoredSlates, rows: Sequence[int], dial: float, k: int
) -> tuple[Floats, Floats, Floats]:
    """NDCG, difference and number of values of each slate, shape (S,)."""
    places, different, n_values = [], [], []
    for row in rows:
        scores, fields = slates.scores[CHAMPION][row], slates.values[row]
        alike = Likeness(fields)
        chosen = choose(scores, k, values={}, dial=dial, alike=alike)
        of_slate = np.full(len(scores), -float(k))
        of_slate[chosen] = -np.arange(len(chosen), dtype=np.float64)
        places.append(of_slate)
        different.append(_difference(alike, chosen))
        n_values.append(float(sum(len(_different(values, chosen)) for values in fields)))
    good = ndcg(
        np.concatenate([*places, np.empty(0)]),
        np.concatenate([*(slates.labels[row] for row in rows), np.empty(0, np.float32)]),
        np.array([len(of_slate) for of_slate in places], np.int32),
        k,
    )
    return good, np.array(different, np.float64), np.array(n_values, np.float64)


def _difference(alike: Likeness, chosen: list[int]) -> float:
    n = len(chosen)
    if n < 2:
        return float("nan")
    if not alike:
        return 1.0
    shared = float(alike.between(chosen).sum()) - n
    return 1.0 - shared / (n * (n - 1))


def _different(values: Values, chosen: list[int]) -> set[str]:
    return {value for candidate in chosen for value in values[candidate]}
