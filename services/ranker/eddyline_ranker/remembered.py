"""Answers by request id, so that a retry gets the slate that its first attempt made, even while that is under way."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import uuid_utils

from eddyline_contracts.api import RankRequest
from eddyline_contracts.api_recommend import RecommendRequest
from eddyline_runtime.problems import Conflict

_MOST_BYTES = 64 * 1024 * 1024
"""A slate of twenty has 2 kB, and one of a thousand items with explanations more than a hundred times as much."""
_encoder = msgspec.msgpack.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class _Answer:
    fingerprint: bytes
    body: asyncio.Future[bytes]


class RememberedAnswers:
    """A bounded number of the answers used last, and of their bytes.

    It is this process's memory only. Another replica ranks a retry anew, but `slate_of` gives it the same slate id, so
    the log still counts one slate: the first that reached it.
    """

    def __init__(self, limit: int, most_bytes: int = _MOST_BYTES) -> None:
        self._limit = limit
        self._most_bytes = most_bytes
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._n_bytes = 0

    async def get(
        self, request_id: str, request: RankRequest | RecommendRequest, make: Callable[[], Awaitable[bytes]]
    ) -> tuple[bytes, bool]:
        """The answer to this request id and whether it was there already; ``make`` is called for the first.

        Raises
        ------
        Conflict
            If the id was used for a different request.
        """
        # How fresh features are to be is no part of what is asked for: who retries may have sent events meanwhile.
        asked = msgspec.structs.replace(request, min_sequence=0)
        fingerprint = hashlib.blake2b(_encoder.encode(asked), digest_size=16).digest()
        known = self._answers.get(request_id)
        if known is None:
            return await self._make(request_id, fingerprint, make), False
        if known.fingerprint != fingerprint:
            raise Conflict(f"`request_id` {request_id!r} was used for a different request: take a new one")
        self._answers.move_to_end(request_id)
        return await asyncio.shield(known.body), True

    async def _make(self, request_id: str, fingerprint: bytes, make: Callable[[], Awaitable[bytes]]) -> bytes:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        own = self._answers[request_id] = _Answer(fingerprint, future)
        self._forget()
        try:
            body = await make()
        except BaseException as error:
            # The next attempt shall rank anew; those who wait already learn of the fault.
            if self._answers.get(request_id) is own:
                del self._answers[request_id]
            future.set_exception(
                error if isinstance(error, Exception) else RuntimeError("the first attempt was cut off")
            )
            future.exception()
            raise
        future.set_result(body)
        if self._answers.get(request_id) is own:
            self._n_bytes += len(body)
            self._forget()
        return body

    def _forget(self) -> None:
        """Let go of the oldest beyond the bounds."""
        while len(self._answers) > self._limit or (
            self._n_bytes > self._most_bytes and len(self._answers) > 1
        ):
            _, oldest = self._answers.popitem(last=False)
            if oldest.body.done():
                self._n_bytes -= len(oldest.body.result())


def slate_of(request: RankRequest | RecommendRequest) -> str:
    """Id of the slate of a request: of one with an id the same on every replica, and another for another person."""
    if request.request_id is None:
        return str(uuid_utils.uuid7())
    told = "\0".join((request.request_id, request.user or "", request.session or ""))
    return str(uuid.UUID(bytes=hashlib.sha256(told.encode()).digest()[:16], version=5))
