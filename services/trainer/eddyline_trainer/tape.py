"""The newest decoded events, so that a fold that trails closely need not have them read and decoded again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from eddyline_contracts.record import Logged


class Tape:
    """Everything after some place of the log, as long as it is not too much."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._events: list[Logged] = []
        self._after = 0
        """It holds every event after this place that was added."""

    def add(self, events: Sequence[Logged]) -> None:
        """Hold the next events of the log; the oldest go when they are too many."""
        self._events += events
        # Half at once: letting them go one by one would move the rest each time.
        if len(self._events) > self._at_most:
            self._let_go(len(self._events) - self._at_most // 2)

    def between(self, after: int, until: int) -> list[Logged] | None:
        """The events in ``(after, until]``, or none when some of them are gone; lets go of what lies before."""
        if after < self._after:
            return None
        self._let_go(bisect_right(self._events, after, key=_place))
        return self._events[: bisect_right(self._events, until, key=_place)]

    def _let_go(self, n: int) -> None:
        if n:
            self._after = self._events[n - 1].sequence
            del self._events[:n]


def _place(logged: Logged) -> int:
    return logged.sequence
