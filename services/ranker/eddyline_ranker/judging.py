"""What a model, or whatever else there is, says of N items: scores, and what was missing for better ones."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from eddyline_contracts.candidates import Answered
from eddyline_ranker.model import Model, Scores
from eddyline_ranker.slate import BUNDLE_PRIORS, GREEDY, LIVE_PRIORS, REQUEST_ORDER

log = logging.getLogger(__name__)

FEATURES, MODEL, MIN_SEQUENCE = "features", "model", "min_sequence"
_ROWS_ON_LOOP = 300
"""Up to here a run is shorter than the way to a thread and back is worth; beyond, others should not wait for it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Scores of N items, and where they come from."""

    scores: Scores
    """shape (N,)."""
    policy: str
    """How an order by these scores is called in the log."""
    model: Model | None
    """Whose scores, or priors, these are."""
    degraded: list[str]


class Judge:
    """Scores items by the best that is there."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def judge(
        self, items: list[str], model: Model | None, view: str, answer: Answered | None
    ) -> Judged:
        """Scores by the model; without it, or features for it, by what the store or the bundle say of the items.

        Parameters
        ----------
        view
            That the answer is of.
        answer
            Vectors of ``items``; None where they could not be had.
        """
        if answer is None:
            if model is None:
                return Judged(np.zeros(len(items)), REQUEST_ORDER, None, [FEATURES, MODEL])
            return Judged(model.prior_scores(items), BUNDLE_PRIORS, model, [FEATURES])
        late = [MIN_SEQUENCE] if answer.stale else []
        if model is not None:
            scores = await self.scores(model, view, answer)
            if scores is not None:
                return Judged(scores, GREEDY, model, late)
        if answer.priors or model is None:
            scores = np.frombuffer(answer.priors, "<f4").astype(np.float64)
            return Judged(scores, LIVE_PRIORS, None, [MODEL, *late])
        return Judged(model.prior_scores(items), BUNDLE_PRIORS, None, [MODEL, *late])

    async def scores(self, model: Model, view: str, answer: Answered) -> Scores | None:
        """The model's scores of the answer's vectors, or none if these are not for it."""
        if view != model.view or answer.n_features != model.n_features:
            return None
        vectors = np.frombuffer(answer.vectors, "<f4").reshape(-1, model.n_features)
        if not len(vectors):
            return np.zeros(0)
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
