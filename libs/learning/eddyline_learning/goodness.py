"""How well models did on a slate: one number each, larger is better, by the objective.

``rank``: NDCG@10; of slates that we ordered ourselves by what clicks stand for, given how likely people look at each
place (`Examination`), each slate weighted likewise, in units of the mean weight so far. ``click`` and ``rating``: 1
minus the loss (log-loss, squared error) in units of the loss of a constant, the mean of all labels before the slate; so
a difference of 0.005 is half a per cent of what there is to gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.examination import Examination
from eddyline_learning.examples import Example
from eddyline_learning.labels import CLICK, RANK
from eddyline_learning.metrics import Labels, Sizes, ideal_dcg, ndcg

K = 10
_SURE = 1e-6
"""No probability is believed beyond this."""
_Numbers = NDArray[np.float64]


class Judge:
    """Measures slates in the order of the log; it remembers the mean label so far, and how slates are looked at.

    Parameters
    ----------
    examination
        How slates are looked at; every place alike where none is given.
    priors_are_values
        What orders items before the first booster foretells values: the online model, where it learns them.
    """

    def __init__(
        self, objective: str, examination: Examination | None = None, *, priors_are_values: bool = False
    ) -> None:
        self.examination = examination or Examination(0.0)
        """How likely people look at each place."""
        self.weights = np.ones(0)
        """What each slate counted that was measured last, shape (S,): divided by it, goodness has its usual range."""
        self._objective = objective
        self._priors_are_values = priors_are_values
        self._n_weighed, self._weight = 0.0, 0.0
        self._n, self._total, self._squares = 0.0, 0.0, 0.0

    def measure(
        self, examples: Sequence[Example], raw: Sequence[_Numbers], *, priors: int | None = None
    ) -> _Numbers:
        """Goodness of M models on S slates, shape (S, M); NaN where a slate says nothing.

        Parameters
        ----------
        raw
            M times shape (R,): raw scores of all rows of the slates, one after another.
        priors
            Which of them are item priors instead: probabilities under ``click``; under ``rating`` values, or else
            the mean label stands for them.
        """
        sizes = np.array([len(example.labels) for example in examples], np.int32)
        if self._objective == RANK:
            return self.orders(
                raw,
                np.concatenate([example.labels for example in examples]),
                np.concatenate([example.positions for example in examples]),
                sizes,
                np.array([example.shuffled for example in examples], np.int32),
            )
        self.weights = np.ones(len(examples))
        found = np.full((len(examples), len(raw)), np.nan)
        first = 0
        for slate, example in enumerate(examples):
            rows = slice(first, first + len(example.labels))
            first = rows.stop
            known = ~np.isnan(example.labels)
            of_slate = example.labels[known].astype(np.float64)
            if not len(of_slate):
                continue
            for model, scores in enumerate(raw):
                found[slate, model] = self._one(scores[rows][known], of_slate, of_priors=model == priors)
            self._count(of_slate)
        return found

    def orders(
        self,
        raw: Sequence[_Numbers],
        labels: Labels,
        positions: NDArray[np.int32],
        sizes: Sizes,
        shuffled: NDArray[np.int32],
    ) -> _Numbers:
        """How well M models order S slates, shape (S, M); NaN for a slate without a positive label.

        Parameters
        ----------
        raw
            M times shape (R,): scores of the rows.
        labels, positions, sizes, shuffled
            As `Examination.inverse` takes them.
        """
        self.weights = np.ones(len(sizes))
        gains = labels * self.examination.inverse(positions, labels, sizes, shuffled)
        found = np.stack([ndcg(scores, gains, sizes, K) for scores in raw], axis=1)
        # NDCG asks how a slate's own gains are ordered; how much they stand for is the weight of the slate.
        ours = np.flatnonzero((shuffled >= 0) & ~np.isnan(found[:, 0]))
        weights = ideal_dcg(gains, sizes, K)[ours] / ideal_dcg(labels, sizes, K)[ours]
        total = np.cumsum(np.append(self._weight, weights))[1:]
        self.weights[ours] = weights / (total / (self._n_weighed + np.arange(1.0, len(ours) + 1.0)))
        found *= self.weights[:, None]
        if len(ours):
            self._n_weighed, self._weight = self._n_weighed + len(ours), float(total[-1])
        return found

    def as_json(self) -> dict[str, Any]:
        """What it remembers, exactly."""
        return {
            "labels": [self._n, self._total, self._squares],
            "weights": [self._n_weighed, self._weight],
            "examination": self.examination.as_json(),
        }

    def recall(self, told: dict[str, Any]) -> None:
        """The inverse of `as_json`."""
        self._n, self._total, self._squares = told["labels"]
        self._n_weighed, self._weight = told["weights"]
        self.examination.recall(told["examination"])

    def _one(self, raw: _Numbers, labels: _Numbers, *, of_priors: bool) -> float:
        # One observation of a half is added, so that no mean is 0 or 1 and no variance 0.
        mean = (self._total + 0.5) / (self._n + 1.0)
        if self._objective == CLICK:
            chance = raw if of_priors else 1.0 / (1.0 + np.exp(-np.clip(raw, -500.0, 500.0)))
            constant = np.full(1, mean)
            return 1.0 - _log_loss(chance, labels) / _log_loss(constant, constant)
        variance = max(_SURE, (self._squares + 0.25) / (self._n + 1.0) - mean * mean)
        values: Any = mean if of_priors and not self._priors_are_values else raw
        return 1.0 - float(((values - labels) ** 2).mean()) / variance

    def _count(self, labels: _Numbers) -> None:
        self._n += len(labels)
        self._total += float(labels.sum())
        self._squares += float((labels * labels).sum())


def _log_loss(chance: _Numbers, share: _Numbers) -> float:
    chance = np.clip(chance.astype(np.float64), _SURE, 1.0 - _SURE)
    return float(-(share * np.log(chance) + (1.0 - share) * np.log1p(-chance)).mean())
