"""Made-up people: each has tastes, shared by nobody else, and returns now and then. Pure and seeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eddyline_cli.simulating.catalogue import N_TASTES


@dataclass(frozen=True)
class People:
    """P people as columns."""

    tastes: NDArray[np.float64]
    """shape (P, N_TASTES). Where each one's liking lies; an item there appeals the most."""
    ease: NDArray[np.float64]
    """shape (P,). How easily they click at all, added to the log-odds."""
    activity: NDArray[np.float64]
    """shape (P,). The probability that the next visit is theirs."""

    def __len__(self) -> int:
        return len(self.tastes)

    def user(self, index: int) -> str:
        """Its id."""
        return f"sim-user-{index}"


def make_people(n_people: int, seed: int) -> People:
    """People; the same number and seed give the same ones.

    Raises
    ------
    ValueError
        If ``n_people`` is below 1.
    """
    if n_people < 1:
        raise ValueError("a simulation has at least one person")
    rng = np.random.default_rng([seed, 2])
    tastes = rng.standard_normal((n_people, N_TASTES))
    ease = 0.3 * rng.standard_normal(n_people)
    # Some come often, most now and then.
    activity = rng.lognormal(0.0, 0.6, n_people)
    return People(tastes, ease, activity / activity.sum())
