"""From the whole catalogue to a slate: what is missing makes it worse or shorter and says so, never fails it."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from eddyline_contracts.candidates import CandidatesAnswer
from eddyline_features.claims import sayable_fields
from eddyline_features.view import View
from eddyline_ranker import metrics
from eddyline_ranker.asking import asked
from eddyline_ranker.books import Books
from eddyline_ranker.candidates import Candidates
from eddyline_ranker.champion import ChampionWatch
from eddyline_ranker.choosing import choose
from eddyline_ranker.errors import FeaturesLost, RefusedByStore
from eddyline_ranker.features_client import FeaturesClient
from eddyline_ranker.judging import Judge
from eddyline_ranker.model import Model
from eddyline_ranker.recommendation import Recommendation
from eddyline_ranker.remembered import slate_of
from eddyline_ranker.removals import Removals, Removed
from eddyline_ranker.slate import GREEDY, Ranking, time_of
from eddyline_ranker.texts_asked import TextsAsked
from eddyline_runtime.clock import Clock

PRIOR = "prior"
"""The source of items that no retrieval found: those of the model's bundle."""
FILTERS, REMOVALS, CAPS, DIVERSITY = "filters", "removals", "caps", "diversity"


class Recommender:
    """Recommends by what the feature-store finds and the model in service says of it."""

    def __init__(
        self,
        champion: ChampionWatch,
        features: FeaturesClient,
        judge: Judge,
        books: Books,
        texts: TextsAsked,
        removals: Removals,
        *,
        view: View,
        max_wait_ms: int,
        clock: Clock,
    ) -> None:
        self._champion = champion
        self._features = features
        self._judge = judge
        self._books = books
        self._texts = texts
        self._removals = removals
        self._view = view
        self._n_candidates = 0 if view.recommend is None else view.recommend.candidates
        self._exploration = view.exploration
        self._sayable = sayable_fields(view)
        self._max_wait_ms = max_wait_ms
        self._clock = clock

    async def recommend(
        self, wanted: Recommendation, *, waited_ms: int = 0
    ) -> tuple[Ranking, CandidatesAnswer | None]:
        """A slate, on its way to the log unless the request says otherwise; and the candidates it was chosen from.

        Parameters
        ----------
        waited_ms
            How long it has waited already: so much less it waits for its ``min_sequence``.

        Raises
        ------
        RefusedByStore
            If the request cannot be answered as it is, as when a filter names a field that nobody keeps.
        """
        started = perf_counter()
        now = self._clock()
        # Taken once: a swap while this request waits for its candidates must not mix two models.
        model = self._champion.model
        wanted = replace(wanted, request=await self._texts.read(wanted.request))

        async def ask(view: str, priors: bool) -> CandidatesAnswer:
            question = wanted.question(
                self._n_candidates,
                max(0, self._max_wait_ms - waited_ms),
                priors=priors,
                deviations=self._exploration.needs_deviations,
                sayable=self._sayable,
            )
            answer = await self._features.candidates(view, question)
            if answer.refused is not None and view != self._view.id:
                # While the view changes, the model's may not choose from a catalogue yet, or know fewer fields.
                raise FeaturesLost("no_responders", answer.refused)
            return answer

        view, answer = await asked(model, self._view.id, ask)
        was_asked = perf_counter()
        metrics.RETRIEVAL_SECONDS.observe(was_asked - started)
        if answer is not None and answer.refused is not None:
            raise RefusedByStore(answer.refused)
        removed = None if model is None or answer is not None else self._removals.since(model)
        candidates = _candidates(wanted, model, answer, removed)
        judged = await self._judge.judge(candidates.items, model, view, answer)
        was_judged = perf_counter()
        metrics.RECOMMEND_SCORE_SECONDS.observe(was_judged - was_asked)
        request = wanted.request
        slate = slate_of(request)
        sources = _sources(candidates, answer)
        chosen = choose(judged, wanted, answer, self._exploration, slate)
        ranking = Ranking(
            slate=slate,
            candidates=candidates,
            scores=judged.scores,
            order=chosen.order,
            policy=chosen.policy,
            degraded=judged.degraded + (_unchecked(wanted, model, removed) if answer is None else []),
            model=None if judged.model is None else judged.model.name,
            view=view,
            features_sequence=None if answer is None else answer.sequence,
            ranked_at=time_of(answer, wanted.at, now),
            propensities=chosen.propensities,
            by_score=chosen.by_score,
            scored_by=judged.model if judged.policy == GREEDY else None,
            sources=sources,
        )
        metrics.CHOOSE_SECONDS.observe(perf_counter() - was_judged)
        self._books.enter(ranking, answer, now, metrics.RECOMMEND)
        metrics.count_shown(ranking.order, sources, request.n)
        return ranking, answer


def _candidates(
    wanted: Recommendation, model: Model | None, answer: CandidatesAnswer | None, removed: Removed | None
) -> Candidates:
    """What was found; without the store, the best of the model's bundle that are surely allowed."""
    request = wanted.request
    if answer is not None:
        return Candidates(request, answer.items, None, wanted.at)
    # Whether an item passes the filters, or is still there, nobody can say now, and one that is not must not be shown.
    if model is None or request.filters or removed is None:
        return Candidates(request, [], None, wanted.at)
    best = model.best_by_prior(request.n, removed.items | set(request.exclude))
    return Candidates(request, best, None, wanted.at)


def _unchecked(wanted: Recommendation, model: Model | None, removed: Removed | None) -> list[str]:
    """What could not be heeded, since nothing was known of any item."""
    heeded = {
        FILTERS: bool(wanted.request.filters),
        REMOVALS: model is not None and (removed is None or not removed.current),
        CAPS: bool(wanted.caps),
        DIVERSITY: wanted.diversity > 0.0,
    }
    return [what for what, asked_for in heeded.items() if asked_for]


def _sources(candidates: Candidates, answer: CandidatesAnswer | None) -> list[str]:
    if answer is None:
        return [PRIOR] * len(candidates.items)
    names = answer.sources
    return [names[which] for which in answer.source]
