"""What each person has seen: the newest so many different items, the oldest first."""

from __future__ import annotations

import sys

import numpy as np

from eddyline_features.array_bytes import as_bytes
from eddyline_features.kernel import Ints, LongTable, kernel

_GENERATION = 2
"""As in ``entities``."""
_FEW = 8


@kernel
def remember(held: Ints, items: Ints, items_meta: LongTable) -> None:
    """Make items the newest of those that are held; where there is no room, the oldest go.

    ``held``: [number, keys, the oldest first, room]. A key is a row and, in 7 bits, which of its owners.
    """
    room = held.shape[0] - 1
    for i in range(items.shape[0]):
        row = items[i]
        key = ((items_meta[row, _GENERATION] & 0x7F) << 24) | row
        n = held[0]
        place = n
        while place > 0 and held[place] != key:
            place -= 1
        if place == 0:
            if n < room:
                held[0] = n + 1
                held[n + 1] = key
                continue
            place = 1
        for later in range(place, n):
            held[later] = held[later + 1]
        held[n] = key


class Seen:
    """Items by person. Memory grows with what there is, up to ``most`` of each.

    Parameters
    ----------
    most
        Items of each, at most.
    """

    def __init__(self, most: int, items_meta: LongTable) -> None:
        self._most = most
        self._meta = items_meta
        self._of: list[Ints | None] = []
        """By row of people; as long as there were people."""

    def add(self, person: int, items: Ints) -> None:
        """Somebody has seen items (rows, each once)."""
        if not self._most or not len(items):
            return
        held = self._of[person]
        n, room = (0, 0) if held is None else (int(held[0]), len(held) - 1)
        if n + len(items) > room and room < self._most:
            grown: Ints = np.zeros(1 + min(max(2 * room, n + len(items), _FEW), self._most), np.int32)
            if held is not None:
                grown[: n + 1] = held[: n + 1]
            held = self._of[person] = grown
        assert held is not None
        remember(held, items, self._meta)

    def of(self, person: int) -> Ints:
        """Keys of what somebody has seen, the oldest first; not to be changed."""
        held = self._of[person]
        return _NOTHING if held is None else held[1 : held[0] + 1]

    def begin(self, person: int) -> None:
        """A row has got a new owner; rows come one after another."""
        if person == len(self._of):
            self._of.append(None)
        else:
            self._of[person] = None

    def save(self, n: int) -> list[bytes]:
        """Of the first ``n`` people: how many each has, and all of them."""
        held = [self.of(person) for person in range(n)]
        counts: Ints = np.array([len(keys) for keys in held], np.int32)
        return [as_bytes(counts), as_bytes(np.concatenate([_NOTHING, *held]))]

    def load(self, saved: list[bytes]) -> None:
        """The inverse of `save`."""
        keys = np.frombuffer(saved[1], "<i4")
        end = 0
        self._of = [None] * (len(saved[0]) // 4)
        for person, n in enumerate(np.frombuffer(saved[0], "<i4").tolist()):
            start, end = end, end + n
            if n:
                held: Ints = np.zeros(1 + max(n, min(_FEW, self._most)), np.int32)
                held[0] = n
                held[1 : n + 1] = keys[start:end]
                self._of[person] = held

    @property
    def bytes_each(self) -> float:
        """That a person takes at most."""
        return 8.0 + (sys.getsizeof(_NOTHING) + 4.0 * (1 + self._most) if self._most else 0.0)


_NOTHING: Ints = np.zeros(0, np.int32)
