"""Numbers of candidates in ascending order, and constants that kernels hold copies of."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_features import entities, ordering, rings
from eddyline_features.kinds import affinity, fatigue, interacted_with, relative, sequence

_numbers = st.floats(allow_infinity=False) | st.integers(-3, 3).map(float)


@settings(deadline=None, max_examples=200)
@given(st.lists(_numbers, max_size=70))
def test_what_is_known_stands_in_ascending_order(numbers: list[float]) -> None:
    values = np.array([numbers], np.float64).reshape(1, -1)
    ordered, n_known = np.full_like(values, np.nan), np.zeros(1, np.int32)
    ordering.sort_known(values, ordered, n_known)
    known = sorted(number for number in numbers if not math.isnan(number))
    assert n_known[0] == len(known)
    assert ordered[0, : len(known)].tolist() == known


def test_numbers_are_gathered_within_bounds_and_zero_has_one_sign() -> None:
    numbers = np.array([[1e308], [-1e308], [-0.0], [np.nan], [3.0]])
    out = np.array([[np.nan] * 6, [0.5, -0.0, 1e200, np.nan, 1.0, 2.0]])
    ordering.gather_numbers(
        np.array([0, 1, 2, 3, 4, -1], np.int32), numbers, np.array([0, -1], np.int32), out
    )
    assert out[0, :3].tolist() == [1e100, -1e100, 0.0]
    assert not np.signbit(out[:, 1:3][out[:, 1:3] == 0.0]).any()
    assert np.isnan(out[0, [3, 5]]).all()
    assert out[1, [0, 2]].tolist() == [0.5, 1e100]


def test_the_kernels_own_constants_agree_with_those_of_the_tables() -> None:
    for kind in (affinity, fatigue, interacted_with, relative, sequence):
        assert (kind._HEAD, kind._GENERATION) == (rings.HEAD, entities.GENERATION), kind.__name__
    assert relative._MOST == ordering._MOST
    assert fatigue._OLDEST == sequence._OLDEST == 2**53
