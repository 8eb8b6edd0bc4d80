"""Vectors that the inbox has and the log does not know yet, as far as an encoder remembers."""

from __future__ import annotations

from collections import OrderedDict

ON_ITS_WAY_S = 30.0
"""After this time without a word from the log, a vector is made again; under the same id."""
MOST = 1_000
"""More than so many are not sent ahead of the log: whoever is to read it is behind already."""


class OnTheirWay:
    """Ids of events, the oldest first, each for `ON_ITS_WAY_S`."""

    def __init__(self) -> None:
        self._since: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def add(self, event: str, now: float) -> None:
        """The inbox has it, at this time in seconds, never before that of an earlier call."""
        self._since[event] = now
        self._since.move_to_end(event)

    def forget(self, now: float) -> None:
        """Let go of those that are too old."""
        while self._since and now - next(iter(self._since.values())) > ON_ITS_WAY_S:
            self._since.popitem(last=False)

    def __contains__(self, event: str) -> bool:
        return event in self._since
