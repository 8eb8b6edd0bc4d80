"""Clicks on our own slates count for what was not looked at, too; other people's slates count as they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from msgspec import json

from benchmarks.gate import DIFFERENCES, Shop, errors_for, goodness, measure, promoted_after, stream
from eddyline_contracts.events import SHUFFLED, SlateItem, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.view import Exploration, Learning
from eddyline_learning.examination import MOST_WEIGHT, Examination
from eddyline_learning.goodness import Judge
from eddyline_learning.metrics import ndcg
from eddyline_learning.pending import pending_of

EXPLORATION = Exploration(share=0.05)
ERRORS = [1.42, 1.23, 1.05, 0.86]
"""Of challengers that differ from the champion by `DIFFERENCES`; a test compares them with what is worked out."""


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def test_a_click_stands_for_those_who_did_not_look() -> None:
    positions, labels = np.arange(4, dtype=np.int32), np.zeros(4, np.float32)
    sizes = np.array([4], np.int32)

    def inverse(power: float, shuffled: int) -> list[float]:
        found = Examination(power).inverse(positions, labels, sizes, np.array([shuffled], np.int32))
        return [round(value, 6) for value in found.tolist()]

    assert inverse(1.0, 0) == [1.0, 2.0, 3.0, 4.0]
    # In a shuffled block every item is looked at as likely as another, wherever it came to stand.
    assert inverse(1.0, 2) == [1.333333, 1.333333, 3.0, 4.0]
    assert inverse(3.0, 0)[-1] == MOST_WEIGHT
    assert inverse(0.0, 0) == inverse(1.0, -1) == [1.0] * 4


def test_what_others_ordered_is_measured_to_the_bit_as_without() -> None:
    rng = np.random.default_rng(1)
    sizes = np.full(50, 8, np.int32)
    labels = (rng.random(400) < 0.2).astype(np.float32)
    scores = [rng.random(400), rng.random(400)]
    positions = np.tile(np.arange(8, dtype=np.int32), 50)
    judge = Judge("rank", Examination(1.0))
    judge.orders(scores, labels, positions, sizes, np.zeros(50, np.int32))
    found = judge.orders(scores, labels, positions, sizes, np.full(50, -1, np.int32))
    plain = np.stack([ndcg(each, labels, sizes, 10) for each in scores], axis=1)
    assert found.tobytes() == plain.tobytes()


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_the_curve_is_found_from_what_chance_ordered(shop: Shop, power: float) -> None:
    slates = stream(
        shop, np.random.default_rng(3), [], power=power, n=4_000, exploration=Exploration(share=0.5)
    )
    judge = Judge("rank", Examination(None))
    goodness(slates, judge)
    assert judge.examination.power == pytest.approx(power, abs=0.1)


def test_measuring_in_pieces_and_after_a_restart_changes_no_bit(shop: Shop) -> None:
    slates = stream(shop, np.random.default_rng(4), ERRORS, power=1.0, n=400, exploration=EXPLORATION)
    sizes = np.full(400, slates.clicks.shape[1], np.int32)
    whole, judge = Judge("rank", Examination(None)), Judge("rank", Examination(None))
    expected = goodness(slates, whole)
    found = []
    for first, last in ((0, 1), (1, 130), (130, 400)):
        copy = Judge("rank", Examination(None))
        copy.recall(json.decode(json.encode(judge.as_json())))
        judge, part = copy, slice(first, last)
        found.append(
            judge.orders(
                [scores[part].ravel() for scores in slates.raw],
                slates.clicks[part].ravel(),
                slates.positions[part].ravel(),
                sizes[part],
                slates.shuffled[part],
            )
        )
    assert np.concatenate(found).tobytes() == expected.tobytes()
    assert judge.as_json() == whole.as_json()
    assert whole.examination.power > 0.3


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_a_better_challenger_passes_and_a_worse_one_does_not_though_the_champion_orders(
    shop: Shop, power: float
) -> None:
    errors = [ERRORS[0], ERRORS[3]]
    found = measure(shop, errors, Learning(), EXPLORATION, power=power, seeds=6, n=5_000)
    assert (found.after[:, 0] == np.inf).all()
    assert (found.after[:, 1] <= 5_000).sum() >= 4
    # Without the weights the order that is shown looks best, whatever is true.
    slates = stream(shop, np.random.default_rng(5), errors, power=power, n=5_000, exploration=EXPLORATION)
    plain = goodness(slates, Judge("rank"))
    assert promoted_after(plain[:, [0, 1, 3]]) == np.inf
    assert (plain[:, 3] - plain[:, 1]).mean() < 0.0


def test_models_are_compared_as_they_are_where_a_policy_explores_beside_the_share(shop: Shop) -> None:
    errors = [ERRORS[0], ERRORS[3]]
    slates = stream(
        shop,
        np.random.default_rng(6),
        errors,
        power=1.0,
        n=5_000,
        exploration=EXPLORATION,
        temperature=0.5,
    )
    judge = Judge("rank", Examination(None))
    found = goodness(slates, judge)
    assert judge.examination.power == pytest.approx(1.0, abs=0.2)
    # Truly worse by 0.02, and better by 0.04.
    assert (found[:, 2] - found[:, 1]).mean() == pytest.approx(-0.02, abs=0.015)
    assert (found[:, 3] - found[:, 1]).mean() == pytest.approx(0.04, abs=0.015)
    # Taken for shuffled, their clicks would tell another curve, and the champion would look good for its order.
    wrong = dataclasses.replace(
        slates, shuffled=np.where(slates.shuffled == 0, 10, slates.shuffled).astype(np.int32)
    )
    misled = Judge("rank", Examination(None))
    read = goodness(wrong, misled)
    assert misled.examination.power > 1.3
    assert (read[:, 3] - read[:, 1]).mean() < 0.02


def test_the_errors_are_those_of_the_differences(shop: Shop) -> None:
    assert errors_for(shop, DIFFERENCES[-1:])[0] == pytest.approx(ERRORS[-1], abs=0.05)


def test_a_slate_tells_who_ordered_it_and_how_much_of_it_chance_did() -> None:
    def shuffled(policy: str | None, *propensities: float, features: int | None = 3) -> int:
        items = [SlateItem(item=f"i{k}", propensity=p) for k, p in enumerate(propensities)]
        event = SlateServed(user="u", items=items, policy=policy, features_sequence=features)
        return pending_of(Logged(5, "s", 0, 0, event), event).shuffled

    assert shuffled(SHUFFLED, 0.5, 0.5, 1.0) == 2
    assert shuffled("greedy", 1.0, 1.0) == 0
    # Chance had a say, but not every order was as likely: what a click stands for goes by the place it had.
    for policy in ("epsilon", "thompson", "plackett-luce"):
        assert shuffled(policy, 0.5, 0.5, 1.0) == 0
    assert shuffled(None, 0.5, 0.5, features=None) == -1
