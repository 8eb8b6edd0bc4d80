"""When a cycle is due, and when a rebuild is: at places that the log alone decides.

So whoever reads the log makes the same models.
"""

from __future__ import annotations

import math

from eddyline_features.view import Learning


class Beat:
    """Places of cycles: the first when ``min_slates`` are ripe, then by number of ripe slates or by event time."""

    def __init__(self, settings: Learning, *, starts_by_itself: bool) -> None:
        self._settings = settings
        self._begun = False
        self._starts_by_itself = starts_by_itself
        self._n_before = 0
        self._clock_before = 0

    def is_due(self, n_positive: int, n_complete: int, clock: int) -> bool:
        """Whether the log has just reached such a place.

        Parameters
        ----------
        n_positive, n_complete
            Examples since the start of the log: with a positive label, and all.
        clock
            Time of the events, in ms since the Unix epoch.
        """
        if not self._begun:
            return self._starts_by_itself and n_positive >= self._settings.min_slates
        if self._settings.learn_every is not None:
            return n_complete >= self._n_before + self._settings.learn_every
        every = self._settings.learn_every_ms
        assert every is not None
        # Without a new slate there is nothing to learn.
        return clock >= self._clock_before + every and n_complete > self._n_before

    def struck(self, n_complete: int, clock: int) -> None:
        """There is a cycle here."""
        self._begun, self._n_before, self._clock_before = True, n_complete, clock


class Growth:
    """When to rebuild: at once, then each time that the examples have grown by ``growth``.

    Once the ring of examples is full, they grow no more: then each time that share of it has been replaced.
    """

    def __init__(self, growth: float) -> None:
        self._growth = growth
        self.next_at = 0
        """Slates with a positive label since the start of the log at which a rebuild is due."""

    def is_due(self, n_positive: int) -> bool:
        """Whether it is time."""
        return n_positive >= self.next_at

    def rebuilt(self, n_positive: int, n_held: int) -> None:
        """A model was made from scratch, on ``n_held`` slates."""
        self.next_at = n_positive + max(1, math.ceil(min(n_positive, n_held) * (self._growth - 1.0)))
