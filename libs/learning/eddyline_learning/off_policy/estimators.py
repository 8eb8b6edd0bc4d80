"""IPS, SNIPS and DR, with intervals and effective sample size.

- IPS: mean of w * reward over units, w = target's probability / logged propensity (Horvitz and Thompson 1952). Without
  bias where every choice that the target could make had a chance.
- SNIPS: the same over the mean weight, which takes away what varies because w does (Swaminathan and Joachims, "The
  self-normalized estimator for counterfactual learning", NeurIPS 2015); its bias vanishes as the log grows.
- DR: what a model of the reward expects of the target, plus IPS of the model's errors (Dudik, Langford and Li, "Doubly
  robust policy evaluation and learning", ICML 2011): right if either the propensities or the model are. The model is
  fitted on other people's rows (cross-fitting; Chernozhukov et al., Econometrics Journal 2018).

Intervals are asymptotic normal ones, mean +- z * standard error, by the influence of each cluster (a person's slates
depend on each other). They are too narrow where a few weights decide, which the effective sample size tells: (sum of
w)^2 / sum of w^2 (Kish 1965). Clipping the weights narrows them further and adds a bias, so it is never done unasked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from eddyline_learning.off_policy.logged import Indices, Logged, Numbers, Target
from eddyline_learning.off_policy.reward_model import fitted

CONFIDENCE = 0.95
FOLDS = 5
IPS, SNIPS, DR = "ips", "snips", "dr"
ESTIMATORS = (IPS, SNIPS, DR)


@dataclass(frozen=True, slots=True)
class Value:
    """What a policy is worth per unit, and between what and what it lies."""

    mean: float
    se: float
    lower: float
    upper: float

    @classmethod
    def of(cls, mean: float, influence: Numbers, confidence: float = CONFIDENCE) -> Value:
        """By the influence of each cluster on the mean, shape (C,), which adds up to 0."""
        n = len(influence)
        if n < 2:
            return cls(mean, math.nan, math.nan, math.nan)
        se = math.sqrt(float((influence**2).sum()) * n / (n - 1))
        width = NormalDist().inv_cdf(0.5 + confidence / 2) * se
        return cls(mean, se, mean - width, mean + width)

    def as_json(self) -> dict[str, float | None]:
        """For an answer; NaN as null."""
        told = {"mean": self.mean, "se": self.se, "lower": self.lower, "upper": self.upper}
        return {name: None if math.isnan(value) else value for name, value in told.items()}


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the log says of a target."""

    ips: Value
    snips: Value
    dr: Value
    as_logged: Value
    """What the logging policy got itself."""
    n_units: int
    n_rows: int
    n_clusters: int
    effective_rows: float
    """Rows drawn by the target itself that would say as much."""
    mean_weight: float
    """1 but for chance where the log covers what the target does; below, it never shows some of it."""
    largest_weight: float
    clip: float | None
    """No weight counts more; None: none was clipped."""
    clipped: float
    """Share of the rows whose weight was."""

    def as_json(self) -> dict[str, Any]:
        """For an answer."""
        return {
            **{name: getattr(self, name).as_json() for name in (*ESTIMATORS, "as_logged")},
            "units": self.n_units,
            "rows": self.n_rows,
            "clusters": self.n_clusters,
            "effective_rows": self.effective_rows,
            "mean_weight": self.mean_weight,
            "largest_weight": self.largest_weight,
            "clip": self.clip,
            "clipped": self.clipped,
        }


def estimated(log: Logged, target: Target, *, clip: float | None = None) -> Estimates:
    """All three, and what to judge them by.

    Raises
    ------
    ValueError
        If the log is empty, or a propensity is not above 0.
    """
    if not len(log):
        raise ValueError("there is nothing in the log to estimate from")
    if not (log.propensities > 0.0).all():
        raise ValueError("a propensity is 0 or below: what was shown cannot have been impossible")
    raw = target.probabilities(log) / log.propensities
    weights = raw if clip is None else np.minimum(raw, clip)
    foretold, expected = _foretold(log, target)
    sums = _Clusters(log)
    squares = float((weights**2).sum())
    return Estimates(
        ips=sums.mean(weights * log.rewards),
        snips=sums.normalised(weights * log.rewards, weights),
        dr=sums.mean(expected + weights * (log.rewards - foretold)),
        as_logged=sums.mean(log.rewards),
        n_units=log.n_units,
        n_rows=len(log),
        n_clusters=log.n_clusters,
        effective_rows=float(weights.sum()) ** 2 / squares if squares else 0.0,
        mean_weight=float(raw.mean()),
        largest_weight=float(raw.max()),
        clip=clip,
        clipped=0.0 if clip is None else float((raw > clip).mean()),
    )


def _foretold(log: Logged, target: Target) -> tuple[Numbers, Numbers]:
    """Of each row: the reward by a model that has not seen its cluster, and what the target would get by it."""
    shape = tuple(max(sizes) for sizes in zip(log.shape, target.shape, strict=True))
    n_folds = min(FOLDS, log.n_clusters)
    fold = log.clusters % n_folds
    foretold, expected = np.zeros(len(log)), np.zeros(len(log))
    for k in range(n_folds):
        own = fold == k
        model = fitted(log, np.flatnonzero(~own), (shape[0], shape[1]))
        foretold[own] = model[log.choices[own], log.places[own]]
        expected[own] = target.expected(log, model)[own]
    return foretold, expected


class _Clusters:
    """Sums over clusters, and means per unit with what each cluster adds to them."""

    def __init__(self, log: Logged) -> None:
        self._of: Indices = log.clusters
        self._n = log.n_clusters
        first = np.unique(log.units, return_index=True)[1]
        self._units = np.bincount(log.clusters[first], minlength=self._n).astype(np.float64)
        self._rows = self._sum(np.ones(len(log)))
        self._n_units = float(self._units.sum())

    def mean(self, values: Numbers) -> Value:
        """Mean per unit of what the rows add up to."""
        sums = self._sum(values)
        mean = float(sums.sum()) / self._n_units
        return Value.of(mean, (sums - mean * self._units) / self._n_units)

    def normalised(self, values: Numbers, weights: Numbers) -> Value:
        """As `mean`, over the mean weight: rows per unit * sum of values / sum of weights."""
        sums, weighed = self._sum(values), self._sum(weights)
        total = float(weighed.sum())
        if not total:
            return Value(math.nan, math.nan, math.nan, math.nan)
        per_row = float(sums.sum()) / total
        rows = float(self._rows.sum()) / self._n_units
        influence = rows * (sums - per_row * weighed) / total
        influence += per_row * (self._rows - rows * self._units) / self._n_units
        return Value.of(rows * per_row, influence)

    def _sum(self, values: Numbers) -> Numbers:
        sums: Numbers = np.bincount(self._of, values, self._n).astype(np.float64)
        return sums
