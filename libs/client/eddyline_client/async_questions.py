"""What a client may ask: orders and slates for a person, which wait for its own events, and items for nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from eddyline_client.asking import ask
from eddyline_client.errors import Unavailable
from eddyline_client.outgoing import keys_of, moment, new_id
from eddyline_client.own_writes import OwnWrites
from eddyline_client.sender import Sender
from eddyline_contracts.api import RankItem, RankRequest, Slate
from eddyline_contracts.api_catalogue import SimilarItems, TrendingItems
from eddyline_contracts.api_predict import Predictions, PredictPair, PredictRequest
from eddyline_contracts.api_recommend import BatchAnswer, BatchAnswers, RecommendBatch, RecommendRequest

_OWN_WRITES_S = 1.0
"""How long a slate waits for events of its client to be stored."""
MIN_SEQUENCE = "min_sequence"
_T = TypeVar("_T")
_D = TypeVar("_D", Slate, Predictions)


class AsyncQuestions:
    """The part of `AsyncClient` that asks."""

    _ranker: str
    _feature_store: str
    _timeout_s: float
    _own: OwnWrites
    _session: aiohttp.ClientSession | None

    async def rank(
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
        """Order these items for a person, by all that this client has sent about that person before.

        While that cannot be stored (ingest is away) it is waited for a second, and then ``degraded`` says
        ``min_sequence``.

        Raises
        ------
        Invalid
            If the request cannot be answered as it is.
        Unavailable
            If the ranker was not reached in time.
        """
        own, seen = await self._own_sequence(keys_of(user, session))
        request = RankRequest(
            items=list(items),
            user=user,
            session=session,
            context=dict(context or {}),
            occurred_at=None if occurred_at is None else moment(occurred_at),
            min_sequence=max(min_sequence, own),
            log=log,
            explain=explain,
            request_id=request_id or new_id(),
        )
        return _honest(await self._post("/v1/rank", request, Slate), seen)

    async def recommend(
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
        """Choose ``n`` items from the whole catalogue for a person; waits for own events, and raises, as `rank` does.

        Raises
        ------
        Conflict
            If the view has no section ``recommend``, too.
        """
        own, seen = await self._own_sequence(keys_of(user, session))
        request = RecommendRequest(
            user=user,
            session=session,
            n=n,
            context=dict(context or {}),
            exclude=list(exclude),
            filters=None if filters is None else dict(filters),
            caps=None if caps is None else dict(caps),
            diversity=diversity,
            occurred_at=None if occurred_at is None else moment(occurred_at),
            min_sequence=max(min_sequence, own),
            log=log,
            explain=explain,
            request_id=request_id or new_id(),
        )
        return _honest(await self._post("/v1/recommend", request, Slate), seen)

    async def recommend_batch(self, requests: Sequence[RecommendRequest]) -> list[BatchAnswer]:
        """Many recommendations in one call, at most 100; each has a slate or a problem, in the order of the requests.

        All of them wait for own events about any of their people; those without a ``request_id`` get one.
        """
        keys = {key: None for request in requests for key in keys_of(request.user, request.session)}
        own, seen = await self._own_sequence(tuple(keys))
        named = [
            msgspec.structs.replace(
                request,
                min_sequence=max(request.min_sequence, own),
                request_id=request.request_id or new_id(),
            )
            for request in requests
        ]
        told = await self._post("/v1/recommend:batch", RecommendBatch(requests=named), BatchAnswers)
        return [
            answer
            if answer.slate is None
            else msgspec.structs.replace(answer, slate=_honest(answer.slate, seen))
            for answer in told.answers
        ]

    async def predict(
        self,
        pairs: Sequence[PredictPair | tuple[str, str]],
        *,
        context: Mapping[str, Any] | None = None,
        occurred_at: datetime | int | None = None,
        min_sequence: int = 0,
    ) -> Predictions:
        """What is expected of pairs, as ``("ada", "kite")``, person and item; waits for own events as `rank` does."""
        told = [
            pair if isinstance(pair, PredictPair) else PredictPair(user=pair[0], item=pair[1])
            for pair in pairs
        ]
        keys = {key: None for pair in told for key in keys_of(pair.user, pair.session)}
        own, seen = await self._own_sequence(tuple(keys))
        request = PredictRequest(
            pairs=told,
            context=dict(context or {}),
            occurred_at=None if occurred_at is None else moment(occurred_at),
            min_sequence=max(min_sequence, own),
        )
        return _honest(await self._post("/v1/predict", request, Predictions), seen)

    async def similar(
        self,
        item: str,
        *,
        n: int = 20,
        by: Sequence[str] = (),
        filters: Mapping[str, Any] | None = None,
        exclude: Sequence[str] = (),
        min_sequence: int = 0,
    ) -> SimilarItems:
        """What goes with an item; ``by``: some of ``together``, ``content``, ``taste``, all of them where none is said.

        What this client told about items is waited for.

        Raises
        ------
        Unknown
            If nothing is known of the item.
        """
        own, _ = await self._own_sequence(())
        asked = [("n", n), *(("by", way) for way in by), *_of_items(filters, exclude, max(min_sequence, own))]
        return await self._get(f"/v1/similar/{quote(item, safe='')}", asked, SimilarItems)

    async def trending(
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
        """What many people act on lately; with ``over``, a longer half-life, what rises most.

        ``field`` and ``value`` choose among items, as ``filters`` do.
        """
        own, _ = await self._own_sequence(())
        said = {"n": n, "half_life": half_life, "over": over, "field": field, "value": value}
        asked = [(name, value) for name, value in said.items() if value is not None]
        return await self._get(
            "/v1/trending", [*asked, *_of_items(filters, exclude, max(min_sequence, own))], TrendingItems
        )

    async def _own_sequence(self, keys: Sequence[str]) -> tuple[int, bool]:
        """The place in the log that an answer has to reflect; and whether all own events are known to be stored."""
        sender, number = self._open(), self._own.number(keys)
        if number:
            try:
                await sender.settle(number, min(_OWN_WRITES_S, self._timeout_s))
            except Unavailable:
                # A list that does not know the last click is better than none.
                return self._own.sequence(keys), False
        return self._own.sequence(keys), True

    async def _post(self, path: str, request: Any, form: type[_T]) -> _T:
        assert self._session is not None
        address = self._ranker.rstrip("/") + path
        return await ask(self._session, address, form, self._timeout_s, request)

    async def _get(self, path: str, asked: Sequence[tuple[str, Any]], form: type[_T]) -> _T:
        assert self._session is not None
        address = f"{self._feature_store.rstrip('/')}{path}?{urlencode(asked)}"
        return await ask(self._session, address, form, self._timeout_s)

    def _open(self) -> Sender:
        raise NotImplementedError


def _honest(answer: _D, seen: bool) -> _D:
    """Says so where own events could not be waited for."""
    if seen or MIN_SEQUENCE in answer.degraded:
        return answer
    return msgspec.structs.replace(answer, degraded=[*answer.degraded, MIN_SEQUENCE])


def _of_items(
    filters: Mapping[str, Any] | None, exclude: Sequence[str], min_sequence: int
) -> list[tuple[str, Any]]:
    asked: list[tuple[str, Any]] = [("exclude", item) for item in exclude]
    if filters is not None:
        asked.append(("filters", msgspec.json.encode(filters).decode()))
    if min_sequence:
        asked.append(("min_sequence", min_sequence))
    return asked
