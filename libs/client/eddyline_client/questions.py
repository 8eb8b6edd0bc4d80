"""The questions of `AsyncQuestions` for programs without an event loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from eddyline_client.async_questions import AsyncQuestions

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _waited_for(
    ask: Callable[Concatenate[AsyncQuestions, _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate[Questions, _P], _T]:
    """The same question, with the same words, that returns its answer."""

    @wraps(ask)
    def asked(self: Questions, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return self._do(ask(self._client, *args, **kwargs))

    return asked


class Questions:
    """The part of `Client` that asks."""

    _client: AsyncQuestions

    rank = _waited_for(AsyncQuestions.rank)
    recommend = _waited_for(AsyncQuestions.recommend)
    recommend_batch = _waited_for(AsyncQuestions.recommend_batch)
    predict = _waited_for(AsyncQuestions.predict)
    similar = _waited_for(AsyncQuestions.similar)
    trending = _waited_for(AsyncQuestions.trending)

    def _do(self, call: Coroutine[Any, Any, _T]) -> _T:
        raise NotImplementedError
