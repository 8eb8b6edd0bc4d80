"""What many people act on lately: by the decayed number of actions, or by how many times as many as usual it is.

Computed when it is asked for, over all items at once, so a narrow choice of items has its full list too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eddyline_features import decay
from eddyline_features.kernel import Floats, FloatTable, Ints, Longs
from eddyline_features.retrieval.similar import Mask, top

STRENGTH = 5.0
"""So many actions without any trend are added to both sides, so that a first click is no sensation."""
_LEAST = 1e-3
"""Actions, decayed, of an item that anybody still acts on."""


class Trending(NamedTuple):
    """N items, the first first."""

    rows: Ints
    scores: Floats
    actions: Floats
    """Decayed number of actions under the half-life, at the time asked for."""


def trending(
    values: FloatTable,
    half_lives: Longs,
    landmarks: Longs,
    half_life: int,
    over: int | None,
    at: int,
    among: Mask,
    n: int,
) -> Trending:
    """The ``n`` items that most people act on; with ``over``, those that rise most.

    Parameters
    ----------
    values, half_lives, landmarks
        As `Popular` keeps them: shape (H, items), (H,), (H,).
    half_life, over
        Indices of the half-life of lately, and of the longer one of what is usual.
    at
        ms since the Unix epoch.
    among
        shape (items,): rows that may be given.
    """
    factors: Floats = np.zeros(len(half_lives))
    decay.factors(at, half_lives, landmarks, factors)
    actions = values[half_life, : len(among)] * factors[half_life]
    scores = actions
    if over is not None:
        # A steady stream of actions gives counts as the half-lives are long.
        ratio = float(half_lives[over]) / float(half_lives[half_life])
        usual = values[over, : len(among)] * factors[over]
        scores = (actions * ratio + STRENGTH) / (usual + STRENGTH)
    rows = top(scores, among & (actions > _LEAST), n)
    return Trending(rows, scores[rows], actions[rows])
