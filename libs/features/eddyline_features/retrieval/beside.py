"""Co-visitation: what was acted on by those who acted on the person's newest items too."""

from __future__ import annotations

import numpy as np

from eddyline_features.entities import Items, People
from eddyline_features.kernel import Floats, FloatTable, Ints, Longs, LongTable, Octets, kernel
from eddyline_features.neighbours import Neighbours, meet_recent
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
    """Neighbours of items, as the kind ``co_interaction`` keeps them, and what goes with a person's newest.

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
        self._items, self._people = items, people
        self._amounts, self._n_acted = amounts, n_acted
        self._lists = Neighbours(items.limit, NEIGHBOURS)
        self._recent: Ints = np.zeros(RECENT, np.int32)
        self._scores = zeros
        self._touched: Ints = np.zeros(min(items.limit, RECENT * NEIGHBOURS), np.int32)
        self._meet = meet_recent.bind(
            rings=people.rings,
            n_acted=n_acted,
            last=RECENT,
            within=_EVER,
            items_meta=items.meta,
            amounts=amounts,
            **self._lists.arrays(),
            overall=self._lists.overall,
        )

    def add(self, at: int, row: int, amount: float, now: float, person: int) -> None:
        """Somebody acted on an item; ``now``: what a pair adds at this time, before its amount."""
        self._meet(at, row, amount, now, person)

    def begin(self, row: int) -> None:
        """A row has got a new item."""
        self._lists.begin(row)

    def rescale(self, by: float) -> None:
        """Landmarks have moved."""
        self._lists.rescale(by)

    def recent(self, person: int) -> Ints:
        """Rows of the different items that somebody acted on lately, the newest first; to be used at once."""
        ring = self._people.rings[person]
        n = recent_items(ring, self._n_acted, self._items.meta, self._amounts, self._recent)
        return self._recent[:n]

    def best(self, recent: Ints, blocked: Octets, most: int, scores: Floats, rows: Ints) -> int:
        """Fill ``rows`` with what goes best with recent items, the best first; gives how many there are.

        At most ``most``; ``scores`` and ``rows`` have room for twice as many.
        """
        lists = self._lists
        n = gather(
            recent,
            FADE,
            self._items.meta,
            lists.slots,
            lists.keys,
            lists.weights,
            lists.units,
            lists.totals,
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
            keys, parts = self._lists.shares_of(item)
            if not len(keys):
                continue
            for key, part in zip(keys.tolist(), parts.tolist(), strict=True):
                column = columns.get(key & 0xFFFFFF, -1)
                if column >= 0 and generations[column] == key >> 24:
                    shares[r, column] = counts * part
            counts *= FADE
        return shares

    def save(self) -> list[bytes]:
        """Of the items in use."""
        return self._lists.save(len(self._items))

    def load(self, saved: list[bytes]) -> None:
        """The inverse of `save`."""
        self._lists.load(saved, len(self._items))

    @property
    def bytes_each(self) -> float:
        """That an item takes which was acted on beside others."""
        return self._lists.bytes_each
