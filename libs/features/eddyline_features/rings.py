"""What a user or session acted on and was shown lately: two rings of item rows, from which reads compute affinities.

A person's ring row is int64: ``[n acted, n shown, (key, at) × acted, (key, at) × shown]``, where
``key = generation << 32 | item row << 8 | mark`` and -1 is empty. The generation tells an item from one that had its
row before. The mark of an acted entry is the action; of a shown one, whether it was acted on.
"""

from __future__ import annotations

import numpy as np

from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.kernel import Ints, LongTable

HEAD = 2
"""Places before the first ring."""

GENERATION = 2
"""Column of an item's ``meta``: how many items had its row before."""

_LAST_SEEN = 0


def width(acted: int, shown: int) -> int:
    """Places of a ring row."""
    return HEAD + 2 * (acted + shown)


@bound_kernel("at", "row", "items")
def push_shown(
    at: int,
    rings: LongTable,
    meta: LongTable,
    row: int,
    n_acted: int,
    n_shown: int,
    items: Ints,
    items_meta: LongTable,
    marks: Ints,
) -> None:
    """Append the items of a slate, at most as many as the ring holds, the top ones first.

    A slate may reach the log after the interactions with it: items acted on since it was shown are marked at once.
    ``marks``, shape (actions,): 1 where an action means that the item was taken, 0 where it says no.
    """
    if meta[row, _LAST_SEEN] < at:
        meta[row, _LAST_SEEN] = at
    start = HEAD + 2 * n_acted
    for i in range(min(items.shape[0], n_shown)):
        item = np.int64(items[i])  # uncompiled, a shifted int32 stays one
        identity = (items_meta[item, GENERATION] << 24) | item
        mark = 0
        for j in range(n_acted):
            if rings[row, HEAD + 2 * j] >= 0 and rings[row, HEAD + 2 * j] >> 8 == identity:
                mark |= marks[rings[row, HEAD + 2 * j] & 0xFF] & (rings[row, HEAD + 2 * j + 1] >= at)
        place = start + 2 * (rings[row, 1] % n_shown)
        rings[row, place] = (identity << 8) | mark
        rings[row, place + 1] = at
        rings[row, 1] += 1


@bound_kernel("at", "row", "item", "action")
def push_acted(
    at: int,
    rings: LongTable,
    meta: LongTable,
    row: int,
    n_acted: int,
    n_shown: int,
    item: int,
    action: int,
    items_meta: LongTable,
    marks: Ints,
) -> None:
    """Append an interaction, and mark the item's impressions as acted on; an action of -1 leaves no trace but time.

    ``marks`` as for `push_shown`: what was refused was not taken, so its impressions stay passed by.
    """
    if meta[row, _LAST_SEEN] < at:
        meta[row, _LAST_SEEN] = at
    if action < 0:
        return
    identity = (items_meta[item, GENERATION] << 24) | item
    place = HEAD + 2 * (rings[row, 0] % n_acted)
    rings[row, place] = (identity << 8) | action
    rings[row, place + 1] = at
    rings[row, 0] += 1
    if marks[action] == 0:
        return
    for i in range(n_shown):
        place = HEAD + 2 * (n_acted + i)
        if rings[row, place] >= 0 and rings[row, place] >> 8 == identity:
            rings[row, place] |= 1
