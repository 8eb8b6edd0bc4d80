"""One list from those of all sources, so that at every length each source has about its share."""

from __future__ import annotations

import numpy as np

from eddyline_features.kernel import Floats, Ints, IntTable, Octets, kernel


@kernel
def merge(lists: IntTable, sizes: Ints, shares: Floats, blocked: Octets, rows: Ints, source: Octets) -> int:
    """Take from the sources in turn until ``rows`` is full or they have no more; gives how many were taken.

    The turn is that of the source which would have the least for its share; of equal ones, the first. What one has
    taken is ``blocked`` for the others. A source without a share is not asked.
    """
    n_sources = lists.shape[0]
    places = np.zeros(n_sources, np.int64)
    given = np.zeros(n_sources, np.int64)
    n = 0
    while n < rows.shape[0]:
        turn = -1
        least = 0.0
        for s in range(n_sources):
            if shares[s] > 0.0 and places[s] < sizes[s]:
                has = (given[s] + 1) / shares[s]
                if turn < 0 or has < least:
                    turn = s
                    least = has
        if turn < 0:
            break
        row = lists[turn, places[turn]]
        places[turn] += 1
        if blocked[row] == 0:
            blocked[row] = 1
            rows[n] = row
            source[n] = turn
            given[turn] += 1
            n += 1
    return n


@kernel
def interleave(lists: IntTable, sizes: Ints, room: int, out: Ints) -> int:
    """One list of several of the same source, by turns; what stands in more of them may be there more than once."""
    n = 0
    for place in range(lists.shape[1]):
        for which in range(lists.shape[0]):
            if place < sizes[which] and n < room:
                out[n] = lists[which, place]
                n += 1
    return n
