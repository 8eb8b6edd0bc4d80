"""The questions of `AsyncQuestions` for programs without an event loop."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from eddyline_client.async_questions import AsyncQuestions
from eddyline_contracts.api import RankItem, Slate
from eddyline_contracts.api_catalogue import SimilarItems, TrendingItems
from eddyline_contracts.api_predict import Predictions, PredictPair
from eddyline_contracts.api_recommend import BatchAnswer, RecommendRequest

_T = TypeVar("_T")


class Questions:
    """The part of `Client` that asks."""

    _client: AsyncQuestions

    def rank(
        self,
        items: Sequence[str | RankItem],
        *,
        user: str | None = None,
        session: str | None = None,
        context: Mapping[str, Any] | None = None,
        occurred_at: datetime | int | None = None,
        min_sequence: int = 0,
        log: bool = True,
        explain: bool = False,
        request_id: str | None = None,
    ) -> Slate:
        """See `AsyncQuestions.rank`."""
        return self._do(
            self._client.rank(
                items,
                user=user,
                session=session,
                context=context,
                occurred_at=occurred_at,
                min_sequence=min_sequence,
                log=log,
                explain=explain,
                request_id=request_id,
            )
        )

    def recommend(
        self,
        *,
        user: str | None = None,
        session: str | None = None,
        n: int = 20,
        context: Mapping[str, Any] | None = None,
        exclude: Sequence[str] = (),
        filters: Mapping[str, Any] | None = None,
        caps: Mapping[str, int] | None = None,
        diversity: float | None = None,
        occurred_at: datetime | int | None = None,
        min_sequence: int = 0,
        log: bool = True,
        explain: bool = False,
        request_id: str | None = None,
    ) -> Slate:
        """See `AsyncQuestions.recommend`."""
        return self._do(
            self._client.recommend(
                user=user,
                session=session,
                n=n,
                context=context,
                exclude=exclude,
                filters=filters,
                caps=caps,
                diversity=diversity,
                occurred_at=occurred_at,
                min_sequence=min_sequence,
                log=log,
                explain=explain,
                request_id=request_id,
            )
        )

    def recommend_batch(self, requests: Sequence[RecommendRequest]) -> list[BatchAnswer]:
        """See `AsyncQuestions.recommend_batch`."""
        return self._do(self._client.recommend_batch(requests))

    def predict(
        self,
        pairs: Sequence[PredictPair | tuple[str, str]],
        *,
        context: Mapping[str, Any] | None = None,
        occurred_at: datetime | int | None = None,
        min_sequence: int = 0,
    ) -> Predictions:
        """See `AsyncQuestions.predict`."""
        return self._do(
            self._client.predict(pairs, context=context, occurred_at=occurred_at, min_sequence=min_sequence)
        )

    def similar(
        self,
        item: str,
        *,
        n: int = 20,
        by: Sequence[str] = (),
        filters: Mapping[str, Any] | None = None,
        exclude: Sequence[str] = (),
        min_sequence: int = 0,
    ) -> SimilarItems:
        """See `AsyncQuestions.similar`."""
        return self._do(
            self._client.similar(
                item, n=n, by=by, filters=filters, exclude=exclude, min_sequence=min_sequence
            )
        )

    def trending(
        self,
        *,
        n: int = 20,
        half_life: str | None = None,
        over: str | None = None,
        field: str | None = None,
        value: str | None = None,
        filters: Mapping[str, Any] | None = None,
        exclude: Sequence[str] = (),
        min_sequence: int = 0,
    ) -> TrendingItems:
        """See `AsyncQuestions.trending`."""
        return self._do(
            self._client.trending(
                n=n,
                half_life=half_life,
                over=over,
                field=field,
                value=value,
                filters=filters,
                exclude=exclude,
                min_sequence=min_sequence,
            )
        )

    def _do(self, call: Coroutine[Any, Any, _T]) -> _T:
        raise NotImplementedError
