"""Means over people's lists, their intervals, and how unequally items are shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_cli.reporting.exposure import gini, lorenz
from eddyline_cli.reporting.rates import Rate, mean_over_people, share_bounds

COUNTS = st.lists(st.integers(0, 1_000), min_size=1, max_size=50)


def test_one_person_s_many_lists_say_no_more_than_one_person() -> None:
    few = mean_over_people((person, float(person % 2)) for person in range(20) for _ in range(100))
    apart = mean_over_people((person, float(person % 2)) for person in range(2_000))
    assert few.mean == apart.mean == 0.5
    assert few.n == apart.n == 2_000
    assert few.se == pytest.approx(0.115, rel=0.02)
    assert apart.se == pytest.approx(0.0112, rel=0.02)
    assert mean_over_people([]) == Rate(None, None, 0)
    assert mean_over_people([("u", 1.0)]).se is None


def test_bounds_of_a_share_stay_within_it_and_say_that_nothing_seen_is_not_nothing() -> None:
    none = share_bounds(mean_over_people((person, 0.0) for person in range(40)))
    assert none is not None
    assert none[0] == pytest.approx(0.0, abs=1e-12)
    assert 0.05 < none[1] < 0.15
    half = share_bounds(mean_over_people((person, float(person % 2)) for person in range(400)))
    assert half is not None
    assert half == (pytest.approx(0.451, abs=0.003), pytest.approx(0.549, abs=0.003))
    assert share_bounds(Rate(None, None, 0)) is None


def test_gini_of_known_shares() -> None:
    assert gini(np.array([3, 3, 3, 3])) == pytest.approx(0.0)
    assert gini(np.array([0, 0, 0, 12])) == pytest.approx(0.75)
    assert gini(np.array([1, 3])) == pytest.approx(0.25)
    assert np.isnan(gini(np.array([0, 0])))


@given(counts=COUNTS)
def test_gini_is_twice_the_area_between_the_diagonal_and_the_lorenz_curve(counts: list[int]) -> None:
    of = np.array(counts, np.int64)
    if not of.sum():
        return
    x, y = lorenz(of, n_points=len(of))
    area = float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())
    assert gini(of) == pytest.approx(1.0 - 2.0 * area, abs=1e-9)
    assert (x[0], y[0], x[-1], y[-1]) == (0.0, 0.0, 1.0, pytest.approx(1.0))
    assert (np.diff(y) >= -1e-12).all()
