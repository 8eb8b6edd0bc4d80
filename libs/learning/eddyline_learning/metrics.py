"""How good an order is, measured over slates: each slate counts once, and a mean comes with its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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


def ndcg(
    scores: NDArray[np.float64], labels: NDArray[np.float32], sizes: NDArray[np.int32], k: int
) -> NDArray[np.float64]:
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
    n_slates = len(sizes)
    slate = np.repeat(np.arange(n_slates), sizes)
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    gains = np.maximum(np.nan_to_num(labels.astype(np.float64)), 0.0)
    place = np.arange(len(labels)) - start
    discount = np.where(place < k, 1.0 / np.log2(place + 2.0), 0.0)
    by_score = np.lexsort((-scores, slate))
    by_gain = np.lexsort((-gains, slate))
    got = np.bincount(slate, gains[by_score] * discount, n_slates)
    best = np.bincount(slate, gains[by_gain] * discount, n_slates)
    found: NDArray[np.float64] = np.divide(got, best, out=np.full(n_slates, np.nan), where=best > 0)
    return found


def mean_of(values: NDArray[np.float64]) -> Estimate:
    """Mean and standard error over the slates that are not NaN."""
    known = values[~np.isnan(values)]
    n = len(known)
    if n == 0:
        return Estimate(math.nan, math.nan, 0)
    se = float(known.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Estimate(float(known.mean()), se, n)
