"""Diversity: a candidate beside the others of its request, with numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from eddyline_features.state import State
from eddyline_features.view import ViewError, load_view
from tests.support.builders import START, a_log, an_item
from tests.unit.features.reading import HEAD, a_state

NUMBER = "name: d, kind: diversity, field: item.price, compare: number"
VALUES = "name: d, kind: diversity, field: item.color, compare: values"


def of(state: State, *items: str) -> list[float]:
    found: list[float] = state.vectors(None, None, items, None, {}, START)[:, 0].tolist()
    return found


def test_a_number_is_told_by_what_it_is_above_the_median() -> None:
    prices = {"p1": 100, "p2": 200, "p3": 250, "p4": 300, "p5": 220}
    state = a_state(NUMBER, events=a_log(*(an_item(item, price=price) for item, price in prices.items())))
    assert of(state, *prices) == [-120, -20, 30, 80, 0]
    assert of(state, "p1", "p3", "p2", "p4") == [-125, 25, -25, 75]
    assert of(state, "p4") == [0]
    known = of(state, "p1", "nobody knows", "p2", "p3")
    assert (known[0], known[2:]) == (-100, [0, 50])
    assert math.isnan(known[1])


def test_words_are_told_by_how_many_of_the_others_have_them_too() -> None:
    items = [
        an_item("red", color="red"),
        an_item("also", color=["red"]),
        an_item("both", color=["red", "blue"]),
        an_item("green", color="green"),
        an_item("bare"),
    ]
    state = a_state(VALUES, events=a_log(*items))
    # Two of the three others are red; of both's values two of three others have one, none the other.
    found = of(state, "red", "also", "both", "green", "bare", "nobody knows")
    assert found[:4] == pytest.approx([1 / 3, 1 / 3, 1 - (2 / 3) / 2, 1.0])
    assert all(math.isnan(value) for value in found[4:])


def test_who_is_alone_is_not_compared() -> None:
    state = a_state(VALUES, events=a_log(an_item("red", color="red"), an_item("bare")))
    assert all(math.isnan(value) for value in of(state, "red", "bare"))
    assert of(state, "red", "red") == [0.0, 0.0]


def test_it_depends_on_the_slate_and_what_it_compares_must_be_said() -> None:
    assert a_state(NUMBER, VALUES.replace("name: d", "name: e")).view.relative_columns == [0, 1]
    for feature, words in (
        ("field: item.price", "compare` is missing"),
        ("field: slate.price, compare: number", "an item's field is expected"),
    ):
        with pytest.raises(ViewError, match=words):
            load_view(HEAD + f"  - {{name: d, kind: diversity, {feature}}}")
