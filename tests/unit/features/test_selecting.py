"""The best of all without sorting them: as sorting would have it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_features import entities, rings
from eddyline_features.retrieval import beside, blocking, liking, seen, selecting

tries = settings(max_examples=80, deadline=None)
some_scores = st.lists(st.sampled_from([0.0, -1.0, 2.0, 1e9, 0.5, float("nan"), 3.25]), max_size=80)


def room(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(2 * n), np.zeros(2 * n, np.int32)


@tries
@given(some_scores, st.integers(0, 30), st.data())
def test_the_best_are_those_that_sorting_puts_first(told: list[float], n: int, data: st.DataObject) -> None:
    scores, blocked = np.array(told), np.array([data.draw(st.booleans()) for _ in told], np.uint8)
    best, rows = room(n)
    found = selecting.best_of_all(len(told), scores, -0.5, blocked, n, best, rows)
    expected = sorted(
        (row for row in range(len(told)) if not blocked[row] and scores[row] > -0.5),
        key=lambda row: (-scores[row], row),
    )[:n]
    assert rows[:found].tolist() == expected
    assert best[:found].tolist() == [scores[row] for row in expected]


@tries
@given(st.lists(st.integers(0, 50), max_size=60), st.integers(0, 30), st.booleans())
def test_the_newest_are_those_that_came_last(told: list[int], n: int, in_order: bool) -> None:
    times = sorted(told) if in_order else told
    meta = np.zeros((len(times), entities.N_META), np.int64)
    meta[:, entities.FIRST_SEEN] = times
    scores, rows = room(n)
    found = selecting.newest(len(times), meta, np.zeros(len(times), np.uint8), n, scores, rows)
    expected = sorted(range(len(times)), key=lambda row: (-times[row], -row))[:n]
    assert rows[:found].tolist() == expected


def test_the_kernels_own_constants_agree_with_those_of_the_tables() -> None:
    for module in (beside, liking):
        assert (module._HEAD, module._GENERATION) == (rings.HEAD, entities.GENERATION), module.__name__
    assert blocking._GENERATION == seen._GENERATION == entities.GENERATION
    assert blocking._REMOVED == entities.REMOVED
    assert selecting._FIRST_SEEN == entities.FIRST_SEEN
