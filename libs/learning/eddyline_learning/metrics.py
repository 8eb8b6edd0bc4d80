"""How good an order is, measured over slates: each slate counts once, and a mean comes with its standard error.

All metrics of a slate are NaN where it cannot be measured, which `mean_of` leaves out. Equal scores keep the order of
the rows, as they do when a slate is served.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Labels = NDArray[np.float32]
Sizes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over slates."""

    mean: float
    se: float
    """Standard error of the mean; NaN below two slates."""
    n: int
    """Slates that could be measured."""

    def as_json(self) -> dict[str, float | int | None]:
        """For a bundle or an answer; NaN as null."""
        return {
            "mean": None if math.isnan(self.mean) else self.mean,
            "se": None if math.isnan(self.se) else self.se,
            "n": self.n,
        }


def ndcg(scores: Floats, labels: Labels | Floats, sizes: Sizes, k: int) -> Floats:
    """NDCG@k of each slate, with linear gain (the label itself) and the discount 1 / log2(place + 2).

    Linear, since labels are gains that a person chose: 2^label − 1 would weigh them again. For 0/1 labels both agree.

    Parameters
    ----------
    scores, labels
        shape (R,). Higher scores come first; equal ones keep the order of the rows. Labels below 0 count as 0.
    sizes
        shape (S,). Rows of each slate.

    Returns
    -------
    ndcg
        shape (S,). NaN for a slate without a positive label.
    """
    return _ndcg(_Ordered.of(scores, labels, sizes), k)


def ideal_dcg(labels: Labels | Floats, sizes: Sizes, k: int) -> Floats:
    """What NDCG@k divides by: the gains of each slate in their best order, discounted; shape (S,)."""
    ordered = _Ordered.of(np.zeros(len(labels)), labels, sizes)
    return ordered.sum(ordered.ideal * _discount(ordered, k))


def order_metrics(scores: Floats, labels: Labels, sizes: Sizes, k: int) -> dict[str, Floats]:
    """What there is to say about an order, by name, each of shape (S,) and NaN for a slate without a positive label.

    A label above 0 is a positive, and NDCG alone asks by how much.

    - ``ndcg@k``: see `ndcg`.
    - ``mrr@k``: 1 / place of the first positive, counted from 1; 0 where none is among the first k.
    - ``map@k``: mean of the precision at the place of each positive among the first k, over min(k, positives).
    - ``hr@k``: 1 where a positive is among the first k.
    - ``precision@k``, ``recall@k``, ``f1@k``: positives among the first k over min(k, N), over all positives, and the
      harmonic mean of both.
    - ``slate_auc``: share of the pairs of a positive and a negative that stand in the right order, half of it for equal
      scores; NaN also where no label is 0.
    """
    ordered = _Ordered.of(scores, labels, sizes)
    hits = np.where(ordered.place < k, ordered.positive, 0.0)
    n_positive = ordered.sum(ordered.positive)
    n_hits = ordered.sum(hits)
    first = np.full(ordered.n_slates, np.inf)
    np.minimum.at(first, ordered.slate[hits > 0], ordered.place[hits > 0] + 1.0)
    precisions = ordered.running(hits) / (ordered.place + 1.0)
    precision = _ratio(n_hits, np.minimum(sizes, k), where=n_positive > 0)
    recall = _ratio(n_hits, n_positive, where=n_positive > 0)
    return {
        f"ndcg@{k}": _ndcg(ordered, k),
        f"mrr@{k}": np.where(n_positive > 0, 1.0 / first, np.nan),
        f"map@{k}": _ratio(ordered.sum(hits * precisions), np.minimum(n_positive, k), where=n_positive > 0),
        f"hr@{k}": np.where(n_positive > 0, (n_hits > 0).astype(np.float64), np.nan),
        f"precision@{k}": precision,
        f"recall@{k}": recall,
        # 2PR / (P + R), written so that it is 0 where both are.
        f"f1@{k}": _ratio(2.0 * n_hits, n_positive + np.minimum(sizes, k), where=n_positive > 0),
        "slate_auc": _slate_auc(scores, labels, sizes),
    }


def overall_auc(scores: Floats, labels: Labels, sizes: Sizes) -> Estimate:
    """Share of all pairs of a positive and a negative row, of any two slates, that stand in the right order.

    Half of it for equal scores. Rows of a slate depend on each other, so the standard error is that of slates drawn
    as wholes: each pulls on the area by how its own rows stand against all others.
    """
    slate = np.repeat(np.arange(len(sizes)), sizes)
    positive = labels > 0
    up, down = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(up) or not len(down):
        return Estimate(math.nan, math.nan, 0)
    beaten = _share_below(down, scores[positive])
    beating = 1.0 - _share_below(up, scores[~positive])
    area = float(beaten.mean())
    pull = _sums(slate[positive], (beaten - area) / len(up), len(sizes))
    pull += _sums(slate[~positive], (beating - area) / len(down), len(sizes))
    return Estimate(area, spread(pull), len(sizes))


def mean_of(values: Floats) -> Estimate:
    """Mean and standard error over the slates that are not NaN."""
    known = values[~np.isnan(values)]
    n = len(known)
    if n == 0:
        return Estimate(math.nan, math.nan, 0)
    se = float(known.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Estimate(float(known.mean()), se, n)


def spread(pulls: Floats) -> float:
    """Standard error of a sum of S independent pulls with mean 0; NaN below two."""
    n = len(pulls)
    return math.sqrt(n / (n - 1) * float((pulls * pulls).sum())) if n > 1 else math.nan


@dataclass(frozen=True, slots=True)
class _Ordered:
    """Rows of all slates, slate after slate, the best score of each first."""

    n_slates: int
    slate: Integers
    place: Integers
    """0 for the first of a slate."""
    first_row: Integers
    """Of the row's slate."""
    gains: Floats
    ideal: Floats
    """Gains in the best order."""

    @classmethod
    def of(cls, scores: Floats, labels: Labels | Floats, sizes: Sizes) -> _Ordered:
        slate = np.repeat(np.arange(len(sizes)), sizes)
        first_row = np.repeat(np.cumsum(sizes, dtype=np.int64) - sizes, sizes)
        gains = np.maximum(np.nan_to_num(labels.astype(np.float64)), 0.0)
        return cls(
            n_slates=len(sizes),
            slate=slate,
            place=np.arange(len(labels)) - first_row,
            first_row=first_row,
            gains=gains[np.lexsort((-scores, slate))],
            ideal=gains[np.lexsort((-gains, slate))],
        )

    @property
    def positive(self) -> Floats:
        """1 where the label is above 0."""
        return (self.gains > 0).astype(np.float64)

    def sum(self, of_rows: Floats) -> Floats:
        """Of each slate."""
        return _sums(self.slate, of_rows, self.n_slates)

    def running(self, of_rows: Floats) -> Floats:
        """Sum of a row and of those before it in its slate."""
        total = np.concatenate([[0.0], np.cumsum(of_rows)])
        found: Floats = total[1:] - total[self.first_row]
        return found


def _discount(ordered: _Ordered, k: int) -> Floats:
    return np.where(ordered.place < k, 1.0 / np.log2(ordered.place + 2.0), 0.0)


def _ndcg(ordered: _Ordered, k: int) -> Floats:
    discount = _discount(ordered, k)
    best = ordered.sum(ordered.ideal * discount)
    return _ratio(ordered.sum(ordered.gains * discount), best, where=best > 0)


def _slate_auc(scores: Floats, labels: Labels, sizes: Sizes) -> Floats:
    slate = np.repeat(np.arange(len(sizes)), sizes)
    positive = labels > 0
    n_positive = np.bincount(slate[positive], minlength=len(sizes))
    n_negative = sizes - n_positive
    # Mann-Whitney by ranks within the slate; equal scores share the mean of their ranks.
    order = np.lexsort((scores, slate))
    same = np.zeros(len(order), np.bool_)
    same[1:] = (np.diff(slate[order]) == 0) & (np.diff(scores[order]) == 0)
    tie = np.cumsum(~same) - 1
    row = np.arange(len(order), dtype=np.float64)
    rank = (_sums(tie, row, len(row)) / np.maximum(1, np.bincount(tie, minlength=len(row))))[tie]
    rank = rank - np.repeat(np.cumsum(sizes) - sizes, sizes)
    won = _sums(slate[order][positive[order]], rank[positive[order]], len(sizes))
    won = won - n_positive * (n_positive - 1) / 2
    pairs = n_positive * n_negative
    return _ratio(won, pairs, where=pairs > 0)


def _sums(groups: Integers, of_rows: Floats, n_groups: int) -> Floats:
    """Sum of each group's rows; float64 even where there are none."""
    found: Floats = np.bincount(groups, of_rows, n_groups).astype(np.float64, copy=False)
    return found


def _share_below(in_order: Floats, values: Floats) -> Floats:
    """Share of ``in_order`` below each value, those that equal it counting half."""
    below = np.searchsorted(in_order, values, "left") + np.searchsorted(in_order, values, "right")
    found: Floats = below / (2.0 * len(in_order))
    return found


def _ratio(over: Floats, under: NDArray[np.floating | np.integer], *, where: NDArray[np.bool_]) -> Floats:
    found: Floats = np.divide(over, under, out=np.full(len(over), np.nan), where=where)
    return found
