"""How likely people look at each place of a slate that we ordered, and what a click there stands for.

A click says that an item was looked at *and* liked. Where our own order decides what is looked at, what is liked at
the top is clicked more often than what is liked below, and whoever made the order looks good for it. A click at a place
that is looked at with probability e stands for 1 / e of them: inverse propensity weights (Joachims, Swaminathan and
Schnabel, "Unbiased learning to rank with biased feedback", WSDM 2017); in a block of places that was shuffled, e is the
mean over the block, whatever place the item got (Oosterhuis and de Rijke, "Policy-aware unbiased learning to rank for
top-k rankings", SIGIR 2020).

The curve is (place + 1)^-power, 1 at the top. Its power is given, or estimated from the clicks on shuffled blocks: as
chance alone put an item there, the places of the clicks are drawn by the curve itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features.view import Learning
from eddyline_learning.metrics import ideal_dcg

K = 10
"""Places that count, as in the gate's NDCG."""
MOST_WEIGHT = 20.0
"""No click stands for more: a rare one far down must not decide alone. What lies beyond counts too little, which speaks
for the champion, whose order it is."""
_MOST = 3.0
"""No curve is steeper."""
_STEPS = 30
"""Halvings in search of the power: to nine digits."""


class Examination:
    """The curve, as it is known from the slates so far.

    Parameters
    ----------
    power
        Of the curve, where it is given; 0: every place is looked at. None: it is estimated.
    """

    def __init__(self, power: float | None) -> None:
        self.power = power or 0.0
        """Of the curve: (place + 1)^-power."""
        self._estimated = power is None
        # By size of the block: clicks, and the sum of their log(place + 1).
        self._seen: dict[int, list[float]] = {}

    def inverse(
        self,
        positions: NDArray[np.int32],
        labels: NDArray[np.float32],
        sizes: NDArray[np.int32],
        shuffled: NDArray[np.int32],
    ) -> NDArray[np.float64]:
        """What each row's click stands for, shape (R,), by what the slates before its own have told.

        Parameters
        ----------
        positions, labels
            shape (R,): where each item of the slates was shown, 0 at the top, and what it got.
        sizes
            shape (S,): rows of each slate.
        shuffled
            shape (S,): of so many places, the first ones, the order was drawn evenly; 0 where none was; below 0 for a
            slate that we did not order: there nothing is known, and every click stands for itself.
        """
        found = np.ones(len(positions))
        ends = np.cumsum(sizes, dtype=np.int64)
        places = np.repeat(shuffled, sizes)
        first = 0
        for slate in np.flatnonzero(shuffled > 1):
            end = int(ends[slate])
            rows = slice(first, end)
            self._weigh(found[rows], positions[rows], places[rows])
            own = slice(end - int(sizes[slate]), end)
            self._learn(positions[own][labels[own] > 0], int(shuffled[slate]))
            first = end
        rows = slice(first, len(positions))
        self._weigh(found[rows], positions[rows], places[rows])
        return found

    def slate_weights(
        self,
        positions: NDArray[np.int32],
        labels: NDArray[np.float32],
        sizes: NDArray[np.int32],
        shuffled: NDArray[np.int32],
    ) -> NDArray[np.float64] | None:
        """How much each slate counts in training, shape (S,); arguments as of `inverse`. None: all alike.

        By what its clicks stand for, on average over the slates that we ordered 1; 1 for all others.
        """
        ours = shuffled >= 0
        if not self.power or not ours.any():
            return None
        stands_for = np.ones(len(positions))
        self._weigh(stands_for, positions, np.repeat(shuffled, sizes))
        plain = ideal_dcg(labels, sizes, K)
        found = np.ones(len(sizes))
        np.divide(ideal_dcg(labels * stands_for, sizes, K), plain, out=found, where=ours & (plain > 0.0))
        found[ours] /= found[ours].mean()
        return found

    @classmethod
    def of(cls, settings: Learning) -> Examination:
        """As declared."""
        return cls({"estimated": None, "none": 0.0}.get(settings.examination, settings.examination_power))

    def as_json(self) -> dict[str, Any]:
        """What it knows, exactly."""
        return {"power": self.power, "seen": [[n, *of] for n, of in sorted(self._seen.items())]}

    def recall(self, told: dict[str, Any]) -> None:
        """The inverse of `as_json`."""
        self.power = told["power"]
        self._seen = {int(n): [clicks, logs] for n, clicks, logs in told["seen"]}

    def _weigh(
        self, found: NDArray[np.float64], positions: NDArray[np.int32], block: NDArray[np.int32]
    ) -> None:
        """Fill in what each click stands for, by the curve as it is now."""
        if not self.power:
            return
        ours = block >= 0
        looked = (positions + 1.0) ** -self.power
        for n in np.unique(block[block > 1]).tolist():
            looked[(block == n) & (positions < n)] = _curve(n, self.power).mean()
        found[ours] = np.minimum(MOST_WEIGHT, 1.0 / looked[ours])

    def _learn(self, clicked: NDArray[np.int32], block: int) -> None:
        inside = clicked[clicked < block]
        if not self._estimated or not len(inside):
            return
        of = self._seen.setdefault(block, [0.0, 0.0])
        of[0] += len(inside)
        of[1] += float(np.log(inside + 1.0).sum())
        self.power = self._estimate()

    def _estimate(self) -> float:
        """The power under which these places are the most likely, drawn a little towards 0."""
        low, high = 0.0, _MOST
        for _ in range(_STEPS):
            power = (low + high) / 2
            # The slope of the log-likelihood falls with the power: where it crosses 0 is the maximum.
            slope = -power
            for n, (clicks, logs) in self._seen.items():
                slope += clicks * _mean_log(n, power) - logs
            low, high = (power, high) if slope > 0.0 else (low, power)
        return low


def _mean_log(n: int, power: float) -> float:
    """Mean log(place + 1) of clicks on a shuffled block of ``n`` places."""
    curve = _curve(n, power)
    return float((curve * np.log(np.arange(1.0, n + 1.0))).sum() / curve.sum())


def _curve(n: int, power: float) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.arange(1.0, n + 1.0) ** -power
    return found
