"""Caps and diversity by example."""

import numpy as np
import pytest

from eddyline_features.slates.caps import Caps
from eddyline_features.slates.choosing import choose
from eddyline_features.slates.diversity import relevance
from eddyline_features.slates.likeness import Likeness, are_numbers

BRANDS = [["a"], ["a"], ["a"], ["b"], [], ["b"]]
SCORES = np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])


def test_at_most_two_of_a_brand() -> None:
    assert choose(SCORES, 4, values={"brand": BRANDS}, caps={"brand": 2}) == [0, 1, 3, 4]
    assert choose(SCORES, 6, values={"brand": BRANDS}, caps={"brand": 1}) == [0, 3, 4]


def test_an_item_with_several_values_counts_for_each() -> None:
    genres = [["comedy", "drama"], ["comedy"], ["drama"], ["war"]]
    assert choose(SCORES[:4], 4, values={"genres": genres}, caps={"genres": 1}) == [0, 3]


def test_a_cap_on_a_field_without_values_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError, match="colour"):
        choose(SCORES, 2, values={"brand": BRANDS}, caps={"colour": 1})


def test_a_value_that_has_no_room_any_more_closes_its_items() -> None:
    caps = Caps({"brand": 2}, {"brand": BRANDS}, 6)
    caps.take(0)
    assert caps.open.all()
    caps.take(1)
    assert caps.open.tolist() == [False, False, False, True, True, True]


def test_the_dial_goes_from_the_best_to_the_most_different() -> None:
    alike = Likeness([BRANDS])

    def at(dial: float) -> list[int]:
        return choose(SCORES, 3, values={}, dial=dial, alike=alike)

    assert at(0.0) == [0, 1, 2]
    assert at(0.5) == [0, 3, 4]
    assert at(1.0) == [0, 3, 4]
    assert at(0.05) == [0, 1, 2]


def test_likeness_is_what_is_shared_of_fields_and_where_vectors_point() -> None:
    genres = [["comedy", "drama"], ["comedy"], [], [], ["war"]]
    assert Likeness([genres]).to(0).tolist() == [1.0, 0.5, 0.0, 0.0, 0.0]
    # Of two, nothing is known: they are alike.
    assert Likeness([genres]).to(2).tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]
    vectors = np.array([[1, 0], [0.6, 0.8], [-1, 0], [0, 0], [0, 0]], np.float32)
    assert Likeness([], vectors).to(0) == pytest.approx([1.0, 0.6, 0.0, 0.0, 0.0])
    assert Likeness([], vectors).to(3) == pytest.approx([0.0, 0.0, 0.0, 1.0, 1.0])
    assert Likeness([genres], vectors).to(0) == pytest.approx([1.0, 0.55, 0.0, 0.0, 0.0])


def test_a_field_in_which_nobody_shares_anything_counts_for_nothing() -> None:
    prices = [[str(n)] for n in range(6)]
    assert Likeness([BRANDS, prices]).to(0).tolist() == Likeness([BRANDS]).to(0).tolist()
    assert not Likeness([prices])
    assert not Likeness([[[], [], []]], np.zeros((3, 2), np.float32))
    assert choose(SCORES, 2, values={}, dial=1.0, alike=Likeness([prices])) == [0, 1]


def test_relevance_is_where_a_score_lies_between_the_worst_and_the_best() -> None:
    assert relevance(np.array([3.0, 1.0, 2.0])).tolist() == [1.0, 0.0, 0.5]
    assert relevance(np.array([2.0, 2.0])).tolist() == [0.0, 0.0]
    assert relevance(np.array([np.nan, 0.0, 4.0, np.inf, -np.inf])).tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]
    assert relevance(np.empty(0)).tolist() == []


def test_a_field_of_numbers_is_told_from_one_of_texts() -> None:
    assert are_numbers([["20"], [], ["1e3", "-2.5"]])
    assert not are_numbers([["20"], ["xl"]])
