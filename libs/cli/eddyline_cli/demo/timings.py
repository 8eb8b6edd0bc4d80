"""Times as people compare them: the median, and what one in a hundred exceeds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct


class Percentiles(Struct, frozen=True):
    """In the unit of what was measured; none when nothing was."""

    p50: float | None
    p99: float | None


def percentiles(values: Sequence[float]) -> Percentiles:
    """The nearest-rank percentiles: each is a value that occurred."""
    if not values:
        return Percentiles(None, None)
    ordered = sorted(values)

    def at(share: float) -> float:
        return round(ordered[math.ceil(share * len(ordered)) - 1], 3)

    return Percentiles(at(0.50), at(0.99))
