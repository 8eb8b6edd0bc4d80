"""How well models did on a slate: one number each, larger is better, by the objective.

``rank``: NDCG@10. ``click`` and ``rating``: 1 minus the loss (log-loss, squared error) in units of the loss of a
constant, the mean of all labels before the slate; so a difference of 0.005 is half a per cent of what there is to gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.examples import Example
from eddyline_learning.labels import CLICK, RANK
from eddyline_learning.metrics import ndcg

K = 10
_SURE = 1e-6
"""No probability is believed beyond this."""
_Numbers = NDArray[np.float64]


class Judge:
    """Measures slates in the order of the log; under ``click`` and ``rating`` it remembers the mean label so far."""

    def __init__(self, objective: str) -> None:
        self._objective = objective
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
            Which of them are item priors instead: probabilities under ``click``; no values under ``rating``, where
            the mean label stands for them.
        """
        sizes = np.array([len(example.labels) for example in examples], np.int32)
        if self._objective == RANK:
            labels = np.concatenate([example.labels for example in examples])
            return np.stack([ndcg(scores, labels, sizes, K) for scores in raw], axis=1)
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

    def as_json(self) -> list[float]:
        """What it remembers, exactly."""
        return [self._n, self._total, self._squares]

    def recall(self, told: list[float]) -> None:
        """The inverse of `as_json`."""
        self._n, self._total, self._squares = told

    def _one(self, raw: _Numbers, labels: _Numbers, *, of_priors: bool) -> float:
        # One observation of a half is added, so that no mean is 0 or 1 and no variance 0.
        mean = (self._total + 0.5) / (self._n + 1.0)
        if self._objective == CLICK:
            chance = raw if of_priors else 1.0 / (1.0 + np.exp(-np.clip(raw, -500.0, 500.0)))
            constant = np.full(1, mean)
            return 1.0 - _log_loss(chance, labels) / _log_loss(constant, constant)
        variance = max(_SURE, (self._squares + 0.25) / (self._n + 1.0) - mean * mean)
        values: Any = mean if of_priors else raw
        return 1.0 - float(((values - labels) ** 2).mean()) / variance

    def _count(self, labels: _Numbers) -> None:
        self._n += len(labels)
        self._total += float(labels.sum())
        self._squares += float((labels * labels).sum())


def _log_loss(chance: _Numbers, share: _Numbers) -> float:
    chance = np.clip(chance.astype(np.float64), _SURE, 1.0 - _SURE)
    return float(-(share * np.log(chance) + (1.0 - share) * np.log1p(-chance)).mean())
