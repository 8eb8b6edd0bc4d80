"""What people do with a list: how an item appeals, how far down they look, what they click. Pure.

The taste of the time is shared by all: `BEFORE` the shift people want what is cheap, well known and of a quiet style;
`AFTER` it what is dear, new and loud. Appeals are as they were, mirrored, so that equally good lists are clicked
equally often before and after. Personal tastes stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eddyline_cli.simulating.catalogue import Catalogue
from eddyline_cli.simulating.people import People
from eddyline_cli.simulating.words import STYLES

_USUAL = -3.6
_DEARNESS, _NEWNESS, _STYLE, _PERSONAL, _CHARM = 1.1, 0.5, 0.7, 0.8, 0.4
_FADING = 0.6
"""How fast the look wanes: an item at place k (0 is the top) is looked at with probability (k + 1)^-_FADING."""


@dataclass(frozen=True)
class Mood:
    """What everybody wants at a time: 1 cheap, old and quiet; −1 dear, new and loud."""

    sign: float


BEFORE, AFTER = Mood(1.0), Mood(-1.0)


def appeal(
    catalogue: Catalogue, people: People, person: int, items: NDArray[np.int64], mood: Mood
) -> NDArray[np.float64]:
    """Log-odds that this person clicks each of the items when looking at it, shape (N,)."""
    loud = catalogue.style[items] >= len(STYLES) // 2
    shared = (
        -_DEARNESS * np.clip(catalogue.dearness[items], -2.0, 2.0)
        - _NEWNESS * catalogue.newness[items]
        + np.where(loud, -_STYLE, _STYLE)
    )
    personal = catalogue.place[items] @ people.tastes[person] / np.sqrt(people.tastes.shape[1])
    own = _PERSONAL * personal + _CHARM * catalogue.charm[items] + people.ease[person]
    return np.asarray(_USUAL + mood.sign * shared + own)


def examination(n_items: int) -> NDArray[np.float64]:
    """Probability that a person looks at each place of a list, shape (N,): 1 at the top, then less and less."""
    return np.asarray((np.arange(n_items) + 1.0) ** -_FADING)


def click_probabilities(appeals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of a click on each item of a list in this order, shape (N,): looked at, and liked."""
    return np.asarray(examination(len(appeals)) / (1.0 + np.exp(-np.clip(appeals, -500.0, 500.0))))


def ndcg_in_truth(appeals: NDArray[np.float64], k: int = 10) -> float:
    """NDCG@k of a list in this order, by what the person wants: gains are the chances that a look becomes a click.

    An empty list has 0.
    """
    if not len(appeals):
        return 0.0
    wanted = 1.0 / (1.0 + np.exp(-np.clip(appeals, -500.0, 500.0)))
    discounts = 1.0 / np.log2(np.arange(min(k, len(wanted))) + 2.0)
    best = np.sort(wanted)[::-1]
    return float(wanted[: len(discounts)] @ discounts / (best[: len(discounts)] @ discounts))


def chance_of_any(appeals: NDArray[np.float64]) -> float:
    """Probability that a list in this order is clicked at all."""
    return float(1.0 - np.prod(1.0 - click_probabilities(appeals)))
