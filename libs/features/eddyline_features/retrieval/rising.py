"""Recent popularity: decayed sums of what people did with each item, by several half-lives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.entities import Items
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, Octets
from eddyline_features.reserving import reserved
from eddyline_features.retrieval.merging import interleave
from eddyline_features.retrieval.selecting import best_of_all


@bound_kernel("row", "amount")
def rise(row: int, amount: float, of_state: Ints, adds: Floats, values: FloatTable) -> None:
    """Add to an item's counters; ``values``: shape (half-lives, items)."""
    for h in range(values.shape[0]):
        values[h, row] += amount * adds[of_state[h]]


class Rising:
    """Popular items by each half-life.

    Parameters
    ----------
    half_lives
        Which of the state's they are, H of them.
    adds
        By half-life of the state: what an event adds to a counter at its time; written before `add` is called.
    """

    def __init__(
        self, items: Items, half_lives: Sequence[int], of_state: Longs, landmarks: Longs, adds: Floats
    ) -> None:
        self._items, self._of_state = items, list(half_lives)
        self._all_landmarks = landmarks
        self.half_lives: Longs = of_state[self._of_state]
        """In ms, shape (H,)."""
        self.values: FloatTable = reserved((len(self._of_state), items.limit))
        """Comparable within a half-life: each decays alike; shape (H, items), those in use first."""
        self._add = rise.bind(of_state=np.array(self._of_state, np.int32), adds=adds, values=self.values)

    @property
    def landmarks(self) -> Longs:
        """See ``decay``; shape (H,)."""
        landmarks: Longs = self._all_landmarks[self._of_state]
        return landmarks

    def add(self, row: int, amount: float) -> None:
        """An action on an item, at the time for which ``adds`` holds."""
        self._add(row, amount)

    def begin(self, row: int) -> None:
        """A row has got a new item."""
        self.values[:, row] = 0.0

    def rescale(self, shrink: Floats) -> None:
        """Landmarks have moved."""
        for h, index in enumerate(self._of_state):
            if shrink[index] != 1.0:
                self.values[h, : len(self._items)] *= shrink[index]

    def best(self, blocked: Octets, n: int, out: Ints) -> int:
        """Fill ``out``: the best by each half-life in turn, at most ``n`` of each; gives how many there are."""
        lists: IntTable = np.zeros((len(self.values), 2 * n), np.int32)
        sizes: Ints = np.zeros(len(self.values), np.int32)
        scores: Floats = np.zeros(2 * n)
        for h, values in enumerate(self.values):
            sizes[h] = best_of_all(len(self._items), values, 0.0, blocked, n, scores, lists[h])
        return interleave(lists, sizes, len(out), out)

    def save(self) -> list[bytes]:
        """Of the items in use."""
        return [as_bytes(self.values[:, : len(self._items)])]

    def load(self, saved: list[bytes]) -> None:
        """The inverse of `save`."""
        fill(self.values[:, : len(self._items)], saved[0])

    @property
    def bytes_each(self) -> float:
        """That an item takes."""
        return 8.0 * len(self.values)
