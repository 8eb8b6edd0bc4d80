"""Forward decay: the numbers are right, and stay right when landmarks move."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eddyline_features import decay
from tests.support.builders import DAY, HOUR, START, a_click, a_slate, logged
from tests.unit.features.reading import a_state, columns


def test_exp2_is_exact_at_its_ends_and_right_to_the_last_bits_between() -> None:
    assert decay.exp2(0.0) == 1.0
    assert decay.exp2(1.0) == 2.0
    for x in np.linspace(0.0, 1.0, 10_001):
        assert decay.exp2(float(x)) == pytest.approx(2.0 ** float(x), rel=5e-16)


def test_exp2_never_falls() -> None:
    values = [decay.exp2(float(x)) for x in np.linspace(0.0, 1.0, 10_001)]
    assert values == sorted(values)


def test_a_count_halves_with_every_half_life() -> None:
    state = a_state(
        "name: c, kind: count, of: click, half_lives: [1h, forever]", events=[logged(a_click(), 1, START)]
    )
    for hours in (0, 1, 2, 10):
        found = columns(state, at=START + hours * HOUR)
        assert found["c_1h"] == pytest.approx(0.5**hours, rel=1e-6)
        assert found["c_forever"] == 1.0


def test_a_late_event_counts_as_if_it_had_come_in_time() -> None:
    clicks = [
        logged(a_click(), 1, START),
        logged(a_click(), 2, START + HOUR),
        logged(a_click(), 3, START - 3 * HOUR),
    ]
    state = a_state("name: c, kind: count, of: click, half_lives: [1h]", events=clicks)
    assert columns(state, at=START + HOUR)["c_1h"] == 0.5 + 1.0 + 0.0625


def test_moving_the_landmark_is_exact() -> None:
    """10 years in half-lives of a second, with reads on both sides of every move."""
    state = a_state("name: c, kind: count, of: click, half_lives: [1s]")
    at, expected = START, 0.0
    for sequence in range(1, 3_000):
        state.apply(logged(a_click(), sequence, at))
        expected = expected + 1.0
        assert columns(state, at=at)["c_1s"] == np.float32(expected)
        at += 1_000
        expected *= 0.5
    state.apply(logged(a_click(), 5_000, at + 3_650 * DAY))
    assert columns(state, at=at + 3_650 * DAY)["c_1s"] == 1.0


def test_what_is_long_ago_is_nothing_but_never_negative_or_nan() -> None:
    state = a_state(
        "name: c, kind: count, of: click, half_lives: [1s]",
        "name: r, kind: rate, half_lives: [1s], strength: 10",
        events=[logged(a_slate(["i1"]), 1, 0), logged(a_click(), 2, -(10**12))],
    )
    found = columns(state, at=2**53)
    assert found["c_1s"] == 0.0
    assert math.isfinite(found["r_1s"])
