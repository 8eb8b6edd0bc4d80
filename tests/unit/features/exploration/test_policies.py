"""Propensities are what the policies do: against the sum over all orders, and against their own draws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eddyline_features.exploration import epsilon, plackett_luce, thompson
from eddyline_features.exploration.draws import normals, uniforms

Table = NDArray[np.float64]
SCORES = np.array([1.9, 1.1, 1.0, 0.2, -0.3, -1.5, -1.6])
DEVIATIONS = np.array([0.0, 0.3, 1.0, 0.2, 1.2, 0.1, 0.9])
N, PLACES, DRAWS = len(SCORES), 4, 6_000


def chi_square_999(freedom: int) -> float:
    """What chance exceeds once in a thousand (Wilson and Hilferty 1931)."""
    part = 2.0 / (9.0 * freedom)
    return float(freedom * (1.0 - part + 3.09 * math.sqrt(part)) ** 3)


def whole_table(probabilities: object, n: int, n_places: int) -> Table:
    """Of every item at every place, by a function that is asked for each item once."""
    table = np.empty((n, n_places))
    for shift in range(n):
        items = np.arange(n_places)
        table[(items + shift) % n, items] = probabilities((items + shift) % n, items)  # type: ignore[operator]
    return table


def seen(draw: object) -> Table:
    counts = np.zeros((N, PLACES))
    for k in range(DRAWS):
        counts[draw(f"slate-{k}"), np.arange(PLACES)] += 1  # type: ignore[operator]
    return counts


def misfit(counts: Table, told: Table) -> float:
    """The largest of the places' chi-squares, as a multiple of what chance reaches once in a thousand.

    Each place shows one item, so its counts are of a multinomial with N - 1 degrees of freedom.
    """
    expected = told * DRAWS
    assert expected.min() > 5
    return float(((counts - expected) ** 2 / expected).sum(axis=0).max()) / chi_square_999(N - 1)


CASES = {
    "epsilon": (
        lambda slate: epsilon.draw(N, PLACES, 0.4, uniforms(b"e", slate, 2 * PLACES)),
        lambda items, places: epsilon.probabilities(items, places, N, 0.4),
    ),
    "plackett-luce": (
        lambda slate: plackett_luce.draw(SCORES, PLACES, uniforms(b"p", slate, N)),
        lambda items, places: plackett_luce.probabilities(SCORES, items, places),
    ),
    "thompson": (
        lambda slate: thompson.draw(SCORES, DEVIATIONS + 1.3, PLACES, normals(b"t", slate, N)),
        # Of one slate the estimate has an error of its own (tested below), so many are averaged.
        lambda items, places: np.mean(
            [thompson.probabilities(SCORES, DEVIATIONS + 1.3, items, places, 31 * k)[0] for k in range(40)],
            axis=0,
        ),
    ),
}


@pytest.mark.parametrize("policy", CASES)
def test_propensities_are_how_often_an_item_stands_at_a_place(policy: str) -> None:
    draw, probabilities = CASES[policy]
    told = whole_table(probabilities, N, PLACES)
    assert told.sum(axis=0) == pytest.approx(1.0, abs=1e-6 if policy != "thompson" else 0.01)
    counts = seen(draw)
    assert misfit(counts, told) < 1.0
    # The same draws do not fit propensities that are off by a place, nor those of half the exploration.
    assert misfit(counts, np.roll(told, 1, axis=1)) > 2.0
    assert misfit(counts, 0.5 * (told + told.mean(axis=1, keepdims=True))) > 2.0


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0, 50.0])
def test_plackett_luce_is_the_sum_over_all_orders(temperature: float) -> None:
    logits = SCORES[:6] / temperature
    weights = np.exp(logits - logits.max())
    expected = np.zeros((6, 6))
    for order in itertools.permutations(range(6)):
        likely = 1.0
        for place, item in enumerate(order):
            likely *= float(weights[item] / weights[list(order[place:])].sum())
        for place, item in enumerate(order):
            expected[item, place] += likely
    told = whole_table(lambda items, places: plackett_luce.probabilities(logits, items, places), 6, 6)
    # Nobody meets what happens once in a million slates.
    often = expected > 1e-6
    assert told[often] == pytest.approx(expected[often], rel=2e-5)


def test_plackett_luce_tells_apart_what_is_far_below_the_best() -> None:
    logits = np.array([-801.0, 0.0, -400.0, -800.0, -800.0 + math.log(2.0)])
    told = whole_table(lambda items, places: plackett_luce.probabilities(logits, items, places), 5, 5)
    weights = np.exp(logits[[0, 3, 4]] + 800.0)
    assert told[[1, 2], [0, 1]] == pytest.approx([1.0, 1.0])
    assert told[[0, 3, 4], 2] == pytest.approx(weights / weights.sum(), rel=1e-5)
    assert told.sum(axis=0) == pytest.approx(1.0, abs=1e-5)
    assert told.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


@given(st.integers(2, 6), st.floats(0.0, 1.0), st.data())
def test_epsilon_is_the_sum_over_all_ways(n: int, chance: float, data: st.DataObject) -> None:
    n_places = data.draw(st.integers(1, n))
    expected = np.zeros((n, n_places))

    def follow(left: tuple[int, ...], place: int, likely: float) -> None:
        if place == n_places or not likely:
            return
        for at, rank in enumerate(left):
            here = likely * (chance / len(left) + (1.0 - chance) * (at == 0))
            expected[rank, place] += here
            follow(left[:at] + left[at + 1 :], place + 1, here)

    follow(tuple(range(n)), 0, 1.0)
    told = whole_table(lambda ranks, places: epsilon.probabilities(ranks, places, n, chance), n, n_places)
    assert told == pytest.approx(expected, abs=1e-12)


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=60),
    st.data(),
)
def test_whatever_the_scores_propensities_are_probabilities(scores: list[float], data: st.DataObject) -> None:
    n = len(scores)
    n_places = data.draw(st.integers(1, n))
    logits = np.array(scores)
    deviations = np.array(data.draw(st.lists(st.floats(0, 20), min_size=n, max_size=n)))
    places = np.arange(n_places)
    by_luce = plackett_luce.draw(logits, n_places, uniforms(b"p", "s", n))
    by_thompson = thompson.draw(logits, deviations, n_places, normals(b"t", "s", n))
    by_epsilon = epsilon.draw(n, n_places, 0.3, uniforms(b"e", "s", 2 * n_places))
    for order, told in (
        (by_luce, plackett_luce.probabilities(logits, np.array(by_luce), places)),
        (by_thompson, thompson.probabilities(logits, deviations, np.array(by_thompson), places)[0]),
        (by_epsilon, epsilon.probabilities(np.array(by_epsilon), places, n, 0.3)),
    ):
        assert len(set(order)) == n_places
        assert ((told >= 0.0) & (told <= 1.0 + 1e-9)).all()


def test_what_thompson_states_as_its_error_is_its_error() -> None:
    rng = np.random.default_rng(5)
    scores, deviations = rng.normal(size=60), rng.uniform(0.2, 1.0, 60)
    items, places = np.argsort(-scores)[:10], np.arange(10)
    told = np.array([thompson.probabilities(scores, deviations, items, places, k * 61) for k in range(24)])
    estimates, stated = told[:, 0], told[:, 1].mean(axis=0)
    spread = estimates.std(axis=0, ddof=1)
    # Stratified draws do better than stated, by a factor that is a little different for each.
    assert (spread < 1.5 * stated).all()
    assert spread.mean() < stated.mean()
    # As many draws that were only counted would do worse still.
    mean = estimates.mean(axis=0)
    assert (stated < np.sqrt(mean * (1.0 - mean) / thompson.N_DRAWS)).all()


def test_an_item_that_is_known_exactly_is_where_the_others_leave_it() -> None:
    told, error = thompson.probabilities(
        np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 1])
    )
    # Normal distribution at 1: 0.8413.
    assert told == pytest.approx([0.8413, 0.8413], abs=4 * error.max() + 1e-3)


def test_draws_depend_on_purpose_and_name_alone() -> None:
    assert uniforms(b"a", "x", 5).tolist() == uniforms(b"a", "x", 9)[:5].tolist()
    assert uniforms(b"a", "x", 5).tolist() != uniforms(b"b", "x", 5).tolist()
    drawn = normals(b"n", "x", 20_001)
    assert len(drawn) == 20_001
    assert abs(drawn.mean()) < 0.03
    assert drawn.std() == pytest.approx(1.0, abs=0.02)
