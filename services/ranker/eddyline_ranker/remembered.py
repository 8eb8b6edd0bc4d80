"""Answers by request id, so that a retry gets the slate that its first attempt made, even while that is under way."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from eddyline_contracts.api import RankRequest
from eddyline_contracts.api_recommend import RecommendRequest
from eddyline_runtime.problems import Conflict

_encoder = msgspec.msgpack.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class _Answer:
    fingerprint: bytes
    body: asyncio.Future[bytes]


class RememberedAnswers:
    """A bounded number of the answers used last.

    It is this process's memory only. Another replica ranks a retry anew, but `slate_of` gives it the same slate id, so
    the log still counts one slate: the first that reached it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._answers: OrderedDict[str, _Answer] = OrderedDict()

    async def get(
        self, request_id: str, request: RankRequest | RecommendRequest, make: Callable[[], Awaitable[bytes]]
    ) -> tuple[bytes, bool]:
        """The answer to this request id and whether it was there already; ``make`` is called for the first.

        Raises
        ------
        Conflict
            If the id was used for a different request.
        """
        fingerprint = hashlib.blake2b(_encoder.encode(request), digest_size=16).digest()
        known = self._answers.get(request_id)
        if known is None:
            return await self._make(request_id, fingerprint, make), False
        if known.fingerprint != fingerprint:
            raise Conflict(f"`request_id` {request_id!r} was used for a different request: take a new one")
        self._answers.move_to_end(request_id)
        return await asyncio.shield(known.body), True

    async def _make(self, request_id: str, fingerprint: bytes, make: Callable[[], Awaitable[bytes]]) -> bytes:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[request_id] = _Answer(fingerprint, future)
        if len(self._answers) > self._limit:
            self._answers.popitem(last=False)
        try:
            body = await make()
        except BaseException as error:
            # The next attempt shall rank anew; those who wait already learn of the fault.
            self._answers.pop(request_id, None)
            future.set_exception(
                error if isinstance(error, Exception) else RuntimeError("the first attempt was cut off")
            )
            future.exception()
            raise
        future.set_result(body)
        return body


def slate_of(request: RankRequest | RecommendRequest) -> str:
    """Id of the slate of a request with an id: the same on every replica, and another for another person."""
    told = "\0".join((request.request_id or "", request.user or "", request.session or ""))
    return str(uuid.UUID(bytes=hashlib.sha256(told.encode()).digest()[:16], version=5))
