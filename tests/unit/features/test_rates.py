"""Counts and rates, with numbers computed by hand."""

from __future__ import annotations

import math

import pytest

from tests.support.builders import HOUR, START, a_click, a_log, a_slate, a_user, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns


def test_a_rate_is_actions_for_impressions_smoothed_by_the_overall_rate() -> None:
    state = a_state(
        "name: r, kind: rate, half_lives: [forever], strength: 10",
        events=a_log(a_slate(["i1", "i2"]), a_slate(["i1", "i3"]), a_click("i1")),
    )
    # One click on four impressions overall; i1 had two impressions and the click.
    assert columns(state, "i1")["r_forever"] == pytest.approx((1 + 10 * 0.25) / (2 + 10))
    assert columns(state, "i2")["r_forever"] == pytest.approx((0 + 10 * 0.25) / (1 + 10))
    assert columns(state, "nobody knows")["r_forever"] == pytest.approx(0.25)


def test_actions_weigh_what_the_view_says_and_unknown_ones_nothing() -> None:
    events = a_log(
        a_slate(["i1"] * 10), a_click("i1"), a_click("i1", action="buy"), a_click("i1", action="sneeze")
    )  # an item shown ten times in one slate had ten impressions
    state = a_state(
        "name: all, kind: rate, half_lives: [forever], strength: 1",
        "name: buys, kind: rate, actions: buy, half_lives: [forever], strength: 1",
        "name: n, kind: count, of: [click, buy], half_lives: [forever]",
        "name: shown, kind: count, of: impression, half_lives: [forever]",
        events=events,
    )
    found = columns(state)
    assert found["n_forever"] == 6.0
    assert found["shown_forever"] == 10.0
    assert found["all_forever"] == pytest.approx((6 + 0.6) / 11)
    assert found["buys_forever"] == pytest.approx((5 + 0.5) / 11)


def test_several_half_lives_see_several_pasts() -> None:
    state = a_state(
        "name: r, kind: rate, half_lives: [1h, 2h], strength: 1",
        events=[
            logged(a_slate(["i1", "i2"]), 1, START),
            logged(a_click("i1"), 2, START),
            logged(a_slate(["i1", "i2"]), 3, START + 2 * HOUR),
        ],
    )
    found = columns(state, at=START + 2 * HOUR)
    # By 1h the click weighs 1/4 beside 1 1/4 impressions; overall twice the impressions.
    assert found["r_1h"] == pytest.approx((0.25 + 0.25 / 2.5) / (1.25 + 1))
    assert found["r_2h"] == pytest.approx((0.5 + 0.5 / 3.0) / (1.5 + 1))


def test_rates_of_field_values_are_reduced_to_mean_and_max() -> None:
    state = a_state(
        "name: g, kind: rate, by: item.genres, half_lives: [forever], strength: 2, reduce: [mean, max]",
        events=a_log(
            an_item("i1", genres=["a", "b"]),
            an_item("i2", genres="b"),
            an_item("i3", genres=["a", "b", "c"]),
            a_slate(["i1", "i2"]),
            a_click("i2"),
        ),
    )
    overall = 1 / 2
    a, b, c = (0 + 2 * overall) / (1 + 2), (1 + 2 * overall) / (2 + 2), overall
    assert columns(state, "i3")["g_forever_mean"] == pytest.approx((a + b + c) / 3)
    assert columns(state, "i3")["g_forever_max"] == pytest.approx(max(a, b, c))
    assert columns(state, "i2")["g_forever_mean"] == pytest.approx(b)
    assert math.isnan(columns(state, "nobody knows")["g_forever_mean"])


def test_a_rate_may_be_for_each_click_instead_of_each_impression() -> None:
    state = a_state(
        "name: conversion, kind: rate, actions: buy, per: click, half_lives: [forever], strength: 2",
        "name: days, kind: window_rate, actions: buy, per: click, periods: 1, strength: 2",
        "name: mine, kind: rate, by: user, actions: buy, per: [click, impression], half_lives: [forever], strength: 2",
        "name: there, kind: rate, by: user.country, actions: buy, per: click, half_lives: [forever], strength: 2",
        head=HEAD.replace("buy: 5", "buy: 1"),
        events=a_log(
            a_user("u1", country="fr"),
            a_slate(["i1", "i2"]),
            a_click("i1"),
            a_click("i1"),
            a_click("i2", user="u2"),
            a_click("i1", action="buy"),
        ),
    )
    found = columns(state, "i1", at=START)
    each = (1 + 2 / 3) / (2 + 2)
    assert (found["conversion_forever"], found["days_1d"]) == (pytest.approx(each), pytest.approx(each))
    assert found["there_forever"] == pytest.approx((1 + 2 / 3) / (2 + 2))
    assert found["mine_forever"] == pytest.approx((1 + 2 / 5) / (4 + 2))
    assert columns(state, "i2", at=START)["conversion_forever"] == pytest.approx((0 + 2 / 3) / (1 + 2))


def test_what_a_rate_is_for_each_of_is_never_less_than_nothing() -> None:
    state = a_state(
        "name: r, kind: rate, actions: buy, per: hide, half_lives: [forever], strength: 2",
        "name: w, kind: window_rate, actions: buy, per: hide, periods: 1, strength: 2",
        head=HEAD.replace("buy: 5", "buy: 1, hide: -1"),
        events=a_log(a_click("i1", action="hide"), a_click("i1", action="hide"), a_click("i1", action="buy")),
    )
    assert columns(state, at=START) == {"r_forever": 0.5, "w_1d": 0.5}


def test_people_have_counts_and_rates_too() -> None:
    state = a_state(
        "name: done, kind: count, by: user, half_lives: [forever]",
        "name: mine, kind: rate, by: user, half_lives: [forever], strength: 1",
        "name: now, kind: count, by: session, of: impression, half_lives: [forever]",
        events=a_log(
            a_slate(["i1", "i2"], user="u1", session="s1"),
            a_click("i2", user="u1", session="s2"),
            a_slate(["i1", "i2"], user=None, session="s3"),
        ),
    )
    assert columns(state, user="u1", session="s1") == {
        "done_forever": 1.0,
        "mine_forever": pytest.approx((1 + 0.25) / (2 + 1)),
        "now_forever": 2.0,
    }
    # A missing user is the session.
    assert columns(state, user=None, session="s3")["mine_forever"] == pytest.approx((0 + 0.25) / (2 + 1))
    assert columns(state, user="s3")["mine_forever"] == pytest.approx((0 + 0.25) / (2 + 1))
    assert columns(state, user="nobody knows") == {
        "done_forever": 0.0,
        "mine_forever": pytest.approx(0.25),
        "now_forever": 0.0,
    }


def test_priors_order_items_by_their_smoothed_rate() -> None:
    state = a_state(
        "name: place, kind: position",
        events=a_log(a_slate(["i1", "i2"]), a_slate(["i1", "i2"]), a_click("i2"), an_item("i3"), every=0),
    )
    items, scores, default = state.item_priors(START)
    expected = {"i1": (0 + 4 / 4) / (2 + 4), "i2": (1 + 4 / 4) / (2 + 4), "i3": 1 / 4}
    assert dict(zip(items, scores.tolist(), strict=True)) == pytest.approx(expected)
    assert default == pytest.approx(1 / 4)
    assert state.priors(["i2", "?", "i1"], START).tolist() == pytest.approx(
        [expected["i2"], 1 / 4, expected["i1"]]
    )


def test_without_any_impression_priors_order_by_popularity() -> None:
    state = a_state("name: place, kind: position", events=a_log(a_click("i1"), a_click("i2"), a_click("i2")))
    first, second, unknown = state.priors(["i2", "i1", "?"], START)
    assert first > second > unknown


def test_a_slate_is_ranked_without_its_own_impressions_and_clicks() -> None:
    features = (
        "name: r, kind: rate, half_lives: [1h], strength: 1",
        "name: n, kind: count, half_lives: [1h]",
    )
    state = a_state(*features, events=a_log(a_slate(["i1", "i2"]), a_click("i1")))
    before = columns(state, at=START + HOUR)
    alone = a_state(*features, events=a_log(a_slate(["i1", "i2"]), a_click("i1")))
    state.apply_all(
        [
            logged(a_slate(["i1"]), 8, START + HOUR),
            logged(a_click("i1"), 9, START),
            logged(a_click("i1"), 10, START),
        ]
    )
    assert columns(alone, at=START + HOUR) == before
    assert columns(state, at=START + HOUR) != before
