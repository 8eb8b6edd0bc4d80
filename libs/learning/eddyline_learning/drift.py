"""Whether the model in service does worse than it used to: a change of its loss, slate by slate in the log's order.

The detectors are those of river (ADWIN: Bifet and Gavalda, "Learning from time-changing data with adaptive windowing",
2007; Page-Hinkley: Page, "Continuous inspection schemes", 1954). They cannot be written down exactly, so what is kept
is what they were given since they last began, at most `_MOST` numbers: given again, they come to the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features.view import Policy

_MOST = 4_000
"""Slates that a detector looks back on; then it begins again with the newest half."""
_DIGITS = 6
"""Of a loss: less than any detector can tell, and half the room in what a cycle leaves behind."""


class DriftWatch:
    """Watches one number a slate.

    Parameters
    ----------
    policy
        Says which detector; without one nothing is ever noticed.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._losses: list[float] = []
        self._detector: Any = None
        self.n_drifts = 0
        """Noticed so far."""

    def observe(self, losses: Iterable[float]) -> int | None:
        """Add slates; NaN says nothing. Where the loss has risen: how many of the newest slates came since.

        None if it has not. A fall is no drift: it is what learning is for.
        """
        since: int | None = None
        for loss in losses:
            if since is not None:
                since += 1
            found = self._add(loss)
            since = found if found is not None else since
        return since

    def as_json(self) -> dict[str, Any]:
        """Everything, exactly."""
        return {"losses": list(self._losses), "n_drifts": self.n_drifts}

    def recall(self, told: dict[str, Any]) -> None:
        """The inverse of `as_json`."""
        self.n_drifts = told["n_drifts"]
        self._begin(told["losses"])

    def _add(self, loss: float) -> int | None:
        if self._policy.drift == "none" or math.isnan(loss):
            return None
        if self._detector is None:
            self._detector = _new(self._policy)
        self._losses.append(round(float(loss), _DIGITS))
        self._detector.update(self._losses[-1])
        if not self._detector.drift_detected:
            if len(self._losses) >= _MOST:
                self._begin(self._losses[-_MOST // 2 :])
            return None
        losses = np.array(self._losses)
        # Both begin again after a change; so what is kept begins there too.
        self._begin([])
        since = _since_the_rise(losses)
        if since is not None:
            self.n_drifts += 1
        return since

    def _begin(self, losses: list[float]) -> None:
        self._losses = list(losses)
        self._detector = _new(self._policy) if losses else None
        for loss in losses:
            self._detector.update(loss)


def _since_the_rise(losses: NDArray[np.float64]) -> int | None:
    """How many of the newest losses are above those before: the likeliest place of one change; None if they fell.

    The detectors say that there was a change, and little of where: ADWIN forgets by buckets that hold hundreds.
    """
    n = len(losses)
    if n < 2:
        return None
    before = np.arange(1, n)
    sums = np.cumsum(losses)
    rise = (sums[-1] - sums[:-1]) / (n - before) - sums[:-1] / before
    # Of equal normal losses around either mean: the least squares.
    likely = rise * np.abs(rise) * before * (n - before)
    if abs(likely.min()) > likely.max():
        return None
    return n - int(before[int(np.argmax(likely))])


def load_detectors(policy: Policy) -> None:
    """Have at hand what the detectors need: it takes two seconds, and no cycle shall be longer for it."""
    if policy.drift != "none":
        _new(policy)


def _new(policy: Policy) -> Any:
    # Its import takes longer than all else here, and not every view wants it.
    from river import drift

    detectors: Any = drift
    if policy.drift == "adwin":
        return detectors.ADWIN(delta=policy.drift_delta, clock=8)
    return detectors.PageHinkley(threshold=policy.drift_threshold, delta=0.02, mode="up")
