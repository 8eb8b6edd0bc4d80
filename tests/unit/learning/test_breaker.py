"""The circuit breaker: a stream of clicks that stalls is told from people who click rarely, seldom or in bursts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_features.learning_settings import Breaker as Settings
from eddyline_learning.breaker import Breaker, Verdict


def told(breaker: Breaker, answers: list[bool]) -> list[Verdict]:
    """Its verdicts, slate by slate."""
    return [breaker.observe(answered=answered) for answered in answers]


def drawn(rate: float, n: int, seed: int = 1) -> list[bool]:
    """Slates that are answered with this probability, each for itself."""
    return [bool(x) for x in np.random.default_rng(seed).random(n) < rate]


@pytest.mark.parametrize("rate", [0.9, 0.3, 0.02])
def test_a_silence_that_chance_does_not_explain_opens_it_after_fourteen_missing_answers(rate: float) -> None:
    breaker = Breaker(Settings())
    told(breaker, [*drawn(rate, round(1_000 / rate)), True, True])
    assert breaker.n_opened == 0
    verdicts = told(breaker, [False] * round(60 / rate))
    assert breaker.is_open
    missing = verdicts.index(Verdict.STALLED) * rate
    assert 12 <= missing <= 30, "as many as chance explains once in a million, and the spread on top"
    assert Verdict.CLEAR not in verdicts, "no slate of the silence was let through"


@pytest.mark.parametrize("rate", [0.9, 0.3, 0.02])
def test_it_closes_by_itself_when_answers_come_back(rate: float) -> None:
    breaker = Breaker(Settings())
    told(breaker, [*drawn(rate, round(1_000 / rate)), *[False] * round(100 / rate)])
    assert breaker.is_open
    verdicts = told(breaker, drawn(rate, round(50 / rate), seed=2))
    assert not breaker.is_open
    assert verdicts.count(Verdict.STALLED) * rate < 10, "little of what came after was given up"


def test_chance_alone_hardly_ever_opens_it() -> None:
    n_opened = 0
    for seed in range(10):
        breaker = Breaker(Settings())
        told(breaker, drawn(0.3, 20_000, seed))
        n_opened += breaker.n_opened
    assert n_opened == 0


def test_answers_that_come_in_bursts_need_a_longer_silence() -> None:
    # Now 40 slates of which half are answered, now 40 of crawlers, of which none is.
    rng = np.random.default_rng(1)
    bursts = [bool(answered) for _ in range(200) for answered in [*(rng.random(40) < 0.5), *[False] * 40]]
    steady = Breaker(Settings())
    told(steady, [*drawn(0.25, 4_000), True, True, True])
    bursty = Breaker(Settings())
    told(bursty, [*bursts, True, True, True])
    assert bursty.n_opened == 0
    silence = [False] * 2_000
    assert told(steady, silence).index(Verdict.STALLED) < told(bursty, silence).index(Verdict.STALLED)


def test_a_stream_that_falls_to_a_third_is_no_silence() -> None:
    breaker = Breaker(Settings())
    told(breaker, [*drawn(0.6, 2_000), *drawn(0.2, 8_000)])
    assert breaker.n_opened == 0
    assert breaker.rate == pytest.approx(0.2, abs=0.05), "what is usual follows"


def test_a_trickle_that_lasts_becomes_the_usual() -> None:
    breaker = Breaker(Settings())
    told(breaker, drawn(0.6, 2_000))
    verdicts = told(breaker, drawn(0.01, 200_000))
    assert breaker.n_opened >= 1
    assert not breaker.is_open
    assert verdicts[-1] is Verdict.CLEAR or breaker.rate < 0.02


def test_before_anything_is_usual_nothing_is_unusual() -> None:
    breaker = Breaker(Settings())
    assert set(told(breaker, [*[True] * 99, *[False] * 10_000])) == {Verdict.CLEAR}
    assert math.isnan(breaker.rate)


def test_a_share_of_nothing_turns_it_off() -> None:
    breaker = Breaker(Settings(share=0.0))
    assert set(told(breaker, [*[True] * 1_000, *[False] * 10_000])) == {Verdict.CLEAR}


def test_it_says_how_many_were_silent_and_how_many_are_usual() -> None:
    breaker = Breaker(Settings())
    told(breaker, [*drawn(0.5, 1_000), *[False] * 100])
    assert "slates ripened with 0 answered, where" in breaker.reason


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(0, 600)), max_size=8), st.integers(0, 2**32 - 1))
def test_whatever_comes_no_number_is_lost(parts: list[tuple[float, int]], seed: int) -> None:
    breaker = Breaker(Settings())
    told(breaker, drawn(0.5, 400))
    for rate, n in parts:
        told(breaker, drawn(rate, n, seed))
    assert 0.0 <= breaker.rate <= 1.0
    assert (breaker.reason != "") == (breaker.n_opened > 0)
