"""Co-visitation: what was acted on by those who acted on the person's newest items too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.entities import Items, People
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, Octets, kernel
from eddyline_features.kinds.co_interaction import meet_recent
from eddyline_features.reserving import reserved
from eddyline_features.retrieval.selecting import best_of_some
from eddyline_features.retrieval.together import gather

NEIGHBOURS = 32
"""Kept of each item, at most."""
RECENT = 20
"""Newest different items of a person that say what goes with them."""
FADE = 0.8
"""What each further one counts, relative to the one after it."""
_EVER = 1 << 62

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2


@kernel
def recent_items(ring: Longs, n_acted: int, items_meta: LongTable, amounts: Floats, out: Ints) -> int:
    """Rows of the different items that a person acted on lately, the newest first; gives how many.

    Only those of actions that count for something by ``amounts``, by action.
    """
    n = 0
    for back in range(min(ring[0], n_acted)):
        if n == out.shape[0]:
            break
        key = ring[_HEAD + 2 * ((ring[0] - 1 - back) % n_acted)]
        item = (key >> 8) & 0xFFFFFF
        if key < 0 or items_meta[item, _GENERATION] != key >> 32 or amounts[key & 0xFF] <= 0.0:
            continue
        known = False
        for newer in range(n):
            known |= out[newer] == item
        if not known:
            out[n] = item
            n += 1
    return n


class Beside:
    """Neighbours of items, bounded and decaying: sketches of heavy hitters, as those of ``co_interaction``.

    Parameters
    ----------
    amounts
        By action: what it counts; 0 is nothing.
    n_acted
        Entries of a person's ring of acts.
    zeros
        Shape (items,): zero whenever it is not in use.
    """

    def __init__(self, items: Items, people: People, amounts: Floats, n_acted: int, zeros: Floats) -> None:
        limit = items.limit
        self._items, self._people = items, people
        self._amounts, self._n_acted = amounts, n_acted
        self._neighbours: IntTable = reserved((limit, NEIGHBOURS), np.int32)
        self._weights: FloatTable = reserved((limit, NEIGHBOURS))
        self._totals: FloatTable = reserved((limit, 1))
        self._overall: Floats = np.zeros(1)
        self._recent: Ints = np.zeros(RECENT, np.int32)
        self._scores = zeros
        self._touched: Ints = reserved(limit, np.int32)
        self._meet = meet_recent.bind(
            rings=people.rings,
            n_acted=n_acted,
            last=RECENT,
            within=_EVER,
            items_meta=items.meta,
            amounts=amounts,
            neighbours=self._neighbours,
            weights=self._weights,
            totals=self._totals,
            overall=self._overall,
        )

    def add(self, at: int, row: int, amount: float, now: float, person: int) -> None:
        """Somebody acted on an item; ``now``: what a pair adds at this time, before its amount."""
        self._meet(at, row, amount, now, person)

    def begin(self, row: int) -> None:
        """A row has got a new item."""
        self._neighbours[row] = -1
        self._totals[row] = 0.0

    def rescale(self, by: float) -> None:
        """Landmarks have moved."""
        n = len(self._items)
        for array in (self._weights[:n], self._totals[:n], self._overall):
            array *= by

    def recent(self, person: int) -> Ints:
        """Rows of the different items that somebody acted on lately, the newest first; to be used at once."""
        ring = self._people.rings[person]
        n = recent_items(ring, self._n_acted, self._items.meta, self._amounts, self._recent)
        return self._recent[:n]

    def best(self, recent: Ints, blocked: Octets, most: int, scores: Floats, rows: Ints) -> int:
        """Fill ``rows`` with what goes best with recent items, the best first; gives how many there are.

        At most ``most``; ``scores`` and ``rows`` have room for twice as many.
        """
        n = gather(
            recent,
            FADE,
            self._items.meta,
            self._neighbours,
            self._weights,
            self._totals,
            self._scores,
            self._touched,
        )
        found = best_of_some(self._touched, n, self._scores, 0.0, blocked, most, scores, rows)
        self._scores[self._touched[:n]] = 0.0
        return found

    def shares(self, recent: Ints, rows: Ints) -> FloatTable:
        """What each of R recent items adds to the score of N different items in `best`: shape (R, N)."""
        shares: FloatTable = np.zeros((len(recent), len(rows)))
        columns = {row: column for column, row in enumerate(rows.tolist())}
        generations = (self._items.meta[rows, _GENERATION] & 0x7F).tolist()
        counts = 1.0
        for r, item in enumerate(recent.tolist()):
            total = float(self._totals[item, 0])
            if total <= 0.0:
                continue
            for key, weight in zip(
                self._neighbours[item].tolist(), self._weights[item].tolist(), strict=True
            ):
                if key < 0:
                    break
                column = columns.get(key & 0xFFFFFF, -1)
                if column >= 0 and generations[column] == key >> 24:
                    shares[r, column] = max(0.0, counts * (weight / total))
            counts *= FADE
        return shares

    def save(self) -> list[bytes]:
        """Places that are empty hold what was there before: they are saved as 0."""
        n = len(self._items)
        weights = np.where(self._neighbours[:n] < 0, 0.0, self._weights[:n])
        return [as_bytes(a) for a in (self._neighbours[:n], weights, self._totals[:n], self._overall)]

    def load(self, saved: list[bytes]) -> None:
        """The inverse of `save`."""
        n = len(self._items)
        arrays: tuple[NDArray[Any], ...] = (
            self._neighbours[:n],
            self._weights[:n],
            self._totals[:n],
            self._overall,
        )
        for array, raw in zip(arrays, saved, strict=True):
            fill(array, raw)

    @property
    def bytes_each(self) -> float:
        """That an item takes, scratch included."""
        return 12.0 * NEIGHBOURS + 8.0 + 4.0
