"""IPS, SNIPS and DR: exact where the log is, and where it is chance their intervals cover the truth as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eddyline_learning.off_policy import targets
from eddyline_learning.off_policy.estimators import Estimates, estimated
from eddyline_learning.off_policy.logged import Logged, Target

RUNS = 200
COVERED = range(182, 199)
"""Of 200 intervals of 95 %: a binomial variable is elsewhere less than once in a hundred times."""


def one_by_one(choices: list[int], rewards: list[float], propensities: list[float]) -> Logged:
    n = np.arange(len(choices))
    return Logged(np.array(choices), n * 0, np.array(rewards), np.array(propensities), n, n)


def of_all(table: NDArray[np.float64], log: Logged) -> Target:
    return Target([table], np.zeros(len(log), np.int64))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.floats(0, 5)), min_size=1, max_size=6))
def test_on_a_log_in_its_exact_proportions_all_three_are_the_value(
    told: list[tuple[int, int, float]],
) -> None:
    counts = np.array([count for count, _, _ in told])
    wanted = np.array([weight for _, weight, _ in told], float)
    rewards = np.array([reward for _, _, reward in told])
    wanted = wanted / wanted.sum() if wanted.any() else np.full(len(told), 1.0 / len(told))
    choices = np.repeat(np.arange(len(told)), counts)
    log = one_by_one(choices.tolist(), rewards[choices].tolist(), (counts / counts.sum())[choices].tolist())
    found = estimated(log, of_all(wanted[:, None], log))
    value = float(wanted @ rewards)
    assert found.ips.mean == pytest.approx(value)
    assert found.snips.mean == pytest.approx(value)
    assert found.mean_weight == pytest.approx(1.0)
    assert 1.0 <= found.effective_rows <= len(log) + 1e-9


class Shop:
    """Slates of eight items and places, served by Plackett-Luce; the better ones mostly on top, people differ."""

    n = 8
    goodness = np.array([0.25, 0.21, 0.19, 0.15, 0.1, 0.075, 0.05, 0.025])
    attention = np.arange(1.0, n + 1.0) ** -0.8
    logits: NDArray[np.float64] = np.arange(float(n)) * -0.35

    def __init__(self) -> None:
        self.served = targets.plackett_luce_of(self.logits)
        self.value = float(self.goodness @ self.attention)
        """Of the order by goodness, in people's actions per slate."""

    def log(self, seed: int, n_slates: int = 1_500) -> Logged:
        rng = np.random.default_rng(seed)
        order = np.argsort(-(self.logits + rng.gumbel(size=(n_slates, self.n))), axis=1)
        people = np.unique(rng.integers(0, n_slates // 3, n_slates), return_inverse=True)[1]
        taste = np.exp(rng.normal(0.0, 0.4, n_slates) - 0.08)[people]
        acted = rng.random(order.shape) < np.minimum(
            1.0, taste[:, None] * self.goodness[order] * self.attention
        )
        places = np.tile(np.arange(self.n), n_slates)
        return Logged(
            order.ravel(),
            places,
            acted.ravel().astype(float),
            self.served[order.ravel(), places],
            np.repeat(np.arange(n_slates), self.n),
            np.repeat(people, self.n),
        )


@pytest.fixture(scope="module")
def simulated() -> tuple[float, list[Estimates]]:
    shop = Shop()
    logs = [shop.log(seed) for seed in range(RUNS)]
    return shop.value, [estimated(log, of_all(targets.greedy(shop.n, shop.n), log)) for log in logs]


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_the_intervals_cover_the_truth_as_often_as_they_say(
    name: str, simulated: tuple[float, list[Estimates]]
) -> None:
    value, runs = simulated
    found = [getattr(run, name) for run in runs]
    assert sum(each.lower <= value <= each.upper for each in found) in COVERED
    # Intervals half as wide, or around a value that is off by two standard errors, do not.
    assert sum(abs(each.mean - value) <= (each.upper - each.mean) / 2 for each in found) not in COVERED
    assert sum(each.lower <= value + 2 * each.se <= each.upper for each in found) not in COVERED
    means = np.array([each.mean for each in found])
    assert means.mean() == pytest.approx(value, abs=3 * means.std() / math.sqrt(RUNS))
    assert np.mean([each.se for each in found]) == pytest.approx(means.std(), rel=0.15)


def test_what_was_logged_is_not_what_is_asked_for(simulated: tuple[float, list[Estimates]]) -> None:
    value, runs = simulated
    assert sum(run.as_logged.lower <= value <= run.as_logged.upper for run in runs) < RUNS / 4


def test_doubly_robust_varies_no_more_than_ips_and_much_less_where_the_model_is_right(
    simulated: tuple[float, list[Estimates]],
) -> None:
    _, runs = simulated
    assert np.std([run.dr.mean for run in runs]) <= np.std([run.ips.mean for run in runs])
    # Rewards that the choice decides all but alone: what varies in IPS is the weights.
    rng = np.random.default_rng(1)
    propensities, goodness = np.array([0.7, 0.2, 0.1]), np.array([3.0, 2.0, 1.0])
    wanted = np.array([[0.1], [0.2], [0.7]])
    found = []
    for _ in range(60):
        choices = rng.choice(3, 4_000, p=propensities)
        rewards = goodness[choices] + rng.normal(0.0, 0.1, 4_000)
        log = one_by_one(choices.tolist(), rewards.tolist(), propensities[choices].tolist())
        found.append(estimated(log, of_all(wanted, log)))
    assert np.std([each.dr.mean for each in found]) < 0.3 * np.std([each.ips.mean for each in found])
    assert np.mean([each.dr.mean for each in found]) == pytest.approx(
        float(wanted[:, 0] @ goodness), abs=0.02
    )


def test_propensities_that_are_wrong_are_made_up_for_by_a_model_that_is_right() -> None:
    rng = np.random.default_rng(2)
    goodness = np.array([3.0, 1.0])
    choices = rng.choice(2, 4_000, p=[0.5, 0.5])
    wrong = np.array([0.6, 0.4])[choices]
    log = one_by_one(choices.tolist(), goodness[choices].tolist(), wrong.tolist())
    found = estimated(log, of_all(np.array([[1.0], [0.0]]), log))
    assert found.ips.mean == pytest.approx(2.5, abs=0.1)
    assert found.dr.mean == pytest.approx(3.0, abs=0.05)


def test_clipping_is_told_and_takes_value_away() -> None:
    log = one_by_one([0] * 9 + [1], [0.0] * 9 + [1.0], [0.9] * 9 + [0.01])
    target = of_all(np.array([[0.5], [0.5]]), log)
    whole, clipped = estimated(log, target), estimated(log, target, clip=10.0)
    assert (whole.clip, whole.clipped, whole.largest_weight) == (None, 0.0, 50.0)
    assert (clipped.clip, clipped.clipped, clipped.largest_weight) == (10.0, 0.1, 50.0)
    assert whole.ips.mean == pytest.approx(5.0)
    assert clipped.ips.mean == pytest.approx(1.0)
    assert clipped.effective_rows > whole.effective_rows


def test_what_the_log_never_shows_lowers_the_mean_weight() -> None:
    log = one_by_one([0] * 40, [1.0] * 40, [1.0] * 40)
    found = estimated(log, of_all(np.array([[0.25], [0.75]]), log))
    assert found.mean_weight == pytest.approx(0.25)


def test_rows_of_one_person_are_not_taken_for_independent() -> None:
    rng = np.random.default_rng(3)
    choices = rng.integers(0, 2, 100)
    rewards = rng.random(100)
    alone = one_by_one(choices.tolist(), rewards.tolist(), [0.5] * 100)
    # The same again, ten times over, by the same people: it says no more.
    repeated = one_by_one(choices.tolist() * 10, rewards.tolist() * 10, [0.5] * 1_000)
    repeated = Logged(
        repeated.choices,
        repeated.places,
        repeated.rewards,
        repeated.propensities,
        repeated.units,
        np.tile(np.arange(100), 10),
    )
    wanted = np.array([[1.0], [0.0]])
    one, ten = estimated(alone, of_all(wanted, alone)), estimated(repeated, of_all(wanted, repeated))
    assert ten.ips.mean == pytest.approx(one.ips.mean)
    assert ten.ips.se == pytest.approx(one.ips.se)
    assert ten.snips.se == pytest.approx(one.snips.se)


def test_an_empty_log_and_impossible_propensities_are_refused() -> None:
    empty = one_by_one([], [], [])
    with pytest.raises(ValueError, match="nothing in the log"):
        estimated(empty, of_all(np.array([[1.0]]), empty))
    log = one_by_one([0], [1.0], [0.0])
    with pytest.raises(ValueError, match="cannot have been impossible"):
        estimated(log, of_all(np.array([[1.0]]), log))


def test_one_row_has_a_value_and_no_interval() -> None:
    log = one_by_one([0], [1.0], [1.0])
    found = estimated(log, of_all(np.array([[1.0]]), log))
    assert found.ips.mean == 1.0
    assert math.isnan(found.ips.se)
    assert found.as_json()["ips"] == {"mean": 1.0, "se": None, "lower": None, "upper": None}
