"""A retry gets what the first attempt made."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from eddyline_contracts.api import RankRequest
from eddyline_ranker.remembered import RememberedAnswers, slate_of
from eddyline_runtime.problems import Conflict

REQUEST = RankRequest(items=["a", "b"], user="u", context={"x": 1, "y": 2}, request_id="r")
SAME = RankRequest(items=["a", "b"], user="u", context={"y": 2, "x": 1}, request_id="r")
OTHER = RankRequest(items=["a", "c"], user="u", request_id="r")


class Counted:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.n = 0
        self.go = asyncio.Event()

    async def __call__(self) -> bytes:
        self.n += 1
        n = self.n
        await self.go.wait()
        return str(n).encode()


async def test_attempts_at_the_same_time_share_one_answer() -> None:
    make, answers = Counted(), RememberedAnswers(10)
    attempts = [asyncio.create_task(answers.get("r", request, make)) for request in (REQUEST, SAME, REQUEST)]
    await asyncio.sleep(0)
    make.go.set()
    assert await asyncio.gather(*attempts) == [(b"1", False), (b"1", True), (b"1", True)]


async def test_another_request_under_the_same_id_is_a_conflict() -> None:
    make, answers = Counted(), RememberedAnswers(10)
    make.go.set()
    await answers.get("r", REQUEST, make)
    with pytest.raises(Conflict, match="'r' was used for a different request"):
        await answers.get("r", OTHER, make)


async def test_a_retry_that_asks_for_fresher_features_is_a_retry() -> None:
    make, answers = Counted(), RememberedAnswers(10)
    make.go.set()
    await answers.get("r", REQUEST, make)
    # As a client asks that has sent another event meanwhile.
    later = msgspec.structs.replace(REQUEST, min_sequence=7)
    assert await answers.get("r", later, make) == (b"1", True)


async def test_the_answer_used_longest_ago_is_forgotten_first() -> None:
    make, answers = Counted(), RememberedAnswers(2)
    make.go.set()
    await answers.get("r1", REQUEST, make)
    await answers.get("r2", REQUEST, make)
    await answers.get("r1", REQUEST, make)
    await answers.get("r3", REQUEST, make)
    assert await answers.get("r1", REQUEST, make) == (b"1", True)
    assert await answers.get("r2", REQUEST, make) == (b"4", False)


async def test_large_answers_push_each_other_out_before_their_number_does() -> None:
    answers = RememberedAnswers(100, most_bytes=25)

    async def large() -> bytes:
        return b"x" * 10

    for name in ("r1", "r2", "r3", "r4"):
        await answers.get(name, REQUEST, large)
    found = [(await answers.get(name, REQUEST, large))[1] for name in ("r4", "r3", "r1")]
    assert found == [True, True, False]


async def test_a_failed_attempt_is_not_remembered() -> None:
    answers = RememberedAnswers(10)

    async def fails() -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await answers.get("r", REQUEST, fails)
    make = Counted()
    make.go.set()
    assert await answers.get("r", REQUEST, make) == (b"1", False)


async def test_a_cut_off_attempt_leaves_nobody_waiting() -> None:
    make, answers = Counted(), RememberedAnswers(10)
    first = asyncio.create_task(answers.get("r", REQUEST, make))
    await asyncio.sleep(0)
    second = asyncio.create_task(answers.get("r", REQUEST, make))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(RuntimeError, match="cut off"):
        await second


def test_a_slate_id_follows_from_request_and_person_only() -> None:
    assert slate_of(REQUEST) == slate_of(OTHER)
    assert slate_of(REQUEST) != slate_of(RankRequest(items=["a", "b"], user="v", request_id="r"))
    assert slate_of(REQUEST) != slate_of(RankRequest(items=["a", "b"], user="u", request_id="q"))
