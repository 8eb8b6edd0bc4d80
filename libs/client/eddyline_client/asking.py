"""One question by HTTP: asked again while the service is away, so a ``POST`` needs a ``request_id`` to be one slate."""

from __future__ import annotations

import asyncio
import random
from typing import Any, TypeVar

import aiohttp
import msgspec

from eddyline_client.backoff import pause_s
from eddyline_client.errors import Conflict, Invalid, Misdirected, Unavailable, Unknown
from eddyline_client.http_carrier import LATER, retry_after_s
from eddyline_client.outgoing import encoded
from eddyline_contracts.api import Problem
from eddyline_contracts.api_catalogue import UNKNOWN_ITEM

_T = TypeVar("_T")
_problem = msgspec.json.Decoder(Problem).decode
_FIRST_S, _MOST_S = 0.05, 1.0


async def ask(
    session: aiohttp.ClientSession, address: str, form: type[_T], timeout_s: float, request: Any = None
) -> _T:
    """The answer in its ``form``, to a ``POST`` of the request, or to a ``GET`` where there is none.

    Raises
    ------
    Invalid
        If the request cannot be answered as it is; `Conflict` if it contradicts what is there; `Unknown` if nothing is
        known of what it names.
    Unavailable
        If there was no answer in time; `Misdirected` if something else answered.
    """
    method, body = ("GET", None) if request is None else ("POST", encoded(request))
    headers = {} if body is None else {"Content-Type": "application/json"}
    rng = random.Random()
    reason, attempt, loop = "no answer", 0, asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        attempt += 1
        asked_s = 0.0
        try:
            async with asyncio.timeout_at(deadline):
                async with session.request(method, address, data=body, headers=headers) as answer:
                    told = await answer.read()
        except TimeoutError:
            raise Unavailable(f"{address}: no answer within {timeout_s:g} s: {reason}") from None
        except (aiohttp.ClientError, OSError) as error:
            reason = str(error) or type(error).__name__
        else:
            if answer.status == 200:
                return _read(address, told, form)
            if answer.status < 500 and answer.status not in LATER:
                raise _refused(address, answer.status, told)
            reason = f"it answered {answer.status}"
            asked_s = retry_after_s(answer.headers.get("Retry-After"))
        pause = pause_s(attempt, first_s=_FIRST_S, most_s=_MOST_S, asked_s=asked_s, rng=rng)
        if loop.time() + pause >= deadline:
            raise Unavailable(f"{address}: no answer within {timeout_s:g} s: {reason}")
        await asyncio.sleep(pause)


def _read(address: str, told: bytes, form: type[_T]) -> _T:
    try:
        return msgspec.json.decode(told, type=form)
    except msgspec.MsgspecError as error:
        raise Misdirected(f"{address} answered something else than expected: is that the service?") from error


def _refused(address: str, status: int, told: bytes) -> Exception:
    try:
        problem = _problem(told)
    except msgspec.MsgspecError:
        return Misdirected(f"{address} answered {status}: is that the service?")
    if status == 409:
        return Conflict(problem.detail, problem.code)
    if status == 404 and problem.code == UNKNOWN_ITEM:
        return Unknown(problem.detail, problem.code)
    if status in (400, 413, 422):
        return Invalid(problem.detail, problem.code)
    return Misdirected(f"{address} answered {status}: {problem.detail}")
