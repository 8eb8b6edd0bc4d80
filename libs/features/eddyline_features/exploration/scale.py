"""The unit of scores, which have none of their own."""

from __future__ import annotations

import numpy as np

from eddyline_features.exploration.arrays import Numbers

_ROUNDING = 1e-12


def spread(scores: Numbers) -> float:
    """Standard deviation of the scores, in units of which a policy's parameters are; 1 where all are equal.

    Equal ones may have a standard deviation of some 1e-17, from the rounding of their mean.
    """
    deviation = float(scores.std())
    return deviation if deviation > _ROUNDING * float(np.abs(scores).max()) else 1.0
