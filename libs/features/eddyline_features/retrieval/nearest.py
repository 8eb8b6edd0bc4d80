"""An index of the online model's item vectors, for catalogues of which a pass over all takes too long.

It is no part of the state: what it answers depends on when it was brought up to date, so only who serves keeps one, and
the slate that is logged records its candidates. Items of which nothing was learnt are not in it: their vectors are what
chance made them, and so many of these, all alike, would hide the others from the search. The graph (HNSW: Malkov and
Yashunin, IEEE TPAMI 2020) is that of ``usearch``; it finds rows, and their scores are computed from the state as it is.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eddyline_features.entities import GENERATION, Items
from eddyline_features.kernel import Floats, Ints, Octets, SingleTable
from eddyline_features.retrieval.selecting import best_of_all

_CONNECTIVITY, _EFFORT = 32, 128
"""Of the graph: neighbours of a node, and how many are looked at for a new one. With 16, recall is 0.90 to 0.94."""
_OVER = 3
"""Asked for, for each one that is wanted: some may not be shown."""
_MOVED = 0.05
"""A vector is put in anew once it has moved by this share of its length."""
_LOOKED_AT = 256
"""Rows compared at a time."""


class Weights(Protocol):
    """What gives the vectors."""

    def are_learnt(self, rows: Ints) -> Octets:
        """Shape (N,): 1 where anything was learnt, so that there is a vector to look for."""

    def item_weights(self, rows: Ints) -> SingleTable:
        """Shape (N, D): a score is the product with a person's vector and a 1 behind it."""


class Nearest:
    """Follows the state in steps of bounded length, and answers once it has been through all rows.

    Parameters
    ----------
    dims
        D, the bias included.
    """

    def __init__(self, items: Items, weights: Weights, dims: int) -> None:
        # Only who keeps an index loads the library.
        from usearch.index import Index

        self._items, self._weights = items, weights
        self._index = Index(
            ndim=dims,
            metric="ip",
            dtype="f32",
            connectivity=_CONNECTIVITY,
            expansion_add=_EFFORT,
            expansion_search=_EFFORT,
        )
        self._held: SingleTable = np.zeros((items.limit, dims), np.float32)
        """As it is in the index."""
        self._owners: NDArray[np.int64] = np.full(items.limit, -1, np.int64)
        """Generation of the item whose vector that is; -1 is none."""
        self._next = 0
        self._put_in = 0
        self.rounds = 0
        """How often it has been through all rows."""
        self.behind = 0
        """Vectors that the newest whole round had to put in: new ones, and such as had moved."""

    def __len__(self) -> int:
        return len(self._index)

    @property
    def to_look_at(self) -> int:
        """Rows that the round under way has yet to come to."""
        return max(0, len(self._items) - self._next)

    def step(self, most: int) -> int:
        """Look at the next rows and put at most ``most`` vectors in anew; gives how many. Call it again and again."""
        n_items = len(self._items)
        if self._next >= n_items:
            self._next = self._put_in = 0
        end = min(self._next + _LOOKED_AT, n_items)
        rows: Ints = np.arange(self._next, end, dtype=np.int32)
        owners, held = self._items.meta[rows, GENERATION], self._owners[rows]
        learnt = self._weights.are_learnt(rows) == 1
        now: SingleTable = np.zeros((len(rows), self._held.shape[1]), np.float32)
        now[learnt] = self._weights.item_weights(rows[learnt])
        moved = now - self._held[rows]
        far = (moved * moved).sum(axis=1) > _MOVED * _MOVED * (now * now).sum(axis=1)
        # Who has got a row of which nothing is learnt yet leaves no vector of its former owner behind.
        due = np.flatnonzero(np.where(learnt, far | (owners != held), (held >= 0) & (owners != held)))
        if len(due) > most:
            due = due[:most]
            end = int(rows[due[-1]]) + 1
        for place in due.tolist():
            row = int(rows[place])
            if held[place] >= 0:
                self._index.remove(row)
                self._owners[row] = -1
            if learnt[place]:
                self._index.add(row, now[place], threads=1)
                self._held[row], self._owners[row] = now[place], owners[place]
        self._next = end
        self._put_in += len(due)
        if end == n_items:
            self.rounds += 1
            self.behind = self._put_in
        return len(due)

    def best(self, x: Floats, blocked: Octets, most: int, scores: Floats, rows: Ints) -> int | None:
        """Fill ``rows`` with the items that score best for a person, the best first; gives how many there are.

        None where the index cannot say: it is not ready, or too few of what it finds may be shown. ``scores`` and
        ``rows`` have room for twice ``most``.
        """
        if not self.rounds or not most:
            return None
        wanted, held = np.append(x, 1.0).astype(np.float32), len(self._index)
        asked = min(_OVER * most, held)
        if not asked:
            return 0
        found = self._index.search(wanted, asked, threads=1).keys.astype(np.int32)
        # What was forgotten since has a row that is another's.
        mine = self._items.meta[found, GENERATION] == self._owners[found]
        found = np.sort(found[mine & (blocked[found] == 0)])
        if len(found) < most and asked < held:
            return None
        told: Floats = self._weights.item_weights(found).astype(np.float64) @ np.append(x, 1.0)
        n = best_of_all(len(found), told, -np.inf, np.zeros(len(found), np.uint8), most, scores, rows)
        rows[:n] = found[rows[:n]]
        return n
