"""Which of the scored candidates make the slate, in which order, and how likely each was to stand there. Pure.

Rules come first: caps and diversity give the slate as it is without chance. What chance may put into it besides is the
rest of the *pool*: candidates any choice of which keeps the caps. So no draw has to be taken back, and propensities are
those of the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eddyline_contracts.candidates import CandidatesAnswer
from eddyline_features.exploration_settings import GREEDY
from eddyline_features.slates.caps import Caps, Values
from eddyline_features.slates.choosing import choose as choose_by_rules
from eddyline_features.slates.likeness import Likeness, are_numbers
from eddyline_features.view import Exploration
from eddyline_ranker.exploration import explored
from eddyline_ranker.judging import Judged
from eddyline_ranker.model import Scores
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
    by_score: list[int] | None = None
    """Of each place, where its item would stand without chance, from 0; none where chance had no say."""


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
    scores, n = judged.scores, wanted.request.n
    if answer is None or not len(scores):
        return Chosen(best_first(scores)[:n], judged.policy)
    values = dict(zip(wanted.fields, answer.values, strict=True))
    alike = _likeness(wanted, values, answer) if wanted.diversity > 0.0 else None
    order = choose_by_rules(scores, n, values=values, caps=wanted.caps, dial=wanted.diversity, alike=alike)
    # What is not logged would be drawn for nothing.
    if not wanted.request.log:
        return Chosen(order, judged.policy)
    pool = order if exploration.policy == GREEDY else _pool(order, scores, wanted.caps, values)
    drawn = explored(
        # As if each place had been given for its score: what the policy knows is how far places are apart.
        -np.sort(-scores[pool]),
        n,
        exploration,
        person=wanted.person,
        slate=slate,
        deviations=np.frombuffer(answer.deviations, "<f4")[pool].tobytes() if answer.deviations else b"",
    )
    if drawn is None:
        return Chosen(order, judged.policy)
    return Chosen([pool[at] for at in drawn.order], drawn.policy, drawn.propensities, drawn.by_score)


def _likeness(wanted: Recommendation, values: Mapping[str, Values], answer: CandidatesAnswer) -> Likeness:
    embeddings = None
    if answer.embeddings:
        embeddings = np.frombuffer(answer.embeddings, "<f4").reshape(len(answer.items), -1)
    fields = [values[name] for name in wanted.alike_by]
    return Likeness([of for of in fields if wanted.numbers_too or not are_numbers(of)], embeddings)


def _pool(
    order: list[int], scores: Scores, caps: Mapping[str, int], values: Mapping[str, Values]
) -> list[int]:
    """The chosen, and after them, by score, all that the caps have room for beside all before."""
    room = Caps(caps, values, len(scores))
    for at in order:
        room.take(at)
    pool, chosen = list(order), set(order)
    for at in best_first(scores):
        if at not in chosen and room.open[at]:
            room.take(at)
            pool.append(at)
    return pool
