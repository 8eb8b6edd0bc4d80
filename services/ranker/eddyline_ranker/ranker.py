"""From the client's candidates to an answer: what is missing makes it worse and says so, never fails it."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from eddyline_contracts.vectors import VectorsAnswer
from eddyline_features.view import Exploration
from eddyline_ranker import metrics
from eddyline_ranker.asking import asked
from eddyline_ranker.books import Books
from eddyline_ranker.candidates import Candidates
from eddyline_ranker.champion import ChampionWatch
from eddyline_ranker.exploration import Explored, explored
from eddyline_ranker.features_client import FeaturesClient
from eddyline_ranker.judging import Judge, Judged
from eddyline_ranker.remembered import slate_of
from eddyline_ranker.slate import GREEDY, Ranking, best_first, time_of
from eddyline_ranker.texts_asked import TextsAsked
from eddyline_runtime.clock import Clock


class Ranker:
    """Ranks candidates with the model in service and the live features."""

    def __init__(
        self,
        champion: ChampionWatch,
        features: FeaturesClient,
        judge: Judge,
        books: Books,
        texts: TextsAsked,
        *,
        view: str,
        max_wait_ms: int,
        exploration: Exploration,
        clock: Clock,
    ) -> None:
        self._champion = champion
        self._features = features
        self._judge = judge
        self._books = books
        self._texts = texts
        self._view = view
        self._max_wait_ms = max_wait_ms
        self._exploration = exploration
        self._clock = clock

    async def rank(self, candidates: Candidates) -> Ranking:
        """Order the candidates, and put the slate on its way to the log unless the request says otherwise."""
        ranking, _ = await self.rank_with_vectors(candidates)
        return ranking

    async def rank_with_vectors(self, candidates: Candidates) -> tuple[Ranking, VectorsAnswer | None]:
        """As `rank`, and what the features were; none where they could not be had."""
        started = perf_counter()
        now = self._clock()
        # Taken once: a swap while this request waits for its features must not mix two models.
        model = self._champion.model
        candidates = replace(candidates, request=await self._texts.read(candidates.request))

        async def ask(view: str, priors: bool) -> VectorsAnswer:
            return await self._features.vectors(
                view,
                candidates.question(
                    self._max_wait_ms, priors=priors, deviations=self._exploration.needs_deviations
                ),
            )

        view, answer = await asked(model, self._view, ask)
        was_asked = perf_counter()
        metrics.FEATURES_SECONDS.observe(was_asked - started)
        judged = await self._judge.judge(candidates.items, model, view, answer)
        ranking = self._ranking(candidates, judged, view, answer, now)
        metrics.SCORE_SECONDS.observe(perf_counter() - was_asked)
        self._books.enter(ranking, answer, now, metrics.RANK)
        return ranking, answer

    def _ranking(
        self, candidates: Candidates, judged: Judged, view: str, answer: VectorsAnswer | None, now: int
    ) -> Ranking:
        request, policy = candidates.request, judged.policy
        slate = candidates.slate or slate_of(request)
        drawn: Explored | None = None
        # Without features nothing is learnt from the slate; and one that is not logged would be drawn for nothing.
        if answer is not None and request.log:
            drawn = explored(
                judged.scores,
                len(judged.scores),
                self._exploration,
                person=request.session if request.user is None else request.user,
                slate=slate,
                deviations=answer.deviations,
            )
        return Ranking(
            slate=slate,
            candidates=candidates,
            scores=judged.scores,
            order=best_first(judged.scores) if drawn is None else drawn.order,
            policy=policy if drawn is None else drawn.policy,
            degraded=judged.degraded,
            model=None if judged.model is None else judged.model.name,
            view=view,
            features_sequence=None if answer is None else answer.sequence,
            ranked_at=time_of(answer, candidates.at, now),
            propensities=None if drawn is None else drawn.propensities,
            by_score=None if drawn is None else drawn.by_score,
            scored_by=judged.model if judged.policy == GREEDY else None,
        )
