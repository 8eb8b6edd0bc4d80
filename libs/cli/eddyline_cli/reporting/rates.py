"""Means with how sure they are, where one person's lists are alike. Pure."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

_Z = 1.96
"""Of 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A mean over lists."""

    mean: float | None
    se: float | None
    """Standard error, of people drawn as wholes; None below two people."""
    n: int

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Where the true mean is, with 95 %; None where that cannot be said."""
        if self.mean is None or self.se is None:
            return None
        return self.mean - _Z * self.se, self.mean + _Z * self.se


def mean_over_people(lists: Iterable[tuple[Hashable, float]]) -> Rate:
    """Mean of a value over lists, each told with whose it is; its error is that of people drawn as wholes."""
    return mean_of_sums((person, value, 1) for person, value in lists)


def mean_of_sums(parts: Iterable[tuple[Hashable, float, int]]) -> Rate:
    """As `mean_over_people`, of (person, sum of values, number of them)."""
    by_person: dict[Hashable, list[float]] = {}
    for person, value, n_values in parts:
        sums = by_person.setdefault(person, [0.0, 0])
        sums[0] += value
        sums[1] += n_values
    n = int(sum(n for _, n in by_person.values()))
    if n == 0:
        return Rate(None, None, 0)
    mean = sum(total for total, _ in by_person.values()) / n
    if len(by_person) < 2:
        return Rate(mean, None, n)
    squares = sum((total - mean * n_lists) ** 2 for total, n_lists in by_person.values())
    return Rate(mean, math.sqrt(squares * len(by_person) / (len(by_person) - 1)) / n, n)


def share_bounds(rate: Rate) -> tuple[float, float] | None:
    """As `Rate.bounds`, for a share: within 0 and 1, and wide also where nothing, or all, was seen to happen.

    Wilson's interval ("Probable inference, the law of succession, and statistical inference", JASA 22, 1927), of so
    many independent lists as would have the same standard error.
    """
    if rate.mean is None or rate.n == 0:
        return None
    mean, n = rate.mean, float(rate.n)
    if rate.se:
        n = min(n, mean * (1.0 - mean) / rate.se**2) or n
    middle = (mean + _Z**2 / (2.0 * n)) / (1.0 + _Z**2 / n)
    half = _Z / (1.0 + _Z**2 / n) * math.sqrt(max(0.0, mean * (1.0 - mean)) / n + (_Z / (2.0 * n)) ** 2)
    return max(0.0, middle - half), min(1.0, middle + half)
