"""Where chance has a say in the order of a slate: for whom, how, and how likely each item was to stand where it does.

All of it is a function of names: of the person, whether theirs is the share whose places are shuffled; of the slate,
the order. So every replica agrees, and a retry with the same ``request_id`` gets the same slate (its id follows from
the request's).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from random import Random

import numpy as np

from eddyline_contracts.events import SHUFFLED
from eddyline_features.exploration import epsilon, plackett_luce, thompson
from eddyline_features.exploration.arrays import Indices, Numbers
from eddyline_features.exploration.draws import normals, uniforms
from eddyline_features.exploration.scale import spread
from eddyline_features.exploration_settings import EPSILON, GREEDY, Exploration
from eddyline_ranker.slate import best_first

MOST_PLACES = 50
"""Of a slate so many are drawn at most: what a propensity costs grows with their square."""
LEAST_PROPENSITY = 1e-9
"""An item that chance has put somewhere was not impossible there, whatever rounding says."""
_PERSON, _SLATE = b"explored ", b"shuffle "


@dataclass(frozen=True, slots=True)
class Explored:
    """An order of the candidates that chance had a say in."""

    order: list[int]
    """Indices of candidates, place by place."""
    propensities: list[float]
    """Of each place: the probability that this item came to stand there, whatever stands above it."""
    by_score: list[int]
    """Of each place: where its item would stand by score alone, from 0."""
    policy: str
    """``shuffled``, or as the settings name it."""


def explored(
    scores: Numbers,
    n_places: int,
    settings: Exploration,
    *,
    person: str | None,
    slate: str,
    deviations: bytes = b"",
) -> Explored | None:
    """The candidates' order for a slate of ``n_places``; None: chance has no say, it is the order by score.

    Where all candidates are shown, the first `Exploration.places` are drawn of what the scores put there, and the rest
    stays, as it does for the share of people whose places are shuffled. Where candidates are chosen, all places are
    drawn of all candidates (if they are at most `MOST_PLACES`; else as before).

    Parameters
    ----------
    scores
        shape (N,), finite.
    person
        The user, or without one the session.
    slate
        Its id: decides what chance does.
    deviations
        For ``thompson``: as `VectorsAnswer.deviations`. Without them it is the order by score.
    """
    n = min(n_places, len(scores))
    if is_explored(person or "", settings.share, settings.salt):
        ranks, n_drawn = shuffled(list(range(n)), settings.places, slate)
        if not n_drawn:
            return None
        told = [1.0 / n_drawn] * n_drawn + [1.0] * (n - n_drawn)
        ranking = best_first(scores)
        return Explored([ranking[rank] for rank in ranks], told, ranks, SHUFFLED)
    if settings.policy == GREEDY or len(scores) < 2 or (settings.needs_deviations and not deviations):
        return None
    chosen = n < len(scores) and n <= MOST_PLACES
    n_drawn = n if chosen else min(settings.places, MOST_PLACES, n)
    ranking = best_first(scores)
    pool = ranking if chosen else ranking[:n_drawn]
    unsure = np.frombuffer(deviations, "<f4")[pool].astype(np.float64) if settings.needs_deviations else None
    drawn, probabilities = _drawn(scores[pool], unsure, spread(scores), n_drawn, settings, slate)
    ranks = drawn + list(range(n_drawn, n))
    told = np.clip(probabilities, LEAST_PROPENSITY, 1.0).tolist() + [1.0] * (n - n_drawn)
    return Explored([ranking[rank] for rank in ranks], told, ranks, settings.policy)


def _drawn(
    best: Numbers, deviations: Numbers | None, unit: float, n_places: int, settings: Exploration, slate: str
) -> tuple[list[int], Numbers]:
    """Ranks place by place, and how likely each was; ``best``: the pool's scores, falling."""
    places = np.arange(n_places)
    n = len(best)
    purpose = settings.policy.encode() + b" "
    if settings.policy == EPSILON:
        ranks = epsilon.draw(n, n_places, settings.epsilon, uniforms(purpose, slate, 2 * n_places))
        return ranks, epsilon.probabilities(_indices(ranks), places, n, settings.epsilon)
    if deviations is None:
        logits = best / (settings.temperature * unit)
        ranks = plackett_luce.draw(logits, n_places, uniforms(purpose, slate, n))
        return ranks, plackett_luce.probabilities(logits, _indices(ranks), places)
    unsure = deviations * (settings.scale * unit)
    ranks = thompson.draw(best, unsure, n_places, normals(purpose, slate, n))
    found, _ = thompson.probabilities(best, unsure, _indices(ranks), places, _number(purpose, slate))
    return ranks, np.maximum(found, thompson.LEAST)


def _indices(ranks: list[int]) -> Indices:
    return np.array(ranks, np.int64)


def is_explored(person: str, share: float, salt: str = "") -> bool:
    """Whether this user (or session, where there is no user) is of the share."""
    # 48 bits, so that both sides are exact, and a share of 1 is above the largest.
    purpose = _PERSON + salt.encode("utf-8", "surrogatepass") + b" " if salt else _PERSON
    return share > 0.0 and _number(purpose, person) < share * 2**48


def shuffled(order: list[int], places: int, slate: str) -> tuple[list[int], int]:
    """The order with its first ``places`` drawn, all orders of them being equally likely, and how many those are."""
    n = min(places, len(order))
    if n < 2:
        return order, 0
    first = order[:n]
    Random(_number(_SLATE, slate)).shuffle(first)
    return first + order[n:], n


def _number(purpose: bytes, name: str) -> int:
    # Two purposes, two hashes: that of a person must not decide their order, nor who is measured otherwise.
    digest = blake2b(purpose + name.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest)
