"""Relative: a number beside the slate, a person's own and the category's mean, worked out by hand."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from eddyline_features.state import State
from eddyline_features.view import Limits, ViewError, load_view
from tests.support.builders import HOUR, START, a_click, a_log, an_item
from tests.unit.features.reading import HEAD, a_state, columns

SLATE = "name: p, kind: relative, field: item.price, outputs: [slate_diff, slate_z, slate_rank, slate_minmax]"
OWN = "name: p, kind: relative, field: item.price, outputs: [user_diff, user_ratio]"
CATEGORY = "name: p, kind: relative, field: item.price, category: item.brand, outputs: [category_diff, category_ratio]"
PRICES = [
    an_item("i1", price=10, brand="a"),
    an_item("i2", price=20, brand="a"),
    an_item("i3", price=20, brand=["b", "a"]),
    an_item("i4", price=50, brand="c"),
    an_item("bare", brand="a"),
]


def together(
    state: State, *items: str, fields: list[dict[str, Any]] | None = None
) -> dict[str, dict[str, float]]:
    """The vectors of candidates of one request, by item and column."""
    vectors = state.vectors("u1", None, items, fields, {}, START)
    return {
        item: dict(zip(state.view.columns, row, strict=True))
        for item, row in zip(items, vectors.tolist(), strict=True)
    }


def test_beside_the_slate() -> None:
    found = together(a_state(SLATE, events=a_log(*PRICES)), "i1", "i2", "i3", "bare", "i4", "nobody knows")
    # Mean 25, variance (225 + 25 + 25 + 625) / 4 = 225.
    assert found["i1"] == {
        "p_slate_diff": -15.0,
        "p_slate_z": -1.0,
        "p_slate_rank": 0.0,
        "p_slate_minmax": 0.0,
    }
    assert found["i2"] == found["i3"]
    assert found["i2"]["p_slate_rank"] == 0.5
    assert found["i2"]["p_slate_minmax"] == 0.25
    assert found["i4"]["p_slate_z"] == pytest.approx(25 / 15)
    assert (found["i4"]["p_slate_rank"], found["i4"]["p_slate_minmax"]) == (1.0, 1.0)
    for item in ("bare", "nobody knows"):
        assert all(math.isnan(value) for value in found[item].values())


def test_alone_and_among_equals_a_number_is_in_the_middle() -> None:
    state = a_state(SLATE, events=a_log(*(an_item(f"e{n}", price=0.1) for n in range(7))))
    middle = {"p_slate_diff": 0.0, "p_slate_z": 0.0, "p_slate_rank": 0.5, "p_slate_minmax": 0.5}
    assert together(state, "e1")["e1"] == middle
    assert together(state, *(f"e{n}" for n in range(7)))["e3"] == middle


def test_the_candidates_own_numbers_can_be_compared() -> None:
    state = a_state("name: r, kind: relative, field: slate.score, outputs: slate_rank")
    fields = [{"score": 3}, {"score": "no number"}, {"score": -1e308}, {}]
    found = together(state, "a", "b", "c", "d", fields=fields)
    assert (found["a"]["r_slate_rank"], found["c"]["r_slate_rank"]) == (1.0, 0.0)
    assert math.isnan(found["b"]["r_slate_rank"])
    assert math.isnan(together(state, "a")["a"]["r_slate_rank"])


def test_what_another_feature_gives_can_be_compared() -> None:
    clicks = "name: c, kind: count, by: item, of: click, half_lives: forever"
    beside = "name: b, kind: relative, field: column.c_forever, outputs: [slate_diff, slate_rank]"
    # Whichever is declared first.
    state = a_state(beside, clicks, events=a_log(a_click("i1"), a_click("i1"), a_click("i2")))
    found = together(state, "i1", "i2", "nobody knows")
    assert found["i1"] == {"b_slate_diff": 1.0, "b_slate_rank": 1.0, "c_forever": 2.0}
    assert found["i2"] == {"b_slate_diff": 0.0, "b_slate_rank": 0.5, "c_forever": 1.0}
    assert found["nobody knows"]["b_slate_rank"] == 0.0


def test_the_largest_numbers_leave_all_finite() -> None:
    items = [an_item("low", price=-1e308), an_item("high", price=1e308), an_item("i", price=5e-324)]
    state = a_state(
        SLATE.replace("name: p", "name: s"), OWN, CATEGORY.replace("name: p", "name: c"), events=a_log(*items)
    )
    for click in a_log(a_click("high"), a_click("i"), first=9):
        state.apply(click)
    vectors = state.vectors("u1", None, ["low", "high", "i"], None, {}, START)
    assert not np.isinf(vectors).any()
    found = together(state, "low", "high", "i")
    assert (found["low"]["s_slate_minmax"], found["high"]["s_slate_minmax"]) == (0.0, 1.0)
    assert found["i"]["s_slate_rank"] == 0.5


def test_beside_what_the_person_acted_on() -> None:
    state = a_state(OWN, events=a_log(*PRICES, a_click("i1"), a_click("i4", action="buy"), a_click("bare")))
    mean = (10 * 1 + 50 * 5) / 6
    found = columns(state, "i2")
    assert found["p_user_diff"] == pytest.approx(20 - mean)
    assert found["p_user_ratio"] == pytest.approx(20 / mean)
    for other in (columns(state, "i2", user="u2"), columns(state, "bare")):
        assert all(math.isnan(value) for value in other.values())


def test_what_a_person_acted_on_long_ago_counts_less() -> None:
    feature = OWN.replace("outputs", "half_life: 1h, actions: click, outputs")
    state = a_state(feature, events=a_log(*PRICES, a_click("i1"), a_click("i2"), every=HOUR))
    assert columns(state, "i2")["p_user_diff"] == pytest.approx(20 - (10 * 0.5 + 20) / 1.5)
    # However long ago: both fade alike.
    assert columns(state, "i2", at=START + 600 * HOUR)["p_user_diff"] == pytest.approx(10 / 3, rel=1e-5)
    assert math.isnan(columns(state, "i2", at=START + 8_000 * HOUR)["p_user_diff"])


def test_there_is_no_ratio_to_what_is_not_above_zero() -> None:
    state = a_state(OWN, events=a_log(an_item("i1", price=-2), an_item("i2", price=3), a_click("i1")))
    found = columns(state, "i2")
    assert found["p_user_diff"] == 5.0
    assert math.isnan(found["p_user_ratio"])


def test_beside_the_mean_of_the_category() -> None:
    state = a_state(CATEGORY, events=a_log(*PRICES))
    a, b = (10 + 20 + 20) / 3, 20
    assert columns(state, "i1")["p_category_diff"] == pytest.approx(10 - a)
    assert columns(state, "i1")["p_category_ratio"] == pytest.approx(10 / a)
    assert columns(state, "i3")["p_category_diff"] == pytest.approx(20 - (a + b) / 2)
    assert columns(state, "i4")["p_category_ratio"] == 1.0
    assert math.isnan(columns(state, "bare")["p_category_diff"])


def test_a_category_follows_its_items_as_they_change_and_go() -> None:
    state = a_state(CATEGORY, events=a_log(*PRICES, an_item("i2", price=40), an_item("i4", brand="a")))
    assert columns(state, "i1")["p_category_diff"] == pytest.approx(10 - (10 + 40 + 20 + 50) / 4)
    again = a_log(an_item("i4", removed=True), an_item("i3", price=None), an_item("i2", brand="c"), first=20)
    state.apply_all(again)
    assert columns(state, "i1")["p_category_diff"] == 0.0
    assert columns(state, "i2")["p_category_diff"] == 0.0
    assert all(math.isnan(value) for value in columns(state, "i4").values())


def test_what_was_huge_leaves_no_trace_in_a_category() -> None:
    events = a_log(*PRICES[:3], an_item("i9", price=1e308, brand="a"), an_item("i9", price=20))
    found = columns(a_state(CATEGORY, events=events), "i1")
    assert found["p_category_diff"] == pytest.approx(10 - 17.5, abs=0.01)


def test_a_forgotten_item_still_counts_for_its_category() -> None:
    view = load_view(HEAD + f"  - {{{CATEGORY}}}")
    state = State(dataclasses.replace(view, limits=Limits(items=2, values=100)))
    state.apply_all(a_log(an_item("i1", price=10, brand="a"), an_item("i2", price=20, brand="a")))
    before = columns(state, "i2")
    state.apply_all(a_log(an_item("i3"), first=9))
    assert state.item("i1") is None
    assert columns(state, "i2") == before


def test_a_value_in_the_place_of_another_starts_anew() -> None:
    view = load_view(HEAD + f"  - {{{CATEGORY}}}")
    state = State(dataclasses.replace(view, limits=Limits(items=9, values=1)))
    state.apply_all(a_log(an_item("i1", price=10, brand="a"), an_item("i1", brand=None)))
    state.apply_all(a_log(an_item("i2", price=20, brand="b"), first=9))
    assert columns(state, "i2")["p_category_diff"] == 0.0


def test_a_number_that_several_features_use_is_kept_once() -> None:
    number = "name: n, kind: number, field: item.price"
    state = a_state(number, SLATE, OWN.replace("name: p", "name: o"), events=a_log(*PRICES))
    item = state.item("i1")
    assert item is not None
    assert item["fields"] == {"price": 10.0}
    assert state.plan.item_slots.n == 1


def test_only_features_that_look_at_the_slate_are_relative() -> None:
    view = a_state(OWN, SLATE.replace("name: p", "name: s"), CATEGORY.replace("name: p", "name: c")).view
    assert [view.columns[at] for at in view.relative_columns] == [
        "s_slate_diff",
        "s_slate_z",
        "s_slate_rank",
        "s_slate_minmax",
    ]


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("field: user.age", "say where the field is: item.<field>, slate.<field>, column.<field>"),
        ("field: slate.score, outputs: user_diff", "`user_diff` needs a number that items have"),
        ("field: item.price, outputs: category_diff", "category` is missing"),
        ("field: column.ctr_1h", "no feature gives a column `ctr_1h`"),
        ("field: column.r_user_diff, outputs: user_diff", "`user_diff` needs a number that items have"),
        ("field: item.price, category: item.brand", "is for the outputs `category_diff`"),
        ("field: item.price, half_life: 1h", "is for the outputs `user_diff`"),
        ("field: item.price, outputs: user_diff, half_life: soon", "a duration is expected"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(feature: str, words: str) -> None:
    with pytest.raises(ViewError, match=words):
        load_view(HEAD + f"  - {{name: r, kind: relative, {feature}}}")
