"""Interacted with: overlaps of values with the last actions, with numbers worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from eddyline_features.state import State
from eddyline_features.view import Limits, ViewError, load_view
from tests.support.builders import HOUR, START, a_click, a_log, a_slate, an_item
from tests.unit.features.reading import HEAD, a_state, columns

ITEMS = [
    an_item("i1", color="red", tags=["x", "y"]),
    an_item("i2", color="red", tags=["y"]),
    an_item("i3", color="blue", tags=["x", "y", "z"]),
    an_item("i4", color="green"),
]
BOTH = "name: w, kind: interacted_with, fields: [item.color, item.tags]"


def test_each_of_a_candidates_values_counts_the_actions_on_items_that_have_it() -> None:
    state = a_state(BOTH, events=a_log(*ITEMS, a_click("i1"), a_click("i2"), a_click("i2")))
    # Red three times; x once and y three times.
    assert columns(state, "i1") == {"w_color": 3.0, "w_tags": 4.0}
    assert columns(state, "i3") == {"w_color": 0.0, "w_tags": 4.0}


def test_who_did_nothing_overlaps_with_nothing_and_of_other_items_nothing_is_known() -> None:
    state = a_state(BOTH, events=a_log(*ITEMS, a_slate(["i1"]), a_click("i1")))
    for user in ("u2", None):
        assert columns(state, "i1", user=user) == {"w_color": 0.0, "w_tags": 0.0}
    assert math.isnan(columns(state, "i4")["w_tags"])
    assert all(math.isnan(value) for value in columns(state, "nobody knows").values())


def test_only_the_actions_that_are_named_count_and_of_them_the_last() -> None:
    feature = "name: w, kind: interacted_with, fields: item.color, actions: click, last: 2"
    events = a_log(
        *ITEMS, a_click("i1"), a_click("i3"), a_click("i1", action="buy"), a_click("i2"), every=HOUR
    )
    state = a_state(feature, events=events)
    assert columns(state, "i1") == {"w_color": 1.0}
    assert columns(state, "i3") == {"w_color": 1.0}


def test_what_is_older_than_within_does_not_count() -> None:
    feature = "name: w, kind: interacted_with, fields: item.color, within: 2h"
    state = a_state(feature, events=a_log(*ITEMS, a_click("i1"), every=HOUR))
    assert columns(state, "i2", at=START + 6 * HOUR) == {"w_color": 1.0}
    assert columns(state, "i2", at=START + 6 * HOUR + 1) == {"w_color": 0.0}


def test_a_session_is_apart_from_its_user_and_the_item_itself_can_be_the_value() -> None:
    features = [f"name: {by[0]}, kind: interacted_with, by: {by}, fields: item" for by in ("user", "session")]
    events = a_log(a_click("i1", session="s1"), a_click("i1", session="s2"), a_click("i2", session="s2"))
    assert columns(a_state(*features, events=events), session="s2") == {"u_item": 2.0, "s_item": 1.0}


def test_an_item_in_the_place_of_a_forgotten_one_inherits_nothing() -> None:
    view = load_view(HEAD + "  - {name: w, kind: interacted_with, fields: item}")
    state = State(dataclasses.replace(view, limits=Limits(items=2, users=9)))
    state.apply_all(a_log(a_click("i1"), a_click("i2"), an_item("i3")))
    assert columns(state, "i3") == {"w_item": 0.0}
    assert columns(state, "i2") == {"w_item": 1.0}


def test_more_than_is_kept_of_a_person_is_refused_and_the_limit_is_named() -> None:
    text = HEAD + "  - {name: w, kind: interacted_with, fields: item.color, last: 100}"
    with pytest.raises(
        ViewError, match=r"last`: 32 interactions of a person are kept: set `limits.acted: 100`"
    ):
        load_view(text)
    load_view(text.replace("features:", "limits: {acted: 100}\nfeatures:"))
    for wrong, words in (
        ("", "fields` is missing"),
        ("fields: [item.a, item.a]", "names something twice"),
        ("fields: user.a", "an item's field is expected"),
        ("fields: [[a]]", "an item's field is expected"),
    ):
        with pytest.raises(ViewError, match=words):
            load_view(HEAD + f"  - {{name: w, kind: interacted_with, {wrong}}}")
