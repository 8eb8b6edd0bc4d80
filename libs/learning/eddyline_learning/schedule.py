"""When a model is due: at places that the log alone decides, so that whoever reads it makes the same models."""

from __future__ import annotations

import math


class Schedule:
    """The first model when ``min_slates`` are ripe, then one each time the examples have grown by ``growth``.

    Once the ring of examples is full, they grow no more: then each time that share of it has been replaced.
    """

    def __init__(self, min_slates: int, growth: float) -> None:
        self._growth = growth
        self.next_at = min_slates
        """Slates with a positive label since the start of the log at which a model is due."""

    def is_due(self, n_positive: int) -> bool:
        """Whether the log has just reached such a place."""
        return n_positive >= self.next_at

    def made(self, n_positive: int, n_held: int) -> None:
        """A model was made here, on ``n_held`` slates."""
        self.next_at = n_positive + max(1, math.ceil(min(n_positive, n_held) * (self._growth - 1.0)))
