"""A simple model of the reward for the doubly robust estimate: how good a choice is, times how a place is looked at.

    reward(choice, place) = goodness(choice) * attention(place)

is the position-based click model (Richardson, Dominowska and Ragno, WWW 2007), fitted by alternating between its two
factors, each drawn to the mean of all by some made-up rows, as the log shows most choices seldom.
"""

from __future__ import annotations

import numpy as np

from eddyline_learning.off_policy.logged import Indices, Logged, Numbers

_STRENGTH = 20.0
"""So many rows at the mean reward are added to each choice, and to each place."""
_ROUNDS = 20


def fitted(log: Logged, rows: Indices, shape: tuple[int, int]) -> Numbers:
    """The model by these rows of the log, shape (choices, places)."""
    n_choices, n_places = shape
    choices, places, rewards = log.choices[rows], log.places[rows], log.rewards[rows]
    mean = float(rewards.mean()) if len(rows) else 0.0
    if mean == 0.0:
        return np.zeros(shape)
    of_choice = np.bincount(choices, rewards, n_choices)
    of_place = np.bincount(places, rewards, n_places)
    shown = np.bincount(choices * n_places + places, minlength=n_choices * n_places).reshape(shape)
    # In units of the mean, so that made-up rows have the reward 1 whatever the reward is counted in.
    attention = np.ones(n_places)
    goodness = np.ones(n_choices)
    for _ in range(_ROUNDS):
        goodness = (of_choice / mean + _STRENGTH) / (shown @ attention + _STRENGTH)
        attention = (of_place / mean + _STRENGTH) / (goodness @ shown + _STRENGTH)
    return mean * goodness[:, None] * attention[None, :]
