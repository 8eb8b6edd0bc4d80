"""Which of the items that a person acted on lately led to a candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    # Only to say what is what: the ranker reads `NONE`, and its image has no Numba.
    from eddyline_features.kernel import Floats, FloatTable, Ints, Octets

NONE = 255
"""None of them; there are far fewer."""


@dataclass(frozen=True, slots=True)
class Because:
    """Of N candidates."""

    recent: Ints
    """shape (R,). Rows of the items that were acted on lately, the newest first."""
    beside: Octets
    """shape (N,). Which of them goes most with each by co-visitation; `NONE` where none does."""
    near: Octets
    """shape (N,). Which of them says most what each says, likewise."""


def most_of(shares: FloatTable) -> Octets:
    """Which row is the largest of each column, the first of equal ones; `NONE` where none is above 0.

    ``shares``, shape (R, N).
    """
    if not len(shares):
        return np.full(shares.shape[1], NONE, np.uint8)
    best = np.argmax(shares, axis=0)
    largest: Floats = shares[best, np.arange(shares.shape[1])]
    return np.where(largest > 0.0, best, NONE).astype(np.uint8)
