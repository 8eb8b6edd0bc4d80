"""Which of the scored candidates make the slate, in which order, and how likely each was to stand there. Pure.

Rules come first: caps give the slate as it would be without chance. Chance then draws among these only, so no draw has
to be taken back, and propensities are those of the policy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eddyline_contracts.candidates import CandidatesAnswer
from eddyline_contracts.events import SHUFFLED
from eddyline_features.slates.choosing import choose as choose_by_rules
from eddyline_features.slates.likeness import Likeness
from eddyline_features.view import Exploration
from eddyline_ranker.exploration import is_explored, shuffled
from eddyline_ranker.judging import Judged
from eddyline_ranker.recommendation import Recommendation
from eddyline_ranker.slate import best_first


@dataclass(frozen=True, slots=True)
class Chosen:
    """The items of a slate."""

    order: list[int]
    """Indices of candidates, place by place."""
    policy: str
    propensities: list[float] | None = None
    """Of each place; none is 1 each."""


def choose(
    judged: Judged,
    wanted: Recommendation,
    answer: CandidatesAnswer | None,
    exploration: Exploration,
    slate: str,
) -> Chosen:
    """At most ``wanted.request.n`` of the candidates.

    Parameters
    ----------
    answer
        What is known of the candidates; without it they are taken as they are scored.
    slate
        Its id, which decides what chance does.
    """
    if answer is None:
        return Chosen(best_first(judged.scores)[: wanted.request.n], judged.policy)
    order = _by_rules(judged, wanted, answer)
    # What is not logged would be drawn for nothing.
    if wanted.request.log and is_explored(wanted.person, exploration.share):
        order, n_shuffled = shuffled(order, exploration.places, slate)
        if n_shuffled:
            told = [1.0 / n_shuffled] * n_shuffled + [1.0] * (len(order) - n_shuffled)
            return Chosen(order, SHUFFLED, told)
    return Chosen(order, judged.policy)


def _by_rules(judged: Judged, wanted: Recommendation, answer: CandidatesAnswer) -> list[int]:
    """At most n candidates, as they are shown without chance."""
    values = dict(zip(wanted.fields, answer.values, strict=True))
    alike: Likeness | None = None
    if wanted.diversity > 0.0:
        n = len(answer.items)
        embeddings = np.frombuffer(answer.embeddings, "<f4").reshape(n, -1) if answer.embeddings else None
        alike = Likeness([values[name] for name in wanted.alike_by], embeddings)
    return choose_by_rules(
        judged.scores, wanted.request.n, values=values, caps=wanted.caps, dial=wanted.diversity, alike=alike
    )
