"""Whether predicted probabilities are what is observed. Standard errors are those of slates drawn as wholes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from eddyline_learning.metrics import Estimate, Floats, Labels, Sizes, spread

_BINS = 10
_SURE = 1e-12
"""No prediction is surer than this: one wrong row would make the mean loss infinite."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of about the same prediction."""

    predicted: float
    """Its mean."""
    observed: float
    """Share of the rows that were positive."""
    se: float
    """Standard error of ``observed - predicted``; NaN below two slates."""
    n: int

    def as_json(self) -> dict[str, float | int | None]:
        """NaN as null."""
        se = None if math.isnan(self.se) else self.se
        return {"predicted": self.predicted, "observed": self.observed, "se": se, "n": self.n}


def probabilities(raw: Floats) -> Floats:
    """Of raw scores under the objective ``click``: log-odds."""
    return 0.5 * (1.0 + np.tanh(0.5 * raw))


def calibration_metrics(predicted: Floats, labels: Labels, sizes: Sizes) -> dict[str, Estimate]:
    """How far probabilities can be trusted, by name.

    - ``log_loss``: mean of −log(probability of what happened) over rows, natural logarithm.
    - ``ece``: mean distance of predicted and observed, over ten bins with as many rows each.
    - ``predicted``, ``observed``: means over rows; equal where the level is right.

    Parameters
    ----------
    predicted
        shape (R,), in [0, 1].
    labels
        shape (R,); above 0 is positive.
    sizes
        shape (S,). Rows of each slate.
    """
    happened = (labels > 0).astype(np.float64)
    sure = np.clip(predicted, _SURE, 1.0 - _SURE)
    loss = -np.where(happened > 0, np.log(sure), np.log1p(-sure))
    return {
        "log_loss": _mean_of_rows(loss, sizes),
        "ece": _calibration_error(predicted, happened, sizes),
        "predicted": _mean_of_rows(predicted, sizes),
        "observed": _mean_of_rows(happened, sizes),
    }


def reliability(predicted: Floats, labels: Labels, sizes: Sizes) -> list[Bin]:
    """The bins of ``ece``, the lowest prediction first; fewer where predictions are equal."""
    n_slates = len(sizes)
    if not len(predicted):
        return []
    happened = (labels > 0).astype(np.float64)
    slate = np.repeat(np.arange(n_slates), sizes)
    edges = _edges(predicted)
    where = np.searchsorted(edges, predicted)
    found = []
    for number in range(len(edges) + 1):
        rows = where == number
        n = int(rows.sum())
        if n:
            gap = float((happened[rows] - predicted[rows]).mean())
            pulls = np.bincount(slate[rows], happened[rows] - predicted[rows] - gap, n_slates) / n
            found.append(Bin(float(predicted[rows].mean()), float(happened[rows].mean()), spread(pulls), n))
    return found


def _edges(predicted: Floats) -> Floats:
    found: Floats = np.unique(np.quantile(predicted, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return found


def _mean_of_rows(values: Floats, sizes: Sizes) -> Estimate:
    if not len(values):
        return Estimate(math.nan, math.nan, 0)
    mean = float(values.mean())
    slate = np.repeat(np.arange(len(sizes)), sizes)
    return Estimate(mean, spread(np.bincount(slate, values - mean, len(sizes)) / len(values)), len(sizes))


def _calibration_error(predicted: Floats, happened: Floats, sizes: Sizes) -> Estimate:
    n, n_slates = len(predicted), len(sizes)
    if not n:
        return Estimate(math.nan, math.nan, 0)
    edges = _edges(predicted)
    cell = np.repeat(np.arange(n_slates), sizes) * (len(edges) + 1) + np.searchsorted(edges, predicted)
    gaps = np.bincount(cell, predicted - happened, n_slates * (len(edges) + 1)).reshape(n_slates, -1)
    total = gaps.sum(0)
    error = float(np.abs(total).sum()) / n
    if n_slates < 2:
        return Estimate(error, math.nan, n_slates)
    # Jackknife: the same without each slate in turn.
    without = np.abs(total - gaps).sum(1) / (n - sizes)
    se = math.sqrt((n_slates - 1) / n_slates * float(((without - without.mean()) ** 2).sum()))
    return Estimate(error, se, n_slates)
