"""``POST /v1/recommend:batch``: many requests in one, each with an answer or an error of its own."""

from __future__ import annotations

import asyncio
from time import perf_counter

import msgspec
from aiohttp import web
from msgspec import Struct

from eddyline_contracts.api import Problem, Rejection
from eddyline_contracts.api_recommend import MAX_BATCH
from eddyline_contracts.limits import Refusal, check_depth
from eddyline_features.recommend_settings import Recommend
from eddyline_ranker.recommend_routes import DOOR, Door
from eddyline_ranker.recommendation import read_recommendation
from eddyline_ranker.routes import language_of
from eddyline_runtime.problems import problem, problem_of

_REFUSED = 422
_AT_A_TIME = 8
"""Requests of a batch that are under way at a time, so that others have their turn."""
_encode = msgspec.json.Encoder().encode
_JSON = {"Content-Type": "application/json"}


class _Batch(Struct, forbid_unknown_fields=True):
    requests: list[msgspec.Raw]


class TooManyRequests(Refusal):
    """A batch is larger than is taken."""

    code = "too_many_requests"


_batch = msgspec.json.Decoder(_Batch)


async def recommend_batch(http: web.Request) -> web.Response:
    """``POST /v1/recommend:batch``."""
    door = http.app[DOOR]
    body = await http.read()
    check_depth(body)
    requests = _batch.decode(body).requests
    if len(requests) > MAX_BATCH:
        raise TooManyRequests(
            f"the batch has {len(requests):,} requests; at most {MAX_BATCH} are taken: split it"
        )
    # Without it none of them can be answered.
    settings = door.settings
    room = asyncio.Semaphore(_AT_A_TIME)
    began = perf_counter()

    async def one(raw: msgspec.Raw) -> bytes | Problem:
        async with room:
            waited_ms = round((perf_counter() - began) * 1_000)
            return await _answer(door, settings, bytes(raw), language_of(http), waited_ms)

    answers = await asyncio.gather(*map(one, requests))
    refused = [answer for answer in answers if isinstance(answer, Problem) and answer.status == _REFUSED]
    if answers and len(refused) == len(answers):
        return _none_taken(refused)
    told = [
        {"problem": answer} if isinstance(answer, Problem) else {"slate": msgspec.Raw(answer)}
        for answer in answers
    ]
    return web.Response(body=_encode({"answers": told}), headers=_JSON)


async def _answer(
    door: Door, settings: Recommend, raw: bytes, accepted: str, waited_ms: int
) -> bytes | Problem:
    try:
        wanted = read_recommendation(raw, settings)
        return await door.answer(wanted, perf_counter(), accepted, waited_ms=waited_ms)
    except Exception as error:
        return problem_of(error)


def _none_taken(refused: list[Problem]) -> web.Response:
    first = refused[0]
    return problem(
        _REFUSED,
        "Refused",
        f"none of the {len(refused):,} requests can be taken; the first: {first.detail}",
        code=first.code,
        errors=[
            Rejection(index=index, code=told.code, detail=told.detail) for index, told in enumerate(refused)
        ],
    )
