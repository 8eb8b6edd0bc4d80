"""What people act on beside an item: lists of neighbours (see ``neighbours``), and what several items have in them."""

from __future__ import annotations

import math

import numpy as np

from eddyline_features import decay
from eddyline_features.kernel import Floats, Ints, IntTable, Longs, LongTable, SingleTable, kernel
from eddyline_features.neighbours import Neighbours, meet_each

_GENERATION = 2
"""As in ``entities``."""


@kernel
def gather(
    recent: Ints,
    fade: float,
    items_meta: LongTable,
    slots: Ints,
    keys: IntTable,
    weights: SingleTable,
    units: Ints,
    totals: Floats,
    scores: Floats,
    touched: Ints,
) -> int:
    """Sum up which share of what was acted on beside each of ``recent`` every neighbour is; the newest first.

    Each further one counts ``fade`` times the one before. ``scores``, shape (items,), is zero before; rows with a score
    are listed in ``touched``, of which the number is returned.
    """
    n = 0
    counts = 1.0
    for r in range(recent.shape[0]):
        item = recent[r]
        if item < 0 or totals[slots[item]] <= 0.0:
            continue
        slot = slots[item]
        unit = math.ldexp(1.0, int(units[slot]))
        for place in range(keys.shape[1]):
            key = keys[slot, place]
            if key < 0:
                break
            other = key & 0xFFFFFF
            if (items_meta[other, _GENERATION] & 0x7F) != key >> 24:
                continue
            share = counts * (np.float64(weights[slot, place]) * unit / totals[slot])
            if share <= 0.0:
                continue
            if scores[other] == 0.0:
                touched[n] = other
                n += 1
            scores[other] += share
        counts *= fade
    return n


class Together:
    """Neighbours of items.

    Parameters
    ----------
    half_life_ms
        How fast a pair is forgotten.
    meta
        Of the items, see ``entities``: its rows are the limit.
    neighbours
        Kept of each item, at most.
    """

    def __init__(self, half_life_ms: int, meta: LongTable, neighbours: int = 64) -> None:
        limit = len(meta)
        self._meta = meta
        self._half_life: Longs = np.array([half_life_ms], np.int64)
        self._landmark: Longs = np.zeros(1, np.int64)
        self._needs_move = decay.needs_move.bind(half_lives=self._half_life, landmarks=self._landmark)
        self._lists = Neighbours(limit, neighbours)
        self._scores: Floats = np.zeros(limit)
        self._touched: Ints = np.zeros(limit, np.int32)

    def add(self, row: int, beside: Ints, at: int) -> None:
        """An item was acted on by somebody who acted on others before; -1 among ``beside`` is nothing."""
        if self._needs_move(at):
            shrink: Floats = np.ones(1)
            decay.move_landmarks(at, self._half_life, self._landmark, shrink)
            self._lists.rescale(float(shrink[0]))
        amount = decay.weight(at, int(self._half_life[0]), int(self._landmark[0]))
        meet_each(row, beside, amount, self._meta, **self._lists.arrays())

    def begin(self, row: int) -> None:
        """A row has got a new item."""
        self._lists.begin(row)

    def around(self, recent: Ints, fade: float) -> tuple[Ints, Floats]:
        """Neighbours of these items, the best first, and the score of each; see `gather`."""
        lists = self._lists
        n = gather(
            recent,
            fade,
            self._meta,
            lists.slots,
            lists.keys,
            lists.weights,
            lists.units,
            lists.totals,
            self._scores,
            self._touched,
        )
        rows = self._touched[:n].copy()
        scores = self._scores[rows]
        self._scores[rows] = 0.0
        order = np.lexsort((rows, -scores))
        return rows[order], scores[order]
