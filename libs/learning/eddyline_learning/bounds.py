"""How far a running mean may be from the truth, for every number of slates at once: looking often costs nothing.

The bound is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform
central limit theory and asymptotic confidence sequences", Annals of Statistics 52(6), 2024; arXiv:2103.06476), in its
one-sided form: a Gaussian mixture over drifts of one sign. The probability that the mean of n observations ever
exceeds the true mean by more than the bound, at any n, is at most ``alpha`` (asymptotically, as for any normal bound).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TIGHTEST_AT = 500
"""Number of observations at which the bound is as narrow as it can be made; it loses little from 100 to 5,000."""
_DOUBT = 0.25
"""Added to the sum of squares: as if one more slate had differed by a half. So two models that were never seen to
differ are not taken for equal after a handful of slates, and few rare differences are not taken for certain."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is known of the difference between two models: over ``n`` slates that neither was trained on."""

    n: int
    mean: float
    """The first one's goodness minus the second's."""
    squares: float
    """Sum of squared deviations from the mean."""

    def half_width(self, alpha: float) -> float:
        """How far the true mean may lie below (or above) ``mean``; infinite where nothing was seen."""
        if self.n == 0:
            return math.inf
        return math.sqrt((self.squares + _DOUBT) / self.n) * boundary(self.n, alpha)


def boundary(n: int, alpha: float) -> float:
    """The one-sided bound for observations of standard deviation 1, after ``n`` of them."""
    rho2 = _rho_squared(alpha)
    grown = n * rho2 + 1.0
    return math.sqrt(2.0 * grown / (n * n * rho2) * math.log1p(math.sqrt(grown) / (2.0 * alpha)))


def _rho_squared(alpha: float) -> float:
    # The paper's choice for a two-sided bound at 2 × alpha.
    told = -2.0 * math.log(2.0 * alpha)
    return (told + math.log(told + 1.0)) / TIGHTEST_AT
