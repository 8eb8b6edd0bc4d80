"""Candidates that are good and unlike each other, chosen one by one, with one dial.

Greedy search for the most probable set of a determinantal point process, in the fast form of Chen, Zhang and Zhou
("Fast Greedy MAP Inference for Determinantal Point Process to Improve Recommendation Diversity", 2018): a further item
gains (1 - dial) of its relevance, and dial of the logarithm of what is left of it once those before it are taken away.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from eddyline_features.slates.caps import Caps
from eddyline_features.slates.likeness import Floats, Likeness

SOFTNESS = 0.7
"""What likeness counts. At 1 two items with the same values could never stand together, however small the dial."""
MOST = 0.999
"""The dial goes no further: there, relevance only decides between those that differ as much."""
_LEAST = 1e-9


def relevance(scores: Floats) -> Floats:
    """Scores, shape (N,), as shares of the way from the worst to the best; what is no number is as bad as the worst."""
    known = scores[np.isfinite(scores)]
    least, most = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    spread = most - least
    if not 0.0 < spread < np.inf:
        return np.zeros(len(scores))
    bounded: Floats = np.clip(np.nan_to_num(scores, nan=least), least, most)
    return (bounded - least) / spread


def diverse(relevant: Floats, n: int, dial: float, alike: Likeness, caps: Caps) -> list[int]:
    """At most ``n`` of N candidates, in the order in which they are taken; fewer only where caps leave no more.

    Parameters
    ----------
    relevant
        shape (N,), from 0 to 1. Of those that gain the same, the first is taken.
    dial
        From 0, relevance alone, to 1, difference alone (the first is the most relevant one even then).
    """
    dial = min(dial, MOST)
    gain = (1.0 - dial) * relevant
    free = caps.open.copy()
    n = min(n, len(relevant))
    left: Floats = np.ones(len(relevant))
    """Of each candidate, squared: what those that were taken do not explain."""
    explained: Floats = np.zeros((n, len(relevant)))
    worth: Floats = np.empty(len(relevant))
    chosen: list[int] = []
    while len(chosen) < n:
        np.log(left, out=worth)
        worth *= dial
        worth += gain
        worth[~free] = -np.inf
        best = int(worth.argmax())
        if not free[best]:
            break
        place = len(chosen)
        part = SOFTNESS * alike.to(best)
        if place:
            part -= explained[:place, best] @ explained[:place]
        part /= sqrt(left[best])
        explained[place] = part
        part *= part
        left -= part
        np.maximum(left, _LEAST, out=left)
        chosen.append(best)
        caps.take(best)
        free[best] = False
        free &= caps.open
    return chosen
