"""Skew: whether what the ranker saw is what the replay gives, to the bit, and in which columns it is not.

One fold serves and trains, so there is none. If there is some all the same, models learn from other numbers than they
are asked with; nothing else would tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eddyline_learning.fold import Vectors
from eddyline_learning.pending import PendingSlate

EQUAL, DIFFERENT, OTHER_VIEW = "equal", "different", "other_view"


@dataclass(frozen=True, slots=True)
class Difference:
    """Between the vectors that were served and those that were replayed."""

    largest: float
    """The largest absolute difference of two values; infinite where only one of them is a number, or the shapes differ.
    0 where nothing but bits differ: zeros of different sign, NaNs that are written differently."""
    columns: dict[str, int]
    """How many values differ, by column; empty where the shapes differ."""


class Skew:
    """Compares slates of one view that carry what was served, and remembers what came of it.

    Attributes
    ----------
    slates
        How many were ``equal`` and ``different``, and how many could not be compared since they are of an
        ``other_view``.
    columns
        Values that differed, by column.
    largest
        The largest absolute difference so far.
    newest
        Id of the newest slate that differed, and how.
    """

    def __init__(self, view: str, columns: Sequence[str]) -> None:
        self.slates: Counter[str] = Counter()
        self.columns: Counter[str] = Counter()
        self.largest = 0.0
        self.newest: tuple[str, Difference] | None = None
        self._view = view
        self._names = columns

    def compare(self, slate: PendingSlate) -> None:
        """Compare a slate whose vectors have just been taken, if it tells what was served, and let go of that."""
        served, slate.served_vectors = slate.served_vectors, None
        if served is None or slate.vectors is None:
            return
        if slate.view != self._view:
            self.slates[OTHER_VIEW] += 1
            return
        found = difference(served, slate.vectors, self._names)
        if found is None:
            self.slates[EQUAL] += 1
            return
        self.slates[DIFFERENT] += 1
        self.columns.update(found.columns)
        self.largest = max(self.largest, found.largest)
        self.newest = slate.id, found


def difference(served: Sequence[bytes], replayed: Vectors, columns: Sequence[str]) -> Difference | None:
    """How the vectors differ; none where they are the same bit for bit.

    Parameters
    ----------
    served
        N vectors as they were received: each of F float32, little-endian.
    replayed
        shape (N, F).
    columns
        F names.
    """
    ours = np.ascontiguousarray(replayed, "<f4")
    if len(served) != len(ours) or any(len(row) != 4 * ours.shape[1] for row in served):
        return Difference(np.inf, {})
    theirs = np.frombuffer(b"".join(served), "<f4").reshape(ours.shape)
    differs = theirs.view("<u4") != ours.view("<u4")
    if not differs.any():
        return None
    # Where both are the same infinity the bits are too, so no difference below is inf − inf.
    a, b = theirs[differs].astype(np.float64), ours[differs].astype(np.float64)
    off = np.where(np.isnan(a) & np.isnan(b), 0.0, np.abs(a - b))
    off[np.isnan(off)] = np.inf
    by_column = differs.sum(axis=0)
    return Difference(
        float(off.max()), {columns[k]: int(by_column[k]) for k in np.flatnonzero(by_column).tolist()}
    )
