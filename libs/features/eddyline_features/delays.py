"""Quantiles of delays in bounded memory: a histogram whose bins grow by a factor."""

from __future__ import annotations

import math
from collections import Counter

_BINS_PER_DOUBLING = 16


class Delays:
    """Durations in ms; a quantile is at most 5 % too large, and never too small."""

    def __init__(self) -> None:
        self.n = 0
        self.n_negative = 0
        self._bins: Counter[int] = Counter()

    def add(self, delay_ms: int) -> None:
        """Count a delay; one below 0 (clocks that disagree) counts as 0."""
        self.n += 1
        self.n_negative += delay_ms < 0
        self._bins[0 if delay_ms < 1 else 1 + math.ceil(math.log2(delay_ms) * _BINS_PER_DOUBLING)] += 1

    def quantile(self, share: float) -> int:
        """The delay in ms that this share does not exceed; 0 when there is none."""
        rest = share * self.n
        for place in sorted(self._bins):
            rest -= self._bins[place]
            if rest <= 0:
                return math.ceil(2 ** ((place - 1) / _BINS_PER_DOUBLING)) if place else 0
        return 0
