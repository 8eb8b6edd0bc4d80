"""From candidates to an answer: what is missing makes it worse and says so, never fails it."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from time import perf_counter

import numpy as np
import uuid_utils

from eddyline_contracts.api import RankRequest
from eddyline_contracts.events import SHUFFLED
from eddyline_contracts.vectors import VectorsAnswer
from eddyline_features.view import Exploration
from eddyline_ranker import metrics
from eddyline_ranker.candidates import Candidates
from eddyline_ranker.champion import ChampionWatch
from eddyline_ranker.errors import FeaturesLost
from eddyline_ranker.exploration import is_explored, shuffled
from eddyline_ranker.features_client import FeaturesClient
from eddyline_ranker.model import Model, Scores
from eddyline_ranker.outbox import Outbox
from eddyline_ranker.remembered import slate_of
from eddyline_ranker.skew import is_chosen
from eddyline_ranker.slate import BUNDLE_PRIORS, GREEDY, LIVE_PRIORS, REQUEST_ORDER, Ranking, best_first
from eddyline_runtime.clock import Clock

log = logging.getLogger(__name__)

FEATURES, MODEL, MIN_SEQUENCE = "features", "model", "min_sequence"
_ROWS_ON_LOOP = 300
"""Up to here a run is shorter than the way to a thread and back is worth; beyond, others should not wait for it."""


class Ranker:
    """Ranks candidates with the model in service and the live features."""

    def __init__(
        self,
        champion: ChampionWatch,
        features: FeaturesClient,
        outbox: Outbox,
        executor: Executor,
        *,
        view: str,
        max_wait_ms: int,
        skew_share: float,
        exploration: Exploration,
        clock: Clock,
    ) -> None:
        self._champion = champion
        self._features = features
        self._outbox = outbox
        self._executor = executor
        self._view = view
        self._max_wait_ms = max_wait_ms
        self._skew_share = skew_share
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
        view, answer = await self._vectors(candidates, model)
        asked = perf_counter()
        metrics.FEATURES_SECONDS.observe(asked - started)
        ranking = await self._order(candidates, model, view, answer, now)
        metrics.SCORE_SECONDS.observe(perf_counter() - asked)
        if ranking.degraded:
            metrics.REQUESTS_DEGRADED.inc()
            for missing in ranking.degraded:
                metrics.DEGRADED.labels(missing).inc()
        else:
            metrics.REQUESTS_WHOLE.inc()
        if candidates.request.log:
            told = answer if is_chosen(ranking.slate, self._skew_share) else None
            self._outbox.add(ranking, now if candidates.at is None else candidates.at, told)
        return ranking, answer

    async def _vectors(self, candidates: Candidates, model: Model | None) -> tuple[str, VectorsAnswer | None]:
        """The vectors, or none; and the view that they are of."""
        view = self._view if model is None else model.view
        # With a model they would cost the store as much as some columns, for nothing.
        question = candidates.question(self._max_wait_ms, priors=model is None)
        try:
            return view, await self._features.vectors(view, question)
        except FeaturesLost as lost:
            metrics.FEATURES_LOST.labels(lost.reason).inc()
            if lost.reason != "no_responders" or view == self._view:
                return view, None
        # The model is of a view that nobody serves any more; the declared one may have no model yet, but is alive.
        try:
            question = candidates.question(self._max_wait_ms)
            return self._view, await self._features.vectors(self._view, question)
        except FeaturesLost as lost:
            metrics.FEATURES_LOST.labels(lost.reason).inc()
            return view, None

    async def _order(
        self, candidates: Candidates, model: Model | None, view: str, answer: VectorsAnswer | None, now: int
    ) -> Ranking:
        degraded: list[str] = []
        scores: Scores | None = None
        policy = GREEDY
        if answer is None:
            degraded.append(FEATURES)
            if model is None:
                degraded.append(MODEL)
                policy, scores = REQUEST_ORDER, np.zeros(len(candidates.items))
            else:
                policy, scores = BUNDLE_PRIORS, model.prior_scores(candidates.items)
        else:
            if model is not None:
                scores = await self._score(candidates, model, view, answer)
            if scores is None:
                degraded.append(MODEL)
                if answer.priors or model is None:
                    policy, scores = LIVE_PRIORS, np.frombuffer(answer.priors, "<f4").astype(np.float64)
                else:
                    policy, scores = BUNDLE_PRIORS, model.prior_scores(candidates.items)
                model = None
            if answer.stale:
                degraded.append(MIN_SEQUENCE)
        request = candidates.request
        slate = candidates.slate or (
            str(uuid_utils.uuid7()) if request.request_id is None else slate_of(request)
        )
        order, n_shuffled = best_first(scores), 0
        # Without features nothing is learnt from the slate; and one that is not logged would be drawn for nothing.
        if answer is not None and request.log and self._explores(request):
            order, n_shuffled = shuffled(order, self._exploration.places, slate)
            policy = SHUFFLED if n_shuffled else policy
        return Ranking(
            slate=slate,
            candidates=candidates,
            scores=scores,
            order=order,
            policy=policy,
            degraded=degraded,
            model=None if model is None else model.name,
            view=view,
            features_sequence=None if answer is None else answer.sequence,
            ranked_at=answer.ranked_at
            if answer is not None
            else now
            if candidates.at is None
            else candidates.at,
            n_shuffled=n_shuffled,
        )

    def _explores(self, request: RankRequest) -> bool:
        person = request.session if request.user is None else request.user
        return is_explored(person or "", self._exploration.share)

    async def _score(
        self, candidates: Candidates, model: Model, view: str, answer: VectorsAnswer
    ) -> Scores | None:
        """The model's scores, or none if these vectors are not for it."""
        if view != model.view or answer.n_features != model.n_features:
            return None
        vectors = np.frombuffer(answer.vectors, "<f4").reshape(len(candidates.items), model.n_features)
        try:
            if len(vectors) <= _ROWS_ON_LOOP:
                scores = model.score(vectors)
            else:
                loop = asyncio.get_running_loop()
                scores = await loop.run_in_executor(self._executor, model.score, vectors)
        except Exception as error:
            # ONNX Runtime's errors share no class; a model that was made elsewhere may fail on rows nobody has tried.
            log.error("the model cannot score a request: %s", error, extra={"model": model.name})
            return None
        if scores.shape != (len(vectors),) or not np.isfinite(scores).all():
            log.error("the model gives scores that are no numbers", extra={"model": model.name})
            return None
        return scores
