"""Paired comparisons of all live models on the same slates, kept as running sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.bounds import Pair


class Evidence:
    """For each two of a changing set of models: over how many slates they met, and how they differed there.

    Slates are added one after another, so how they were cut into batches changes no bit.
    """

    def __init__(self) -> None:
        self.models: list[str] = []
        self._n: NDArray[np.int64] = np.zeros((0, 0), np.int64)
        self._mean: NDArray[np.float64] = np.zeros((0, 0))
        self._squares: NDArray[np.float64] = np.zeros((0, 0))

    def enter(self, model: str) -> None:
        """From the next slate on, this model is compared with all that are there."""
        if model in self.models:
            return
        self.models.append(model)
        self._n = np.pad(self._n, (0, 1))
        self._mean = np.pad(self._mean, (0, 1))
        self._squares = np.pad(self._squares, (0, 1))

    def keep(self, models: set[str]) -> None:
        """Forget all others."""
        kept = [index for index, model in enumerate(self.models) if model in models]
        self.models = [self.models[index] for index in kept]
        pairs = np.ix_(kept, kept)
        self._n, self._mean, self._squares = self._n[pairs], self._mean[pairs], self._squares[pairs]

    def forget(self, one: str, other: str) -> None:
        """These two are compared anew; each with all others as before."""
        at = [self.models.index(one), self.models.index(other)]
        for sums in (self._n, self._mean, self._squares):
            sums[at, at[::-1]] = 0

    def observe(self, goodness: NDArray[np.float64]) -> None:
        """Add slates: shape (S, M), how well each of `models` did; a row with NaN says nothing and is left out."""
        for of_slate in goodness[~np.isnan(goodness).any(axis=1)]:
            difference = of_slate[:, None] - of_slate[None, :]
            self._n += 1
            away = difference - self._mean
            self._mean += away / self._n
            self._squares += away * (difference - self._mean)

    def pair(self, one: str, other: str) -> Pair:
        """How ``one`` did against ``other``."""
        at = self.models.index(one), self.models.index(other)
        return Pair(int(self._n[at]), float(self._mean[at]), float(self._squares[at]))

    def as_json(self) -> dict[str, Any]:
        """Everything, exactly."""
        return {
            "models": list(self.models),
            "n": self._n.tolist(),
            "mean": self._mean.tolist(),
            "squares": self._squares.tolist(),
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Evidence:
        """The inverse of `as_json`."""
        evidence, shape = cls(), (len(told["models"]),) * 2
        evidence.models = list(told["models"])
        evidence._n = np.array(told["n"], np.int64).reshape(shape)
        evidence._mean = np.array(told["mean"], np.float64).reshape(shape)
        evidence._squares = np.array(told["squares"], np.float64).reshape(shape)
        return evidence
