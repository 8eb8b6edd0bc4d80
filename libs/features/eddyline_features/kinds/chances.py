"""Random: numbers in [0, 1) from the feature, the person, the item and the moment, and from nothing else.

So a replay draws what was drawn live, in every process, without any state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features.declarations.chance import Random
from eddyline_features.identities import identity
from eddyline_features.kernel import FloatTable, Ints, Longs, kernel
from eddyline_features.kinds.kind import Kind
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

_LOW = 0xFFFFFFFF


@kernel
def mixed(h: int, more: int) -> int:
    """A hash of 32 bits and 64 more: each bit of both moves about half of the bits that come out.

    The multipliers are below 2^31, so that nothing leaves int64 and plain Python gives the same bits. (Shifts and
    multipliers: C. Wellons, "Prospecting for hash functions".)
    """
    for part in (more & _LOW, (more >> 32) & _LOW):
        h = h ^ part
        h = h ^ (h >> 16)
        h = (h * 0x21F0AAAD) & _LOW
        h = h ^ (h >> 15)
        h = (h * 0x735A2D97) & _LOW
        h = h ^ (h >> 15)
    return h


@kernel
def chances(out: FloatTable, who: int, at: int, items: Longs, columns: Ints, seeds: Longs) -> None:
    """Draw for each feature (its column and seed) and item (its identity)."""
    for p in range(columns.shape[0]):
        drawn = mixed(mixed(mixed(0, seeds[p]), who), at)
        for i in range(items.shape[0]):
            # 24 bits, which float32 holds exactly: 32 could be rounded up to 1.
            out[i, columns[p]] = (mixed(drawn, items[i]) >> 8) / 16777216.0


class Chances(Kind):
    """Columns that are random."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Random]]) -> None:
        self._columns = np.array([column for column, _ in features], np.int32)
        self._seeds = np.array([identity(feature.name) for _, feature in features], np.int64)

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        known = reading.items.identities
        items: Longs = known[reading.rows]
        for i in np.flatnonzero(reading.rows < 0).tolist():
            items[i] = identity(reading.ids[i])
        who = 0 if reading.who is None else identity(reading.who)
        chances(out, who, reading.at, items, self._columns, self._seeds)
