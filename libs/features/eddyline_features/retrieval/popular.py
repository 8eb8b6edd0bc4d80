"""Recent popularity under several half-lives, and the most popular items of each, kept in order as events arrive.

Counters decay by forward decay (see ``decay``), so items change places only when one of them is acted on: an item that
rises passes its neighbours one by one, and nothing is ever sorted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features import decay
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, kernel


@kernel
def rise(row: int, adds: Floats, values: FloatTable, tops: IntTable, places: IntTable, n: Ints) -> None:
    """Add to an item's counters and move it up; ``values`` and ``places``: shape (half-lives, items)."""
    room = tops.shape[1]
    for h in range(values.shape[0]):
        values[h, row] += adds[h]
        value = values[h, row]
        place = places[h, row]
        if place < 0:
            if n[h] < room:
                place = n[h]
                n[h] += 1
            else:
                last = tops[h, room - 1]
                if value <= values[h, last]:
                    continue
                places[h, last] = -1
                place = room - 1
        while place > 0 and values[h, tops[h, place - 1]] < value:
            above = tops[h, place - 1]
            tops[h, place] = above
            places[h, above] = place
            place -= 1
        tops[h, place] = row
        places[h, row] = place


@kernel
def leave(row: int, values: FloatTable, tops: IntTable, places: IntTable, n: Ints) -> None:
    """A row gets a new item: it has no counters, and those behind it move up."""
    for h in range(values.shape[0]):
        values[h, row] = 0.0
        place = places[h, row]
        if place < 0:
            continue
        for behind in range(place + 1, n[h]):
            moved = tops[h, behind]
            tops[h, behind - 1] = moved
            places[h, moved] = behind - 1
        n[h] -= 1
        places[h, row] = -1


class Popular:
    """Decayed numbers of actions.

    Parameters
    ----------
    half_lives_ms
        H of them.
    limit
        Rows of items.
    top
        How many of the most popular are kept in order, for each half-life. They are exact until a row among them gets
        a new item: then one is missing until the next one rises.
    """

    def __init__(self, half_lives_ms: Sequence[int], limit: int, top: int) -> None:
        n = len(half_lives_ms)
        self.half_lives: Longs = np.array(half_lives_ms, np.int64)
        self.values: FloatTable = np.zeros((n, limit))
        """Comparable within a half-life only; shape (H, items)."""
        self.tops: IntTable = np.zeros((n, min(top, limit)), np.int32)
        self.n: Ints = np.zeros(n, np.int32)
        """How many of ``tops`` there are, shape (H,)."""
        self._places: IntTable = np.full((n, limit), -1, np.int32)
        self.landmarks: Longs = np.zeros(n, np.int64)
        """See ``decay``; shape (H,)."""
        self._adds: Floats = np.zeros(n)
        told = {"half_lives": self.half_lives, "landmarks": self.landmarks}
        self._needs_move = decay.needs_move.bind(**told)
        self._weigh = decay.weights.bind(**told, out=self._adds)

    def add(self, row: int, at: int) -> None:
        """An action on an item, at ms since the Unix epoch."""
        if self._needs_move(at):
            shrink: Floats = np.ones(len(self.half_lives))
            decay.move_landmarks(at, self.half_lives, self.landmarks, shrink)
            self.values *= shrink[:, None]
        self._weigh(at)
        rise(row, self._adds, self.values, self.tops, self._places, self.n)

    def begin(self, row: int) -> None:
        """A row has got a new item."""
        leave(row, self.values, self.tops, self._places, self.n)
