"""How much of a history is learnt from before anything is scored."""

from __future__ import annotations

import math

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged


class Warmup:
    """Asked of every event in the order of the log: is this the first one after the warm-up?

    Parameters
    ----------
    n_slates, n_interactions
        It ends with this many of them: just before the next one.
    duration_ms, until
        It ends before the first slate or interaction so long after the first of them; or at or after this time, in ms
        since the Unix epoch. Other events tell no time: a catalogue may be of any day.
    """

    def __init__(
        self,
        *,
        n_slates: int | None = None,
        n_interactions: int | None = None,
        duration_ms: int | None = None,
        until: int | None = None,
    ) -> None:
        if sum(given is not None for given in (n_slates, n_interactions, duration_ms, until)) != 1:
            raise ValueError("a warm-up is so many events, so long, or until a time: give one of them")
        self._counted = SlateServed if n_interactions is None else InteractionRecorded
        self._n_most = n_slates if n_interactions is None else n_interactions
        self._duration_ms = duration_ms
        self._until = until
        self._n_seen = 0

    @classmethod
    def share(cls, share: float, n_slates: int | None = None, n_interactions: int | None = None) -> Warmup:
        """The first ``share`` of all slates, or of all interactions, of which there are so many."""
        return cls(n_slates=_share(share, n_slates), n_interactions=_share(share, n_interactions))

    def ends_before(self, logged: Logged) -> bool:
        """Whether this event comes after the warm-up; not asked again once it does."""
        event = logged.event
        if not isinstance(event, SlateServed | InteractionRecorded):
            return False
        if self._duration_ms is not None and self._until is None:
            self._until = logged.occurred_at + self._duration_ms
        if self._until is not None:
            return logged.occurred_at >= self._until
        assert self._n_most is not None
        if isinstance(event, self._counted):
            self._n_seen += 1
        return self._n_seen > self._n_most


def _share(share: float, n: int | None) -> int | None:
    # 0.7 × 10 is a little less than 7 in floating point.
    return None if n is None else math.floor(share * n + 1e-9)
