"""Affinity: what a person acted on and passed over, with numbers computed by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from eddyline_features.state import State
from eddyline_features.view import Limits, load_view
from tests.support.builders import HOUR, START, a_click, a_log, a_slate, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns

ALL = "outputs: [acted, passed, rate, best, share, lift]"
LIKES = f"name: l, kind: affinity, by: user, field: item.genres, half_lives: [forever], strength: 2, {ALL}"
ITEMS = [
    an_item("i1", genres=["a", "b"]),
    an_item("i2", genres=["b"]),
    an_item("i3", genres=["c"]),
    an_item("i4", genres=["a", "d"]),
]


def test_acted_and_passed_are_kept_apart_by_field_value() -> None:
    state = a_state(LIKES, events=a_log(*ITEMS, a_slate(["i1", "i2", "i3"]), a_click("i1")))
    found = columns(state, "i4")
    # Acted on: a and b once each; passed: b and c once each. One impression in three led to a click.
    own = 1 / 3
    a, d = (1 + 2 * own) / (1 + 2), (0 + 2 * own) / (0 + 2)
    assert found["l_forever_acted"] == pytest.approx(0.5)
    assert found["l_forever_passed"] == 0.0
    assert found["l_forever_rate"] == pytest.approx((a + d) / 2)
    assert found["l_forever_best"] == pytest.approx(a)
    assert found["l_forever_share"] == pytest.approx(1.0)
    assert columns(state, "i2")["l_forever_passed"] == 1.0


def test_lift_is_what_was_acted_on_beyond_the_items_own_rates() -> None:
    state = a_state(LIKES, events=a_log(*ITEMS, a_slate(["i1", "i2", "i3"]), a_click("i1"), every=0))
    # The prior has strength 4 and the overall rate is 1/3: what was to be expected of i1, i2 and i3.
    i1, other = (1 + 4 / 3) / (1 + 4), (0 + 4 / 3) / (1 + 4)
    a = (1 - i1) / (1 + 2)
    b = (1 - i1 - other) / (2 + 2)
    c = (0 - other) / (1 + 2)
    assert columns(state, "i1", at=START)["l_forever_lift"] == pytest.approx((a + b) / 2, rel=1e-5)
    assert columns(state, "i3", at=START)["l_forever_lift"] == pytest.approx(c, rel=1e-5)
    assert columns(state, "i4", at=START)["l_forever_lift"] == pytest.approx(a / 2, rel=1e-5)


def test_nobody_known_has_no_affinities() -> None:
    state = a_state(LIKES, events=a_log(*ITEMS, a_slate(["i1"])))
    for found in (
        columns(state, "i1", user="u2"),
        columns(state, "nobody knows"),
        columns(a_state(LIKES), "i1"),
    ):
        assert all(math.isnan(value) for value in found.values())


def test_what_was_acted_on_fades() -> None:
    state = a_state(
        "name: l, kind: affinity, field: item.genres, half_lives: [1h]",
        events=[
            *a_log(*ITEMS),
            logged(a_click("i2"), 10, START),
            logged(a_click("i2", action="buy"), 11, START + HOUR),
        ],
    )
    assert columns(state, "i2", at=START + HOUR)["l_1h_acted"] == pytest.approx(0.5 + 5.0)
    assert columns(state, "i2", at=START + 2 * HOUR)["l_1h_acted"] == pytest.approx(0.25 + 2.5)


def test_a_session_is_apart_from_its_user() -> None:
    features = [
        "name: u, kind: affinity, by: user, field: item.genres, half_lives: [forever], outputs: acted",
        "name: s, kind: affinity, by: session, field: item.genres, half_lives: [forever], outputs: acted",
    ]
    events = a_log(
        *ITEMS,
        a_click("i2", session="s1"),
        a_click("i2", session="s2"),
        a_click("i3", user="u2", session="s1"),
    )
    found = columns(a_state(*features, events=events), "i2", session="s1")
    assert found == {"u_forever_acted": 2.0, "s_forever_acted": 1.0}


def test_the_item_itself_can_be_the_value() -> None:
    state = a_state(
        f"name: again, kind: affinity, field: item, half_lives: [forever], strength: 2, {ALL}",
        events=a_log(a_slate(["i1", "i2"]), a_slate(["i1", "i2"]), a_click("i2")),
    )
    assert columns(state, "i1")["again_forever_passed"] == 2.0
    assert columns(state, "i2")["again_forever_acted"] == 1.0
    assert columns(state, "i2")["again_forever_passed"] == 0.0
    assert columns(state, "i1")["again_forever_rate"] == pytest.approx((0 + 2 / 3) / (2 + 2))


def test_a_slate_that_comes_after_its_click_is_no_pass() -> None:
    likes = "name: l, kind: affinity, field: item.genres, half_lives: [forever]"
    late = [logged(a_click("i2"), 10, START + 5_000), logged(a_slate(["i2", "i3"]), 11, START)]
    again = [logged(a_click("i2"), 10, START), logged(a_slate(["i2", "i3"]), 11, START + 5_000)]
    assert columns(a_state(likes, events=[*a_log(*ITEMS), *late]), "i2")["l_forever_passed"] == 0.0
    assert columns(a_state(likes, events=[*a_log(*ITEMS), *again]), "i2")["l_forever_passed"] == 1.0


def test_rings_keep_the_newest_and_the_top_of_long_slates() -> None:
    view = load_view(HEAD + "  - {name: l, kind: affinity, field: item, half_lives: [forever]}")
    state = State(dataclasses.replace(view, limits=Limits(items=1_000, users=9, acted=2, shown=3)))
    state.apply_all(a_log(a_slate([f"i{n}" for n in range(9)]), a_click("i5"), a_click("i6"), a_click("i7")))
    assert [columns(state, f"i{n}")["l_forever_passed"] for n in range(4)] == [1.0, 1.0, 1.0, 0.0]
    assert [columns(state, f"i{n}")["l_forever_acted"] for n in (5, 6, 7)] == [0.0, 1.0, 1.0]


def test_an_item_in_the_place_of_a_forgotten_one_inherits_nothing() -> None:
    view = load_view(HEAD + "  - {name: l, kind: affinity, field: item, half_lives: [forever]}")
    state = State(dataclasses.replace(view, limits=Limits(items=2, users=9)))
    state.apply_all(a_log(a_click("i1"), a_click("i2"), an_item("i3")))
    assert state.item("i1") is None
    assert columns(state, "i3")["l_forever_acted"] == 0.0
    assert columns(state, "i2")["l_forever_acted"] == 1.0


def test_what_was_refused_is_passed_by_with_its_weight_and_no_taste_at_all() -> None:
    head = HEAD.replace("buy: 5", "hide: -2")
    events = a_log(*ITEMS, a_slate(["i1", "i2", "i3"]), a_click("i1"), a_click("i3", action="hide"), every=0)
    state = a_state(LIKES, events=events, head=head)
    found = columns(state, "i3", at=START)
    assert found["l_forever_acted"] == 0.0
    # The impression and the two of hide.
    assert found["l_forever_passed"] == 3.0
    own = 1 / 5
    assert found["l_forever_rate"] == pytest.approx((0 + 2 * own) / (3 + 2))
    untouched = columns(a_state(LIKES, events=events[:-1], head=head), "i3", at=START)
    assert found["l_forever_lift"] < untouched["l_forever_lift"] < 0.0
    # A slate that comes later than its refusal counts the same.
    late = a_log(*ITEMS, a_click("i3", action="hide"), a_slate(["i1", "i2", "i3"]), a_click("i1"), every=0)
    assert columns(a_state(LIKES, events=late, head=head), "i3", at=START) == found


def test_a_refusal_that_is_not_named_leaves_the_impression_alone() -> None:
    head = HEAD.replace("buy: 5", "hide: -2")
    events = a_log(*ITEMS, a_slate(["i1", "i2", "i3"]), a_click("i1"), a_click("i3", action="hide"), every=0)
    feature = LIKES.replace("by: user", "by: user, actions: click").replace(
        ALL, "outputs: [acted, passed, rate]"
    )
    with_it = a_state(feature, events=events, head=head)
    without = a_state(feature, events=events[:-1], head=head)
    assert columns(with_it, "i3", at=START) == columns(without, "i3", at=START)


def test_what_is_older_than_within_counts_for_nothing() -> None:
    feature = "name: l, kind: affinity, field: item.genres, half_lives: forever, within: 2h"
    events = [
        *a_log(*ITEMS),
        logged(a_slate(["i2", "i3"]), 10, START),
        logged(a_click("i2"), 11, START + HOUR),
    ]
    state = a_state(feature, events=events)
    assert columns(state, "i2", at=START + 2 * HOUR)["l_forever_acted"] == 1.0
    assert columns(state, "i3", at=START + 2 * HOUR)["l_forever_passed"] == 1.0
    assert columns(state, "i3", at=START + 2 * HOUR + 1)["l_forever_passed"] == 0.0
    assert math.isnan(columns(state, "i2", at=START + 4 * HOUR)["l_forever_acted"])
