"""The made-up shop and its people: seeded, believable, and with the properties that a demo of learning rests on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_cli.simulating.behaviour import (
    AFTER,
    BEFORE,
    appeal,
    chance_of_any,
    click_probabilities,
    examination,
)
from eddyline_cli.simulating.catalogue import CATEGORIES, make_catalogue
from eddyline_cli.simulating.people import make_people
from eddyline_cli.simulating.words import STYLES

N = 1_000
CATALOGUE, PEOPLE = make_catalogue(N, 1), make_people(50, 1)
ALL = np.arange(N)


def test_the_same_seed_gives_the_same_shop_and_people() -> None:
    again, others = make_catalogue(N, 1), make_catalogue(N, 2)
    assert again.titles == CATALOGUE.titles
    assert [again.fields(i) for i in ALL] == [CATALOGUE.fields(i) for i in ALL]
    assert np.array_equal(again.place, CATALOGUE.place)
    assert others.titles != CATALOGUE.titles
    assert np.array_equal(make_people(50, 1).tastes, PEOPLE.tastes)
    assert not np.array_equal(make_people(50, 2).tastes, PEOPLE.tastes)


def test_items_are_told_as_a_shop_would() -> None:
    for index in range(N):
        fields = CATALOGUE.fields(index)
        assert fields["category"] in CATEGORIES
        assert fields["style"] in STYLES
        assert fields["style"].lower() in fields["title"]
        assert 0.0 < fields["price"] < 5_000.0
        assert 2017 <= fields["year"] <= 2026
    assert len({CATALOGUE.item(index) for index in range(N)}) == N
    # Titles are put together from words; few of a thousand are the same.
    assert len(set(CATALOGUE.titles)) > 0.9 * N


@pytest.mark.parametrize("make", [make_catalogue, make_people])
def test_nothing_is_no_world(make: object) -> None:
    with pytest.raises(ValueError, match="at least one"):
        make(0, 1)  # type: ignore[operator]


@given(st.lists(st.floats(-1_000.0, 1_000.0, allow_nan=False), min_size=1, max_size=100))
def test_probabilities_are_probabilities(appeals: list[float]) -> None:
    found = click_probabilities(np.array(appeals))
    assert ((found >= 0.0) & (found <= 1.0)).all()
    assert 0.0 <= chance_of_any(np.array(appeals)) <= 1.0


@given(st.integers(2, 100))
def test_people_look_less_at_each_further_place(n: int) -> None:
    looks = examination(n)
    assert looks[0] == 1.0
    assert (np.diff(looks) < 0.0).all()


def test_the_same_item_is_clicked_less_further_down() -> None:
    rng = np.random.default_rng(0)
    clicks = rng.random((20_000, 20)) < click_probabilities(np.full(20, -1.0))
    shares = clicks.mean(axis=0)
    assert shares[0] > 2.0 * shares[5] > 2.0 * shares[19]


def test_the_best_order_is_clicked_more_than_its_reverse() -> None:
    appeals = appeal(CATALOGUE, PEOPLE, 0, ALL[:20], BEFORE)
    best = np.sort(appeals)[::-1]
    assert chance_of_any(best) > 1.2 * chance_of_any(best[::-1])


def test_the_shift_turns_what_is_preferred_and_not_how_much() -> None:
    before = np.stack([appeal(CATALOGUE, PEOPLE, person, ALL, BEFORE) for person in range(50)])
    after = np.stack([appeal(CATALOGUE, PEOPLE, person, ALL, AFTER) for person in range(50)])
    common_before, common_after = before.mean(axis=0), after.mean(axis=0)
    assert np.corrcoef(common_before, common_after)[0, 1] < -0.5
    cheap, dear = CATALOGUE.price < 25.0, CATALOGUE.price > 80.0
    assert before[:, cheap].mean() > before[:, dear].mean() + 1.0
    assert after[:, dear].mean() > after[:, cheap].mean() + 1.0
    # What can be had stays about the same: else a recovery would say little.
    rng, chances = np.random.default_rng(0), np.zeros(2)
    for _ in range(400):
        person, items = rng.integers(50), rng.choice(N, 20, replace=False)
        for which, appeals in enumerate((before, after)):
            chances[which] += chance_of_any(np.sort(appeals[person, items])[::-1])
    assert chances[1] == pytest.approx(chances[0], rel=0.1)


def test_people_differ_in_what_they_like() -> None:
    mine, yours = (appeal(CATALOGUE, PEOPLE, person, ALL, BEFORE) for person in (0, 1))
    common = (mine + yours) / 2.0
    assert np.std(mine - common) > 0.3
