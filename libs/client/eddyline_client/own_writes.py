"""What a client remembers of its own events, so that what it reads can be told to reflect them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from eddyline_client.options import Reading

_REMEMBERED = 10_000


class OwnWrites:
    """Per person: the newest event that is still under way, and the newest place in the log.

    Memory is bounded: who is forgotten counts as having written at the newest place that was forgotten, so a rank may
    wait for a little more than its own, never for less.
    """

    def __init__(self, reading: Reading, remembered: int = _REMEMBERED) -> None:
        self._reading = reading
        self._limit = remembered
        self._under_way: dict[str, int] = {}
        self._under_way_for_all = 0
        self._places: OrderedDict[str, int] = OrderedDict()
        self._floor = 0

    def taken(self, keys: Sequence[str], number: int) -> None:
        """An event about these was taken as the client's ``number``-th."""
        if not self._apart(keys):
            self._under_way_for_all = number
        for key in self._apart(keys):
            self._under_way[key] = number

    def settled(self, keys: Sequence[str], number: int, sequence: int | None) -> None:
        """That event was stored at this place, or refused (none)."""
        for key in self._apart(keys):
            if self._under_way.get(key) == number:
                del self._under_way[key]
            if sequence is not None:
                self._places[key] = max(sequence, self._places.get(key, 0))
                self._places.move_to_end(key)
        if not self._apart(keys) and sequence is not None:
            self._floor = max(self._floor, sequence)
        while len(self._places) > self._limit:
            self._floor = max(self._floor, self._places.popitem(last=False)[1])

    def number(self, keys: Sequence[str]) -> int:
        """The client's newest event that a rank for these has to wait for; 0 if there was none."""
        if self._reading == "off":
            return 0
        return max([self._under_way_for_all, *(self._under_way.get(key, 0) for key in self._apart(keys))])

    def sequence(self, keys: Sequence[str]) -> int:
        """The place in the log that a rank for these has to reflect; 0 if any will do."""
        if self._reading == "off":
            return 0
        return max([self._floor, *(self._places.get(key, 0) for key in self._apart(keys))])

    def _apart(self, keys: Sequence[str]) -> Sequence[str]:
        return keys if self._reading == "user" else ()
