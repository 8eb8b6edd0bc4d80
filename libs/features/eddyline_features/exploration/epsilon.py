"""Epsilon-greedy, place by place: with the chance epsilon any item that is left, else the best that is left.

The chance that the item of rank r comes to stand at place k is exact. While it is not taken, all that matters is how
many of the r better ones are still there: a of them. The next place is then given to the item itself with probability
epsilon / m + (1 - epsilon) [a = 0], to a better one with epsilon a / m + (1 - epsilon) [a > 0], and to a worse one
otherwise, m being the number of items left. Following a from place to place takes k steps of k numbers.
"""

from __future__ import annotations

import numpy as np

from eddyline_features.exploration.arrays import Indices, Numbers


def draw(n_items: int, n_places: int, epsilon: float, chance: Numbers) -> list[int]:
    """Ranks of the items (0: the best score) place by place.

    Parameters
    ----------
    chance
        shape (2 ``n_places``,), uniform within (0, 1): for each place whether, and for each which.
    """
    left = list(range(n_items))
    order = []
    by_chance = (chance[:n_places] < epsilon).tolist()
    which = chance[n_places:].tolist()
    for place in range(n_places):
        order.append(left.pop(int(which[place] * len(left)) if by_chance[place] else 0))
    return order


def probabilities(ranks: Indices, places: Indices, n_items: int, epsilon: float) -> Numbers:
    """The probability that the item of each rank stands at the place beside it, shape (M,).

    Parameters
    ----------
    ranks, places
        shape (M,), from 0; places below ``n_items``.
    """
    found = np.zeros(len(ranks))
    if not len(ranks):
        return found
    last = int(places.max())
    # Of each pair: how likely the item is still there, by how many better ones have been taken.
    there = np.zeros((len(ranks), last + 2))
    there[:, 0] = 1.0
    better = ranks[:, None] - np.arange(last + 2)
    any_better = better > 0
    better = np.maximum(better, 0)
    best_left = (1.0 - epsilon) * any_better
    for place in range(last + 1):
        left = n_items - place
        states = there[:, : place + 1]
        by_chance = epsilon / left
        here = places == place
        if here.any():
            takes = by_chance + (1.0 - epsilon) * ~any_better[:, : place + 1]
            found[here] = (states * takes)[here].sum(axis=1)
        a = better[:, : place + 1]
        moves = states * (by_chance * a + best_left[:, : place + 1])
        states *= by_chance * (left - 1 - a)
        there[:, 1 : place + 2] += moves
    return found
