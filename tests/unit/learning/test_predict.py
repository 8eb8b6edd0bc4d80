"""Protocol ``predict``: what is said of a rating is said before it is known, and beside honest baselines."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from eddyline_contracts.events import Event, InteractionRecorded
from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import Action, load_view
from eddyline_learning.biased_factors import BiasedFactors, Recipe
from eddyline_learning.prequential import Prequential
from eddyline_learning.running_values import FoldWithValues, RunningValues
from eddyline_learning.value_judging import ForetoldValues, ValueJudging
from eddyline_learning.warmup import Warmup

DAY = 86_400_000
START = 20_000 * DAY
VIEW = """
view: stars
label_window: 1h
actions: {rating: {weight: 1, values: [1, 5]}}
online: {target: value, factors: 4}
features:
  - {name: online, kind: online_score, outputs: [score, taste]}
  - {name: mine, kind: rate, by: user, actions: rating, per: rating, value: true, half_lives: 6h, strength: 5}
  - {name: its, kind: rate, by: item, actions: rating, per: rating, value: true, half_lives: forever, strength: 5}
learning: {objective: rating, trees: 30, leaves: 7, min_slates: 200, learn_every: 500}
"""
ACTIONS = {"rating": Action(weight=1, gain=1, values=(1.0, 5.0)), "view": Action(weight=1, gain=1)}


class NoMeter:
    """Measures nothing."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}

    def phase(self, name: str) -> Any:
        return nullcontext()

    def add(self, name: str, wall: float, cpu: float) -> None:
        pass

    def cost(self, *, n_slates: int, n_examples: int) -> dict[str, Any]:
        return {}


def ratings(n: int, seed: int = 1) -> list[Logged]:
    """Two tastes, people of different mildness, items of different quality; halfway everybody becomes stricter."""
    rng = np.random.default_rng(seed)
    taste, about = rng.normal(0, 1, (80, 2)), rng.normal(0, 0.5, (60, 2))
    mild, good = rng.normal(0, 0.5, 80), rng.normal(0, 0.4, 60)
    log = []
    for k in range(n):
        user, item = int(rng.integers(80)), int(rng.integers(60))
        value = 3.6 + mild[user] + good[item] + taste[user] @ about[item] + rng.normal(0, 0.3)
        value = float(np.clip(round(2 * (value - (k > n / 2))) / 2, 1, 5))
        event: Event = InteractionRecorded(user=f"u{user}", item=f"i{item}", action="rating", value=value)
        at = START + k * DAY // 150
        log.append(Logged(k + 1, f"e{k}", at, at, event))
    return log


def foretold(log: list[Logged]) -> tuple[ForetoldValues, RunningValues, Prequential]:
    view = load_view(VIEW)
    values = RunningValues(view.actions, 1)
    judging = ValueJudging(view, values, online_says_values=True)
    clock = itertools.count()
    evaluation = Prequential(
        view,
        FoldWithValues(State(view), values),
        Warmup.share(0.3, n_interactions=len(log)),
        seed=1,
        now=lambda: float(next(clock)),
        cpu=lambda: 0.0,
        meter=NoMeter,
        judging=judging,
    )
    evaluation.read(log)
    evaluation.finish()
    return judging.foretold, values, evaluation


def test_a_stream_of_two_tastes_that_turns_is_foretold_better_than_by_means_and_by_a_daily_factorisation() -> (
    None
):
    found, values, _ = foretold(ratings(4_000))
    assert len(found) == 2_800
    measured = {who: of["rmse"] for who, of in found.measured().items()}
    assert set(measured) == {
        *("champion", "online", "frozen"),
        *("mean", "item_mean", "user_item_means", "biases", "daily_svd"),
    }
    for who in ("mean", "item_mean", "user_item_means", "biases", "daily_svd"):
        assert measured["champion"].mean < measured[who].mean - 0.02
    assert 0.0 < measured["champion"].se < 0.05
    assert values.n_trained == len({(each.occurred_at // DAY) for each in ratings(4_000)[1_200:]})
    stretches = found.stretches()
    assert sum(stretch.n for stretch in stretches) == len(found)
    assert [stretch.at_ms for stretch in stretches] == sorted(stretch.at_ms for stretch in stretches)


def test_what_is_said_of_a_rating_does_not_know_it() -> None:
    log = ratings(1_200)
    event = log[-1].event
    assert isinstance(event, InteractionRecorded)
    other = InteractionRecorded(user=event.user, item=event.item, action="rating", value=6.0 - event.value)
    changed = [
        *log[:-1],
        Logged(log[-1].sequence, log[-1].id, log[-1].occurred_at, log[-1].recorded_at, other),
    ]
    before, after = foretold(log)[0], foretold(changed)[0]
    assert before.said == after.said
    assert before.given[:-1] == after.given[:-1]
    assert before.given[-1] != after.given[-1]


def test_running_means_are_those_of_the_ratings_so_far() -> None:
    log, values = ratings(300), RunningValues(ACTIONS, 1)
    values.add(
        [*log, Logged(999, "v", START, START, InteractionRecorded(user="u1", item="i1", action="view"))]
    )
    given = [each.event for each in log if isinstance(each.event, InteractionRecorded)]
    said = values.of("u1", ["i1", "nobody knows"], START)
    mean = np.mean([event.value for event in given])
    mine, its = (
        [e.value for e in given if getattr(e, of) == who] for of, who in (("user", "u1"), ("item", "i1"))
    )
    item_mean = (sum(its) + 5 * mean) / (len(its) + 5)
    user_mean = (sum(mine) + 5 * mean) / (len(mine) + 5)
    assert said["mean"] == pytest.approx(mean)
    assert said["item_mean"] == pytest.approx([item_mean, mean])
    assert said["user_item_means"] == pytest.approx([user_mean + item_mean - mean, user_mean])


def test_the_factorisation_finds_what_ratings_are_made_of() -> None:
    rng = np.random.default_rng(1)
    people, things = rng.normal(0, 1, (60, 2)), rng.normal(0, 1, (50, 2))
    users, items = (
        rng.integers(60, size=2_500).astype(np.int32),
        rng.integers(50, size=2_500).astype(np.int32),
    )
    values = 3.0 + (people[users] * things[items]).sum(axis=1)
    made = BiasedFactors(users, items, values, 61, 50, Recipe(8, 0.02, 0.02, 60), seed=1)
    unseen = [(u, i) for u in range(60) for i in range(50)]
    away = [made.foretell(u, i) - 3.0 - float(people[u] @ things[i]) for u, i in unseen]
    assert np.sqrt(np.mean(np.square(away))) < 0.6 * np.sqrt(np.mean(np.square(values - 3.0)))
    stranger = made.foretell(60, 3)
    assert stranger == made.foretell(-1, 3)
    assert made.foretell(-1, -1) == pytest.approx(values.mean())


def test_a_standard_error_is_that_of_people_drawn_as_wholes() -> None:
    """A hundred ratings of two people say what two people say."""
    found = ForetoldValues({"champion": [0.0] * 100})
    found.given = [1.0] * 50 + [2.0] * 50
    found.people = ["a"] * 50 + ["b"] * 50
    found.at = [0] * 100
    mae = found.measured()["champion"]["mae"]
    assert (mae.mean, mae.n) == (1.5, 100)
    assert mae.se == pytest.approx(0.5)
