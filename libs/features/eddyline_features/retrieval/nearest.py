"""An index of the online model's item vectors, for catalogues of which a pass over all takes too long.

It is no part of the state: what it answers depends on when it was brought up to date, so only who serves keeps one, and
the slate that is logged records its candidates. Items of which nothing was learnt are not in it: their vectors are what
chance made them, and so many of these, all alike, would hide the others from the search. What it finds are rows; their
scores are computed from the state as it is.

Two graphs (HNSW: Malkov and Yashunin, IEEE TPAMI 2020; those of ``usearch``) are asked, since each misses what the
other finds. One is by the product itself: its long vectors are neighbours of everything, and nothing leads to short
ones (Liu et al., "Understanding and Improving Proximity Graph based Maximum Inner Product Search", AAAI 2020). The
other is by the angle between vectors that are lifted onto a sphere, where the nearest has the largest product (Bachrach
et al., "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product Spaces", RecSys
2014): neighbours are alike there, and the few vectors that are longer than its radius are out of the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from eddyline_features.entities import GENERATION, Items
from eddyline_features.kernel import Floats, Ints, Octets, Singles, SingleTable
from eddyline_features.retrieval.selecting import best_of_all

if TYPE_CHECKING:
    from usearch.index import Index

_CONNECTIVITY, _EFFORT = 16, 128
"""Of the graphs: neighbours of a node, and how many are looked at for a new one."""
_OVER, _MORE = 2, 100
"""Asked of each graph, for each one that is wanted, and beside: some may not be shown, and few are found less well."""
_MOVED = 0.05
"""A vector is put in anew once it has moved by this share of its length."""
_LOOKED_AT = 256
"""Rows compared at a time."""
_SAMPLED, _LONG = 16_384, 0.99
"""Rows that say how large the sphere is to be: at most so many, and this quantile of their lengths."""
_RATHER = 1.5
"""The sphere changes, and with it every vector's place, once it is by this factor too small or too large."""


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
        self._items, self._weights = items, weights
        self._by_product, self._by_angle = _graph("ip", dims), _graph("cos", dims + 1)
        self._held: SingleTable = np.zeros((items.limit, dims), np.float32)
        """As it is in the graphs."""
        self._owners: NDArray[np.int64] = np.full(items.limit, -1, np.int64)
        """Generation of the item whose vector that is; -1 is none."""
        self._radius = 0.0
        """Of the sphere."""
        self._radii: Singles = np.zeros(items.limit, np.float32)
        """Of the sphere onto which each vector was lifted."""
        self._next = 0
        self._put_in = 0
        self.rounds = 0
        """How often it has been through all rows."""
        self.behind = 0
        """Vectors that the newest whole round had to put in: new ones, and such as had moved."""

    def __len__(self) -> int:
        return len(self._by_product)

    @property
    def to_look_at(self) -> int:
        """Rows that the round under way has yet to come to."""
        return max(0, len(self._items) - self._next)

    def step(self, most: int) -> int:
        """Look at the next rows and put at most ``most`` vectors in anew; gives how many. Call it again and again."""
        n_items = len(self._items)
        if self._next >= n_items:
            self._next = self._put_in = 0
        if self._next == 0:
            self._measure(n_items)
        end = min(self._next + _LOOKED_AT, n_items)
        rows: Ints = np.arange(self._next, end, dtype=np.int32)
        owners, held = self._items.meta[rows, GENERATION], self._owners[rows]
        learnt = self._weights.are_learnt(rows) == 1
        now: SingleTable = np.zeros((len(rows), self._held.shape[1]), np.float32)
        now[learnt] = self._weights.item_weights(rows[learnt])
        moved = now - self._held[rows]
        squares = (now * now).sum(axis=1)
        far = (moved * moved).sum(axis=1) > _MOVED * _MOVED * squares
        far |= (owners != held) | (self._radii[rows] != np.float32(self._radius))
        # Who has got a row of which nothing is learnt yet leaves no vector of its former owner behind.
        due = np.flatnonzero(np.where(learnt, far, (held >= 0) & (owners != held)))
        if len(due) > most:
            due = due[:most]
            end = int(rows[due[-1]]) + 1
        up = np.sqrt(np.maximum(self._radius**2 - squares, 0.0))
        for place in due.tolist():
            row = int(rows[place])
            if held[place] >= 0:
                self._by_product.remove(row)
                self._by_angle.remove(row)
                self._owners[row] = -1
            if learnt[place]:
                self._by_product.add(row, now[place], threads=1)
                self._by_angle.add(row, np.append(now[place], up[place]), threads=1)
                self._held[row], self._owners[row], self._radii[row] = now[place], owners[place], self._radius
        self._next = end
        self._put_in += len(due)
        if end == n_items:
            self.rounds += 1
            self.behind = self._put_in
        return len(due)

    def _measure(self, n_items: int) -> None:
        """How large the sphere is to be."""
        rows: Ints = np.arange(0, n_items, max(1, n_items // _SAMPLED), dtype=np.int32)
        now = self._weights.item_weights(rows[self._weights.are_learnt(rows) == 1])
        if len(now):
            radius = float(np.quantile(np.sqrt((now * now).sum(axis=1)), _LONG))
            if not self._radius / _RATHER <= radius <= self._radius * _RATHER:
                self._radius = radius

    def best(self, x: Floats, blocked: Octets, most: int, scores: Floats, rows: Ints) -> int | None:
        """Fill ``rows`` with the items that score best for a person, the best first; gives how many there are.

        None where the index cannot say: it is not ready, or too few of what it finds may be shown. ``scores`` and
        ``rows`` have room for twice ``most``.
        """
        if not self.rounds or not most:
            return None
        held = len(self)
        asked = min(_OVER * most + _MORE, held)
        if not asked:
            return 0
        wanted = np.append(x, (1.0, 0.0)).astype(np.float32)
        found: Ints = np.union1d(
            self._by_product.search(wanted[:-1], asked, threads=1).keys,
            self._by_angle.search(wanted, asked, threads=1).keys,
        ).astype(np.int32)
        # What was forgotten since has a row that is another's.
        mine = self._items.meta[found, GENERATION] == self._owners[found]
        found = found[mine & (blocked[found] == 0)]
        if len(found) < most and asked < held:
            return None
        told: Floats = self._weights.item_weights(found).astype(np.float64) @ np.append(x, 1.0)
        n = best_of_all(len(found), told, -np.inf, np.zeros(len(found), np.uint8), most, scores, rows)
        rows[:n] = found[rows[:n]]
        return n


def _graph(metric: str, dims: int) -> Index:
    # Only who keeps an index loads the library.
    from usearch.index import Index

    return Index(
        ndim=dims,
        metric=metric,
        dtype="f32",
        connectivity=_CONNECTIVITY,
        expansion_add=_EFFORT,
        expansion_search=_EFFORT,
    )
