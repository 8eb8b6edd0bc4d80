"""What is to be expected of pairs of a person and an item: one question for each person, of all items at once.

The items of a person are read as one list, each once, in the order of the pairs. Only features that compare candidates
with each other tell that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

import numpy as np

from eddyline_contracts.api_predict import Prediction, Predictions, PredictPair, PredictRequest
from eddyline_contracts.vectors import VectorsAnswer, VectorsRequest
from eddyline_features.declarations.online import VALUE
from eddyline_features.view import View
from eddyline_ranker import metrics
from eddyline_ranker.asking import asked
from eddyline_ranker.champion import ChampionWatch
from eddyline_ranker.features_client import FeaturesClient
from eddyline_ranker.judging import FEATURES, MIN_SEQUENCE, MODEL, Judge
from eddyline_ranker.model import Model, Scores

_AT_A_TIME = 16
"""Questions of one request that wait for the feature-store at a time, so that others have their turn."""
_FORETELLING = ("rating", "click")
"""Objectives whose scores say what is to be expected; those of ``rank`` only order."""

_Unit = Literal["value", "probability", "rate"]
_By = Literal["booster", "online", "prior", "nothing"]
_Person = tuple[str | None, str | None]
"""User and session."""


@dataclass(frozen=True, slots=True)
class _Expected:
    """Of one person's items."""

    values: Scores | None
    unit: _Unit
    by: _By
    view: str
    answer: VectorsAnswer | None


class Predictor:
    """Predicts by the booster where its scores mean something, else by the online model."""

    def __init__(
        self,
        champion: ChampionWatch,
        features: FeaturesClient,
        judge: Judge,
        *,
        view: View,
        max_wait_ms: int,
    ) -> None:
        self._champion = champion
        self._features = features
        self._judge = judge
        self._view = view
        self._max_wait_ms = max_wait_ms

    async def predict(self, request: PredictRequest) -> Predictions:
        """Answer a request; ``took_ms`` is still to be said."""
        serving = self._champion.model
        # A booster that only orders is not asked at all: the online model's answer needs no vectors of its view.
        model = serving if serving is not None and serving.objective in _FORETELLING else None
        room = asyncio.Semaphore(_AT_A_TIME)
        began = perf_counter()

        async def expect(who: _Person, items: list[str]) -> _Expected:
            async with room:
                # Whoever had their turn after others have waited need not wait as long again.
                left_ms = self._max_wait_ms - round((perf_counter() - began) * 1_000)
                return await self._expect(request, who, items, model, wait_ms=max(0, left_ms))

        people = _by_person(request.pairs)
        found = await asyncio.gather(*(expect(who, list(items)) for who, items in people.items()))
        predictions: list[Prediction | None] = [None] * len(request.pairs)
        for items, expected in zip(people.values(), found, strict=True):
            values = [None] * len(items) if expected.values is None else expected.values.tolist()
            told = [
                (at, value) for places, value in zip(items.values(), values, strict=True) for at in places
            ]
            for at, value in told:
                pair = request.pairs[at]
                predictions[at] = Prediction(
                    item=pair.item,
                    user=pair.user,
                    session=pair.session,
                    value=value,
                    unit=expected.unit,
                    by=expected.by,
                )
        degraded = self._degraded(found, serving)
        metrics.PREDICTIONS.answered(degraded)
        answers = [expected.answer for expected in found]
        return Predictions(
            predictions=[prediction for prediction in predictions if prediction is not None],
            model=model.name if model is not None and _any_by(found, "booster") else None,
            view=found[0].view,
            features_sequence=_least([None if answer is None else answer.sequence for answer in answers]),
            degraded=degraded,
            took_ms=0.0,
        )

    async def _expect(
        self,
        request: PredictRequest,
        who: _Person,
        items: list[str],
        model: Model | None,
        *,
        wait_ms: int,
    ) -> _Expected:
        at = request.occurred_at
        assert at is None or isinstance(at, int)

        async def ask(view: str, priors: bool) -> VectorsAnswer:
            patience = wait_ms if request.min_sequence else 0
            question = VectorsRequest(
                *who, items, None, request.context, at, request.min_sequence, patience, priors
            )
            return await self._features.vectors(view, question)

        view, answer = await asked(model, self._view.id, ask)
        if answer is not None and model is not None:
            scores = await self._judge.scores(model, view, answer)
            if scores is not None:
                if model.objective == "rating":
                    return _Expected(scores, "value", "booster", view, answer)
                return _Expected(_probabilities(scores), "probability", "booster", view, answer)
        if answer is not None and answer.priors:
            scores = np.frombuffer(answer.priors, "<f4").astype(np.float64)
            online = self._view.online
            if online is None:
                return _Expected(scores, "rate", "prior", view, answer)
            unit: _Unit = "value" if online.target == VALUE else "probability"
            return _Expected(scores, unit, "online", view, answer)
        serving = model or self._champion.model
        if serving is None:
            return _Expected(None, "rate", "nothing", view, answer)
        return _Expected(serving.prior_scores(items), "rate", "prior", view, answer)

    def _degraded(self, found: list[_Expected], serving: Model | None) -> list[str]:
        lost = any(expected.answer is None for expected in found)
        # Under `rank` the online model is what predicts, with or without a booster.
        foretold = (self._view.learning.objective if serving is None else serving.objective) in _FORETELLING
        told = {
            FEATURES: lost,
            MODEL: foretold and not lost and not all(expected.by == "booster" for expected in found),
            MIN_SEQUENCE: any(expected.answer is not None and expected.answer.stale for expected in found),
        }
        return [what for what, is_missing in told.items() if is_missing]


def _by_person(pairs: list[PredictPair]) -> dict[_Person, dict[str, list[int]]]:
    """Of each person the items, each once however often it is asked of, and the places of their pairs."""
    people: dict[_Person, dict[str, list[int]]] = {}
    for at, pair in enumerate(pairs):
        people.setdefault((pair.user, pair.session), {}).setdefault(pair.item, []).append(at)
    return people


def _any_by(found: Iterable[_Expected], by: _By) -> bool:
    return any(expected.by == by for expected in found)


def _least(sequences: list[int | None]) -> int | None:
    known = [sequence for sequence in sequences if sequence is not None]
    return min(known) if len(known) == len(sequences) else None


def _probabilities(scores: Scores) -> Scores:
    """Of log-odds; exact for those that are next to impossible, too."""
    likely: Scores = np.exp(-np.logaddexp(0.0, -scores))
    return likely
