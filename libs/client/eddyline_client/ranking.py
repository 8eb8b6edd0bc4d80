"""``POST /v1/rank``: asked again while the ranker is away, under one ``request_id``, so that it is one slate."""

from __future__ import annotations

import asyncio
import random

import aiohttp
import msgspec

from eddyline_client.backoff import pause_s
from eddyline_client.errors import Conflict, Invalid, Misdirected, Unavailable
from eddyline_client.http_carrier import LATER, retry_after_s
from eddyline_client.outgoing import encoded
from eddyline_contracts.api import Problem, RankRequest, Slate

_slate = msgspec.json.Decoder(Slate).decode
_problem = msgspec.json.Decoder(Problem).decode
_FIRST_S, _MOST_S = 0.05, 1.0


async def ask(session: aiohttp.ClientSession, url: str, request: RankRequest, timeout_s: float) -> Slate:
    """The answer of the ranker.

    Raises
    ------
    Invalid
        If the request cannot be answered as it is; `Conflict` if its ``request_id`` was used for another.
    Unavailable
        If there was no answer in time; `Misdirected` if something else answered.
    """
    address, body, rng = f"{url.rstrip('/')}/v1/rank", encoded(request), random.Random()
    reason, attempt, loop = "no answer", 0, asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        attempt += 1
        asked_s = 0.0
        try:
            async with asyncio.timeout_at(deadline):
                async with session.post(
                    address, data=body, headers={"Content-Type": "application/json"}
                ) as answer:
                    told = await answer.read()
        except TimeoutError:
            raise Unavailable(f"{address}: no slate within {timeout_s:g} s: {reason}") from None
        except (aiohttp.ClientError, OSError) as error:
            reason = str(error) or type(error).__name__
        else:
            if answer.status == 200:
                return _read(address, told)
            if answer.status < 500 and answer.status not in LATER:
                raise _refused(address, answer.status, told)
            reason = f"it answered {answer.status}"
            asked_s = retry_after_s(answer.headers.get("Retry-After"))
        pause = pause_s(attempt, first_s=_FIRST_S, most_s=_MOST_S, asked_s=asked_s, rng=rng)
        if loop.time() + pause >= deadline:
            raise Unavailable(f"{address}: no slate within {timeout_s:g} s: {reason}")
        await asyncio.sleep(pause)


def _read(address: str, told: bytes) -> Slate:
    try:
        return _slate(told)
    except msgspec.MsgspecError as error:
        raise Misdirected(f"{address} answered something else than a slate: is that the ranker?") from error


def _refused(address: str, status: int, told: bytes) -> Exception:
    try:
        problem = _problem(told)
    except msgspec.MsgspecError:
        return Misdirected(f"{address} answered {status}: is that the ranker?")
    if status == 409:
        return Conflict(problem.detail, problem.code)
    if status in (400, 413, 422):
        return Invalid(problem.detail, problem.code)
    return Misdirected(f"{address} answered {status}: {problem.detail}")
