"""What goes with an item, and what many people act on lately: exact, whatever may be given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_features.retrieval.popular import Popular
from eddyline_features.retrieval.similar import Mask, fused, nearest, popularity, sharing, top
from eddyline_features.retrieval.trending import STRENGTH, Trending, trending

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 20_000 * DAY


def everything(n: int) -> Mask:
    return np.ones(n, np.bool_)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(0, 30), st.integers(0, 2**30))
def test_the_top_is_the_top_among_those_that_may_be_given_and_equals_stay_in_order(
    scores: list[int], n: int, seed: int
) -> None:
    among = np.random.default_rng(seed).random(len(scores)) < 0.7
    expected = sorted(np.flatnonzero(among).tolist(), key=lambda row: (-scores[row], row))[:n]
    assert top(np.array(scores, float), among, n).tolist() == expected


def test_what_several_ways_find_comes_before_what_one_finds() -> None:
    near = fused({"together": np.array([4, 2, 9], np.int32), "taste": np.array([2, 7], np.int32)}, 10)
    assert [found.row for found in near] == [2, 4, 7, 9]
    assert near[0].found_by == ["taste", "together"]
    assert near[1].found_by == ["together"]
    both = fused({"together": np.array([3], np.int32), "content": np.array([3], np.int32)}, 1)
    assert both[0].found_by == ["together", "content"]
    assert all(0.0 < found.score <= 1.0 for found in near)


def test_the_order_of_a_single_ranking_stays() -> None:
    near = fused({"content": np.array([5, 1, 3], np.int32)}, 2)
    assert [(found.row, found.score) for found in near] == [(5, 1.0), (1, pytest.approx(61 / 62))]


def test_vectors_are_near_by_their_angle_and_what_has_none_is_near_to_nothing() -> None:
    vectors = np.array([[1, 0], [0, 0], [9, 1], [1, 1], [-1, 0], [0, 5]], np.float32)
    assert nearest(vectors, 0, everything(6), 10).tolist() == [0, 2, 3]
    assert nearest(vectors, 0, np.array([0, 1, 0, 1, 1, 1], bool), 10).tolist() == [3]
    assert nearest(vectors, 1, everything(6), 10).tolist() == []


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**30))
def test_nearest_is_the_exact_answer(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    table = vectors.astype(np.float64)
    cosines = table @ table[7] / np.linalg.norm(table, axis=1) / np.linalg.norm(table[7])
    expected = [row for row in np.argsort(-cosines).tolist() if cosines[row] > 0 and row != 7][:n]
    among = everything(60)
    among[7] = False
    assert nearest(vectors, 7, among, n).tolist() == expected


def test_a_rare_value_that_is_shared_says_more_than_a_common_one() -> None:
    # Value 0 is of all, 1 is of two, 2 of three, 3 of one.
    values = np.array([[0, 1, -1], [0, 1, -1], [0, 2, -1], [0, 2, 3], [0, 2, -1], [-1, -1, -1]], np.int32)
    rows, share = sharing(values, 3, [5, 2, 3, 1], 0, np.arange(6) != 0, 10)
    assert rows.tolist() == [1, 2, 4, 3]
    assert share[0] == pytest.approx(1.0)
    assert share[1] < 0.5
    assert sharing(values, 3, [5, 2, 3, 1], 5, everything(6), 10)[0].tolist() == []


def a_popular(acts: list[tuple[int, int]], half_lives: list[int], items: int = 20) -> Popular:
    popular = Popular(half_lives, items, items)
    for row, at in acts:
        popular.add(row, at)
    return popular


def trending_of(
    popular: Popular, half_life: int, over: int | None, at: int, among: Mask, n: int = 20
) -> Trending:
    return trending(popular.values, popular.half_lives, popular.landmarks, half_life, over, at, among, n)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 3 * DAY)), min_size=1, max_size=80),
    st.integers(0, DAY),
    st.integers(0, 2**30),
)
def test_trending_is_the_decayed_number_of_actions(
    acts: list[tuple[int, int]], later: int, seed: int
) -> None:
    half_lives = [HOUR, 2 * DAY]
    at = NOW + 3 * DAY + later
    popular = a_popular([(row, NOW + ms) for row, ms in acts], half_lives)
    expected = np.zeros((2, 20))
    for row, ms in acts:
        expected[:, row] += [2.0 ** ((NOW + ms - at) / half_life) for half_life in half_lives]
    among = np.random.default_rng(seed).random(20) < 0.8
    for h in (0, 1):
        found = trending_of(popular, h, None, at, among)
        assert set(found.rows.tolist()) == set(np.flatnonzero(among & (expected[h] > 1e-3)).tolist())
        np.testing.assert_allclose(found.actions, expected[h, found.rows], rtol=1e-9)
        assert (np.diff(found.scores) <= 0).all()
    rising = trending_of(popular, 0, 1, at, among)
    usual = (expected[0] * 48 + STRENGTH) / (expected[1] + STRENGTH)
    np.testing.assert_allclose(rising.scores, usual[rising.rows], rtol=1e-9)


def test_what_rises_comes_before_what_is_always_popular() -> None:
    steady = [(1, NOW - k * HOUR) for k in range(24 * 60)] * 5
    risen = [(2, NOW - k * 5 * MINUTE) for k in range(12)]
    popular = a_popular(sorted([*steady, *risen], key=lambda act: act[1]), [HOUR, 7 * DAY])
    assert trending_of(popular, 1, None, NOW, everything(20)).rows.tolist() == [1, 2]
    rising = trending_of(popular, 0, 1, NOW, everything(20))
    assert rising.rows.tolist() == [2, 1]
    assert rising.scores[1] == pytest.approx(1.0, abs=0.5)


def test_a_single_click_is_no_sensation() -> None:
    popular = a_popular([(1, NOW)] * 30 + [(2, NOW)], [HOUR, 7 * DAY])
    first, second = trending_of(popular, 0, 1, NOW, everything(20)).scores
    assert first > 3 * second


def test_everything_has_its_place_by_popularity() -> None:
    popular = a_popular([(3, NOW), (3, NOW), (1, NOW)], [DAY])
    rows, share = popularity(popular.values, 0, np.array([True, True, False, True]), 10)
    assert rows.tolist() == [3, 1, 0]
    assert share.tolist() == [1.0, 0.5, 0.0]
