"""The items of a slate out of scored candidates: by score, within the caps, as unlike each other as the dial says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eddyline_features.slates.caps import Caps, Values
from eddyline_features.slates.diversity import diverse, relevance
from eddyline_features.slates.likeness import Floats, Likeness

NO_CAPS: Mapping[str, int] = {}


def choose(
    scores: Floats,
    n: int,
    *,
    values: Mapping[str, Values],
    caps: Mapping[str, int] = NO_CAPS,
    dial: float = 0.0,
    alike: Likeness | None = None,
) -> list[int]:
    """At most ``n`` of N candidates, in the order in which they are shown.

    Parameters
    ----------
    scores
        shape (N,). Of equal ones, the first comes first.
    values
        By field, the values of each candidate: those that caps name must be there.
    caps
        By field: at most so many items with the same value. They are hard: the slate is shorter where nothing fits any
        more. With one field and one value an item it has as many items as can be; where items have several values,
        or several fields have caps, other items instead of the best ones might have left more room.
    dial
        From 0, by score alone, to 1, difference alone.
    alike
        What items that are alike have in common; without it the dial does nothing.

    Raises
    ------
    KeyError
        If a field has a cap and no values.
    """
    room = Caps(caps, values, len(scores))
    if dial > 0.0 and alike:
        return diverse(relevance(scores), n, dial, alike, room)
    chosen: list[int] = []
    for candidate in np.argsort(-scores, kind="stable").tolist():
        if len(chosen) == n:
            break
        if room.open[candidate]:
            chosen.append(candidate)
            room.take(candidate)
    return chosen
