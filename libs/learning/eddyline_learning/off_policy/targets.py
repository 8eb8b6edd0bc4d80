"""The policies whose value can be asked for, over N choices that are known by their rank."""

from __future__ import annotations

import numpy as np

from eddyline_features.exploration import epsilon, plackett_luce
from eddyline_learning.off_policy.logged import Numbers


def greedy(n: int, n_places: int) -> Numbers:
    """Each place has the item of its rank."""
    return np.eye(n, n_places)


def shuffled(n: int) -> Numbers:
    """Every order is as likely."""
    return np.full((n, n), 1.0 / n)


def by_order(ranks: list[int]) -> Numbers:
    """Place by place, the item of this rank."""
    table = np.zeros((len(ranks), len(ranks)))
    table[ranks, np.arange(len(ranks))] = 1.0
    return table


def epsilon_greedy(n: int, chance: float) -> Numbers:
    """As the ranker's policy ``epsilon``."""
    ranks, places = (part.ravel() for part in np.indices((n, n)))
    return epsilon.probabilities(ranks, places, n, chance).reshape(n, n)


def plackett_luce_of(logits: Numbers) -> Numbers:
    """As the ranker's policy ``plackett-luce``; ``logits``: shape (N,), by rank."""
    n = len(logits)
    table = np.empty((n, n))
    items = np.arange(n)
    for shift in range(n):
        places = (items + shift) % n
        table[items, places] = plackett_luce.probabilities(logits, items, places)
    # Columns add up to 1 but for the integral's error.
    table /= table.sum(axis=0)
    return table
