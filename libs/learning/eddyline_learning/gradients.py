"""What LightGBM's objectives ask of each row: the slope of the loss at its score, and how that slope changes.

The numbers that LightGBM itself trains by (a test compares the leaves of its trees with sums of these), so that leaves
can be given new values by labels that came later. Not to the bit: LightGBM rounds to float32 and has its sigmoid in a
table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features.kernel import Floats, Longs, kernel
from eddyline_learning.labels import CLICK, RANK

TRUNCATION = 30
"""LightGBM's ``lambdarank_truncation_level``, as it is by default: of each pair one stands among the first so many."""

# As a kernel's own: see `eddyline_features.kernel`.
_TRUNCATION = 30

Gradients = tuple[NDArray[np.float64], NDArray[np.float64]]
"""First and second derivative of the loss by the score of each row, twice shape (R,)."""


def gradients_of(
    objective: str,
    target: NDArray[Any],
    sizes: NDArray[np.int32],
    label_gain: list[float] | None = None,
) -> Callable[[NDArray[np.float64]], Gradients]:
    """A function from the rows' scores to `Gradients`. What it returns is overwritten by its next call.

    Parameters
    ----------
    target
        shape (R,): whole grades under ``rank``, 0 and 1 under ``click``, values under ``rating``.
    sizes
        shape (S,): rows of each slate; of no account but under ``rank``.
    label_gain
        What each grade is worth, under ``rank``.
    """
    slopes, bends = np.zeros(len(target)), np.zeros(len(target))
    if objective == RANK:
        gains = np.asarray(label_gain, np.float64)[np.asarray(target, np.int64)]
        ends = np.cumsum(sizes, dtype=np.int64)
        scales = _inverse_ideal(gains, ends)
        order = np.arange(len(target), dtype=np.int64)

        def of_order(scores: NDArray[np.float64]) -> Gradients:
            lambdas(np.ascontiguousarray(scores), gains, ends, scales, order, slopes, bends)
            return slopes, bends

        return of_order

    wanted = np.asarray(target, np.float64)

    def of_click(scores: NDArray[np.float64]) -> Gradients:
        chance = 1.0 / (1.0 + np.exp(-np.clip(scores, -500.0, 500.0)))
        return chance - wanted, chance * (1.0 - chance)

    def of_rating(scores: NDArray[np.float64]) -> Gradients:
        bends.fill(1.0)
        return scores - wanted, bends

    return of_click if objective == CLICK else of_rating


def _inverse_ideal(gains: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 / DCG of each slate's best order, over the first `TRUNCATION`; 0 where nothing is gained."""
    scales = np.zeros(len(ends))
    first = 0
    for slate, end in enumerate(ends):
        best = -np.sort(-gains[first:end])[:TRUNCATION]
        ideal = float((best / np.log2(np.arange(len(best)) + 2.0)).sum())
        scales[slate] = 1.0 / ideal if ideal > 0.0 else 0.0
        first = int(end)
    return scales


@kernel
def lambdas(
    scores: Floats, gains: Floats, ends: Longs, scales: Floats, order: Longs, slopes: Floats, bends: Floats
) -> None:
    """LambdaMART's gradients (Burges, "From RankNet to LambdaRank to LambdaMART", 2010), as LightGBM's ``lambdarank``.

    With its ``lambdarank_norm``: a pair counts less the further its scores are apart, and a slate with much to gain
    less than in proportion. Linear gains, the sigmoid's slope 1.

    Parameters
    ----------
    ends
        shape (S,): where the rows of each slate end.
    scales
        shape (S,): 1 / DCG of its best order.
    order
        shape (R,): rows slate after slate, the best first, of the call before (or any order of each slate's rows):
        scores change little from tree to tree, so that it is nearly sorted. Is brought up to date.
    slopes, bends
        shape (R,); are filled.
    """
    first = 0
    for slate in range(len(ends)):
        end = ends[slate]
        for place in range(first + 1, end):
            row = order[place]
            before = place - 1
            # Equal scores by their rows: as a stable sort.
            while before >= first and (
                scores[order[before]] < scores[row]
                or (scores[order[before]] == scores[row] and order[before] > row)
            ):
                order[before + 1] = order[before]
                before -= 1
            order[before + 1] = row
        for row in range(first, end):
            slopes[row] = 0.0
            bends[row] = 0.0
        if scales[slate] == 0.0 or end - first < 2:
            first = end
            continue
        spread = scores[order[first]] != scores[order[end - 1]]
        total = 0.0
        for i in range(min(_TRUNCATION, end - first - 1)):
            one = order[first + i]
            of_one = 1.0 / math.log2(i + 2.0)
            for j in range(i + 1, end - first):
                other = order[first + j]
                if gains[one] == gains[other]:
                    continue
                high, low = one, other
                if gains[one] < gains[other]:
                    high, low = other, one
                apart = scores[high] - scores[low]
                worth = (gains[high] - gains[low]) * (of_one - 1.0 / math.log2(j + 2.0)) * scales[slate]
                if spread:
                    worth /= 0.01 + abs(apart)
                chance = 1.0 / (1.0 + math.exp(min(apart, 500.0)))
                pull = chance * worth
                bend = chance * (1.0 - chance) * worth
                slopes[low] += pull
                slopes[high] -= pull
                bends[low] += bend
                bends[high] += bend
                total += 2.0 * pull
        if total > 0.0:
            factor = math.log2(1.0 + total) / total
            for row in range(first, end):
                slopes[row] *= factor
                bends[row] *= factor
        first = end
