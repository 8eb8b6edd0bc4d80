"""Content neighbours: items that say about what those do that a person acted on lately, or what the person asks for."""

from __future__ import annotations

import numpy as np

from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.entities import Items
from eddyline_features.item_vectors import ItemVectors
from eddyline_features.kernel import Floats, FloatTable, Ints, Longs, LongTable, Octets, SingleTable
from eddyline_features.retrieval.selecting import best_of_all, best_of_some
from eddyline_features.retrieval.sketches import (
    WORDS,
    agreement,
    cosines,
    mean_of_items,
    shorten,
    sketch,
)

FADE = 0.8
"""What each further item of a person counts, relative to the one after it."""
LOOKED_AT = 600
"""Vectors that are compared as they are, at least: those whose sketches agree best."""
MOST_DIMS = 128
"""Of vectors that are given away: longer ones are shortened, or a thousand of them would be too much for an answer."""
_NOTHING = -1e9


class Alike:
    """Finds items by the vectors of their texts.

    Parameters
    ----------
    zeros
        Shape (items,): zero whenever it is not in use.
    scratch
        Shape (items,), whatever it holds.
    """

    def __init__(self, items: Items, content: ItemVectors, zeros: Floats, scratch: Floats) -> None:
        self._items, self._content = items, content
        self._sketches: LongTable = np.zeros((items.limit, WORDS), np.int64)
        self._own: Longs = np.zeros(WORDS, np.int64)
        self._numbers: Floats = np.zeros(0)
        self._agreement, self._scores = scratch, zeros

    def embedded(self, row: int) -> None:
        """An item may have another vector now."""
        content = self._content
        if content.has[row]:
            sketch(content.vectors[row].astype(np.float64), self._scratch(), self._sketches[row])

    def mean_of(self, rows: Ints) -> Floats | None:
        """What items say together, the first most, as a vector of length 1; None where nothing is known of any."""
        content = self._content
        mean: Floats = np.zeros(content.dims)
        known = content.dims > 0 and mean_of_items(rows, FADE, content.vectors, content.has, mean)
        return mean if known else None

    def best(self, wanted: Floats, blocked: Octets, most: int, scores: Floats, rows: Ints) -> int:
        """Fill ``rows`` with the items nearest to a vector of length 1, the best first; gives how many there are.

        At most ``most``; ``scores`` and ``rows`` have room for twice as many.
        """
        content, n_items = self._content, len(self._items)
        sketch(wanted, self._scratch(), self._own)
        agreement(n_items, self._sketches, self._own, content.has, blocked, self._agreement)
        n = max(LOOKED_AT, 2 * most)
        near: Ints = np.zeros(2 * n, np.int32)
        n_near = best_of_all(n_items, self._agreement, _NOTHING, blocked, n, np.zeros(2 * n), near)
        cosines(near, n_near, content.vectors, wanted, self._scores)
        # What is at a right angle, or beyond, has nothing to do with it.
        found = best_of_some(near, n_near, self._scores, 0.0, blocked, most, scores, rows)
        self._scores[near[:n_near]] = 0.0
        return found

    def cosines(self, recent: Ints, rows: Ints) -> FloatTable:
        """How alike R recent items and N others are, shape (R, N); 0 where one has no vector, or both are the same."""
        content = self._content
        found: FloatTable = np.einsum(
            "rd,nd->rn", content.vectors[recent], content.vectors[rows], dtype=np.float64
        )
        found[(content.has[recent] == 0)[:, None] | (content.has[rows] == 0) | (recent[:, None] == rows)] = (
            0.0
        )
        return found

    def vectors_of(self, rows: Ints) -> SingleTable:
        """Vectors of items, shape (N, D), D at most `MOST_DIMS`; each of length 1, or 0 where there is none."""
        content = self._content
        if content.dims <= MOST_DIMS:
            found: SingleTable = content.vectors[rows]
            found[content.has[rows] == 0] = 0.0
            return found
        out: SingleTable = np.zeros((len(rows), MOST_DIMS), np.float32)
        shorten(rows, content.vectors, content.has, self._scratch(), out)
        return out

    def _scratch(self) -> Floats:
        room = 1 << max(self._content.dims - 1, 0).bit_length()
        if len(self._numbers) != room:
            self._numbers = np.zeros(room)
        return self._numbers

    def save(self) -> list[bytes]:
        """Of the items that have a vector; others hold what was there before: they are saved as 0."""
        n = len(self._items)
        return [as_bytes(np.where(self._content.has[:n, None] == 0, 0, self._sketches[:n]))]

    def load(self, saved: list[bytes]) -> None:
        """The inverse of `save`."""
        fill(self._sketches[: len(self._items)], saved[0])

    @property
    def bytes_each(self) -> float:
        """That an item takes."""
        return 8.0 * WORDS
