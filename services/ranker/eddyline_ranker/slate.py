"""Scores to an order, and the order to an answer and to the fact that is logged. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from math import ceil, log10

import numpy as np

from eddyline_contracts.api import Explanation, RankedItem, Slate
from eddyline_contracts.candidates import Answered
from eddyline_contracts.events import SlateItem, SlateServed
from eddyline_ranker.candidates import Candidates
from eddyline_ranker.model import Model, Scores

GREEDY = "greedy"
LIVE_PRIORS = "live-priors"
BUNDLE_PRIORS = "bundle-priors"
REQUEST_ORDER = "request-order"

_LOGGED_DIGITS = 5
_MAX_DECIMALS = 20
_NO_FIELDS: dict[str, object] = {}


@dataclass(frozen=True, slots=True)
class Ranking:
    """How one request was ranked."""

    slate: str
    """Id of the slate."""
    candidates: Candidates
    scores: Scores
    """shape (N,), in the order of the candidates."""
    order: list[int]
    """Indices of the candidates that are shown, the best first."""
    policy: str
    degraded: list[str]
    model: str | None
    view: str
    features_sequence: int | None
    ranked_at: int
    propensities: list[float] | None = None
    """Of each place in the order: the probability that this item came to stand there; none is 1 each."""
    by_score: list[int] | None = None
    """Of each place, where its item would stand without chance, from 0; none where chance had no say."""
    sources: list[str] | None = None
    """shape (N,): what found each candidate; none where the client brought them."""
    scored_by: Model | None = None
    """That gave the scores; none where they are priors."""

    @property
    def places(self) -> Iterator[tuple[int, float, str | None]]:
        """Of each place in the order: index of the candidate, propensity, source."""
        order = self.order
        sources = repeat(None) if self.sources is None else map(self.sources.__getitem__, order)
        return zip(
            order, repeat(1.0) if self.propensities is None else self.propensities, sources, strict=False
        )


def time_of(answer: Answered | None, at: int | None, now: int) -> int:
    """``ranked_at`` of a slate: as the features held, or else as the request says, or now; ms since the Unix epoch."""
    if answer is not None:
        return answer.ranked_at
    return now if at is None else at


def best_first(scores: Scores) -> list[int]:
    """Indices by falling score; equal scores keep the order of the request."""
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return order


def answer(ranking: Ranking, took_ms: float, explanations: Sequence[Explanation] = ()) -> Slate:
    """What the client gets; ``explanations`` are of the first places."""
    told = [*explanations, *repeat(None, len(ranking.order) - len(explanations))]
    items, scores = ranking.candidates.items, ranking.scores.tolist()
    return Slate(
        slate=ranking.slate,
        items=[
            RankedItem(item=items[i], score=scores[i], propensity=propensity, source=source, explanation=why)
            for (i, propensity, source), why in zip(ranking.places, told, strict=True)
        ],
        model=ranking.model,
        view=ranking.view,
        features_sequence=ranking.features_sequence,
        ranked_at=ranking.ranked_at,
        degraded=ranking.degraded,
        took_ms=took_ms,
    )


def served(ranking: Ranking, occurred_at: int, vectors: list[bytes] | None = None) -> SlateServed:
    """What the log gets: all that a replay needs to take the same vectors in the same order.

    ``vectors`` are those that came for the candidates, where they are to be compared with what a replay gives. Scores
    are rounded to five digits of the largest, which halves them; the full ones follow from model and vectors.
    """
    told = ranking.candidates.request
    items, fields = ranking.candidates.items, ranking.candidates.item_fields
    scores = rounded(ranking.scores).tolist()
    by_score = repeat(None) if ranking.by_score is None else _moved(ranking.by_score)
    return SlateServed(
        id=ranking.slate,
        occurred_at=occurred_at,
        user=told.user,
        session=told.session,
        items=[
            SlateItem(
                item=items[i],
                score=scores[i],
                propensity=propensity,
                by_score=scored,
                source=source,
                fields=_NO_FIELDS if fields is None else fields[i],
            )
            for (i, propensity, source), scored in zip(ranking.places, by_score, strict=False)
        ],
        context=told.context,
        features_sequence=ranking.features_sequence,
        ranked_at=ranking.ranked_at,
        candidates=None if ranking.order == list(range(len(items))) else items,
        view=ranking.view,
        model=ranking.model,
        policy=ranking.policy,
        served_vectors=vectors,
    )


def _moved(by_score: list[int]) -> Iterator[int | None]:
    return (None if scored == place else scored for place, scored in enumerate(by_score))


def rounded(scores: Scores) -> Scores:
    """Scores with as many decimals as give the largest of them five digits."""
    largest = float(np.abs(scores).max())
    if not 0.0 < largest < np.inf:
        return scores
    return np.round(scores, min(_LOGGED_DIGITS - ceil(log10(largest)), _MAX_DECIMALS))
