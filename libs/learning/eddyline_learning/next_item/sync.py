"""When what was learnt is brought up to date, where that is not at every event."""

from __future__ import annotations

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged

_ACTS = (SlateServed, InteractionRecorded)


class Sync:
    """Asked of every event in the order of the log: is something to be learnt before it?

    Syncs are at whole multiples of the interval since the Unix epoch, by the time of slates and interactions.

    Parameters
    ----------
    interval_ms
        0: before every event.
    """

    def __init__(self, interval_ms: int) -> None:
        self._interval_ms = interval_ms
        self._period = -1

    def is_due(self, at: int) -> bool:
        """Whether time has come to another period; then it is not due again before the next."""
        if not self._interval_ms:
            return True
        period = at // self._interval_ms
        if period <= self._period:
            return False
        self._period = period
        return True

    def is_due_before(self, logged: Logged) -> bool:
        """As `is_due`; events that tell no time wait with those before them."""
        return isinstance(logged.event, _ACTS) and self.is_due(logged.occurred_at)
