"""Rates of pairs, and the bounded table that holds them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from eddyline_features.group_table import COUNTERS, WAYS, GroupTable, find, group_key, left_key, place_for
from eddyline_features.identities import identity
from eddyline_features.state import State
from eddyline_features.view import Limits, load_view
from tests.support.builders import HOUR, START, a_click, a_log, a_slate, a_user, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns

PHONE, DESK = {"device": "phone"}, {"device": "desk"}


def test_a_pair_is_smoothed_towards_the_rate_of_its_item_side() -> None:
    state = a_state(
        "name: x, kind: cross_rate, by: [context.device, item], actions: click, half_lives: [forever], strength: 2",
        events=a_log(
            a_slate(["i1", "i2"], user="u1", context=PHONE),
            a_click("i1", user="u1"),
            a_slate(["i1", "i2"], user="u2", context=DESK),
        ),
    )
    overall = 1 / 4
    i1 = (1 + 2 * overall) / (2 + 2)
    assert columns(state, "i1", context=PHONE)["x_forever"] == pytest.approx((1 + 2 * i1) / (1 + 2))
    assert columns(state, "i1", context=DESK)["x_forever"] == pytest.approx((0 + 2 * i1) / (1 + 2))
    # Without pair it is the item's rate, without item the overall one.
    for context in ({}, {"device": "watch"}, {"device": {"a": 1}}):
        assert columns(state, "i1", context=context)["x_forever"] == pytest.approx(i1)
    assert columns(state, "nobody knows", context=PHONE)["x_forever"] == pytest.approx(overall)


def test_pairs_of_two_fields_are_reduced_over_the_items_values() -> None:
    state = a_state(
        "name: x, kind: cross_rate, by: [user.country, item.genres], half_lives: 1h, strength: 1, reduce: [max, mean]",
        events=[
            logged(an_item("i1", genres=["a", "b"]), 1, START),
            logged(an_item("i2", genres="b"), 2, START),
            logged(a_user("u1", country="fr"), 3, START),
            logged(a_slate(["i1", "i2"]), 4, START),
            logged(a_click("i2"), 5, START),
            logged(a_slate(["i1", "i2"], user="u2"), 6, START),
        ],
    )
    # An hour later everything counts half.
    overall = 1 / 4
    a, b = (0 + overall) / (1 + 1), (0.5 + overall) / (2 + 1)
    french_a, french_b = (0 + a) / (0.5 + 1), (0.5 + b) / (1 + 1)
    found = columns(state, "i1", user="u1", at=START + HOUR)
    assert found == {
        "x_1h_max": pytest.approx(max(french_a, french_b)),
        "x_1h_mean": pytest.approx((french_a + french_b) / 2),
    }
    assert math.isnan(columns(state, "nobody knows", user="u1")["x_1h_mean"])
    assert columns(state, "i1", user="u2", at=START + HOUR)["x_1h_mean"] == pytest.approx((a + b) / 2)


def test_revenue_by_pair_is_not_capped() -> None:
    state = a_state(
        "name: x, kind: cross_rate, by: [user.country, item], half_lives: [forever], strength: 1, value: true",
        events=a_log(a_user("u1", country="fr"), a_slate(["i1", "i2"]), a_click("i1", value=90.0)),
    )
    i1 = (90 + 45) / (1 + 1)
    assert columns(state, "i1")["x_forever"] == pytest.approx((90 + i1) / (1 + 1))


def test_an_item_that_was_forgotten_finds_its_pairs_again() -> None:
    view = load_view(
        HEAD
        + "  - {name: x, kind: cross_rate, by: [context.device, item], half_lives: [forever], strength: 1}"
    )
    state = State(dataclasses.replace(view, limits=Limits(items=2, users=9)))
    state.apply_all(
        a_log(
            a_slate(["i1"], context=PHONE),
            a_click("i1"),
            an_item("i2"),
            an_item("i3"),
            an_item("i1"),
        )
    )
    # Its own counters began anew, so its rate is the overall one.
    assert columns(state, "i1", context=PHONE)["x_forever"] == pytest.approx((1 + 1) / (1 + 1))
    state.apply(logged(a_slate(["i1"], context=PHONE), 99, START + 9_000))
    assert columns(state, "i1", context=PHONE)["x_forever"] == pytest.approx((1 + (0.5 / 2)) / (2 + 1))


def test_landmarks_move_for_pairs_as_for_items() -> None:
    feature = "name: x, kind: cross_rate, by: [context.device, item], half_lives: [1m, forever], strength: 1"
    state = a_state(feature, events=[logged(a_slate(["i1"], context=PHONE), 1, START)])
    long_after = START + 1_000 * 60_000
    state.apply_all(
        [
            logged(a_slate(["i1", "i2"], context=PHONE), 2, long_after),
            logged(a_click("i1"), 3, long_after),
        ]
    )
    i1 = (1 + 1 / 2) / (1 + 1)
    found = columns(state, "i1", context=PHONE, at=long_after)
    assert found["x_1m"] == pytest.approx((1 + i1) / (1 + 1))
    assert found["x_forever"] == pytest.approx((1 + (1 + 1 / 3) / (2 + 1)) / (2 + 1))


def test_the_table_is_bounded_and_the_longest_silent_of_a_bucket_gives_way() -> None:
    table = GroupTable(8, 1)
    keys = [group_key(left_key(0, 7), identity(str(n))) for n in range(WAYS + 1)]
    for at, key in enumerate(keys[:WAYS]):
        place = place_for(at, key, 0, table.keys, table.groups)
        table.groups[place, COUNTERS] = at + 1
    again = place_for(99, keys[0], 0, table.keys, table.groups)
    assert table.groups[again, COUNTERS] == 1
    place = place_for(100, keys[WAYS], 0, table.keys, table.groups)
    assert table.groups[place, COUNTERS] == 0
    assert find(keys[1], table.keys) == -1
    assert all(find(key, table.keys) >= 0 for key in [*keys[:1], *keys[2:]])


def test_groups_spread_evenly_and_specs_have_keys_of_their_own() -> None:
    lefts = [left_key(spec, identity(f"u{n}")) for spec in range(2) for n in range(50)]
    keys = [group_key(left, right) for left in lefts for right in range(1, 101)]
    assert len(set(keys)) == len(keys) == 10_000
    assert all(0 < key < 2**62 for key in keys)
    for bits in (0, 20, 40):
        found = np.bincount([(key >> bits) & 63 for key in keys], minlength=64)
        # Of 10,000 in 64 buckets: 156, give or take 12.5 each.
        assert abs(found - 156).max() < 6 * 12.5


def test_snapshots_hold_used_groups_only() -> None:
    features = "name: x, kind: cross_rate, by: [context.device, item], half_lives: [forever]"
    empty, used = a_state(features), a_state(features, events=a_log(a_slate(["i1"], context=PHONE)))
    # Most of it is the rings of one user.
    assert len(used.snapshot()) - len(empty.snapshot()) < 2_500
    assert used.memory()["group"] == 40.0
