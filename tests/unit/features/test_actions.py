"""What actions weigh: those that say no, and values that multiply."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.builders import HOUR, START, a_click, a_log, a_slate, an_item, logged
from tests.unit.features.reading import a_state, columns

HEAD = """
view: test
label_window: 10m
actions: {click: 1, buy: 5, dislike: -1, hide: -2, look: 0}
prior: {half_life: 365d, strength: 4}
features:
"""


def test_counts_add_up_what_actions_weigh_and_those_that_say_no_take_off() -> None:
    state = a_state(
        "name: n, kind: count, half_lives: [forever]",
        "name: against, kind: count, of: [dislike, hide], half_lives: [forever]",
        "name: mine, kind: count, by: user, half_lives: [forever]",
        "name: r, kind: rate, half_lives: [forever], strength: 2",
        head=HEAD,
        events=a_log(
            a_slate(["i1", "i2"]),
            a_click("i1"),
            a_click("i1", action="hide"),
            a_click("i1", action="dislike"),
            a_click("i1", action="look"),
            a_click("i2", action="buy"),
        ),
    )
    overall = min((1 - 2 - 1 + 5) / 2, 1)
    found = columns(state, "i1")
    assert found["n_forever"] == 1 - 2 - 1
    assert found["against_forever"] == -3
    assert found["mine_forever"] == 3
    assert found["r_forever"] == pytest.approx((-2 + 2 * overall) / (1 + 2))
    assert columns(state, "i2")["r_forever"] == pytest.approx((5 + 2 * overall) / (1 + 2))


def test_an_overall_rate_is_within_one_either_way_whatever_is_sent_without_slates() -> None:
    events = [
        logged(a_slate(["i1"]), 1, START - 100 * HOUR),
        *(logged(a_click("i1", action="hide"), n, START) for n in range(2, 9)),
    ]
    state = a_state("name: r, kind: rate, half_lives: [1h], strength: 2", head=HEAD, events=events)
    assert columns(state, "i2")["r_1h"] == -1.0
    assert math.isfinite(columns(state, "i1")["r_1h"])
    assert np.isfinite(state.priors(["i1", "i2"], START)).all()


def test_disliked_items_come_last_by_the_prior() -> None:
    state = a_state(
        "name: place, kind: position",
        head=HEAD,
        events=a_log(a_slate(["i1", "i2", "i3"]), a_click("i1", action="dislike"), a_click("i3")),
    )
    scores = state.priors(["i1", "i2", "i3"], START)
    assert scores[0] < scores[1] < scores[2]


def test_values_multiply_where_they_are_asked_for() -> None:
    state = a_state(
        "name: revenue, kind: rate, actions: click, half_lives: [forever], strength: 2, value: true",
        "name: ctr, kind: rate, actions: click, half_lives: [forever], strength: 2",
        "name: spent, kind: count, by: user, of: [click, impression], half_lives: [1h], value: true",
        head=HEAD,
        events=[
            logged(a_slate(["i1", "i2"]), 1, START),
            logged(a_click("i1", value=30.0), 2, START),
            logged(a_click("i1", value=-10.0), 3, START),
        ],
    )
    found = columns(state, "i1", at=START + HOUR)
    # The overall revenue of an impression is not capped at 1.
    assert found["revenue_forever"] == pytest.approx((20 + 2 * 20 / 2) / (1 + 2))
    assert found["ctr_forever"] == pytest.approx((2 + 2 * 1) / (1 + 2))
    assert found["spent_1h"] == pytest.approx((2 + 20) / 2)
    assert columns(state, "i2")["revenue_forever"] == pytest.approx((0 + 2 * 20 / 2) / (1 + 2))


def test_people_can_read_what_was_counted_with_values_and_against() -> None:
    state = a_state(
        "name: spent, kind: count, half_lives: [forever], of: click, value: true",
        "name: n, kind: count, by: user, half_lives: [forever], of: [click, hide]",
        head=HEAD,
        events=a_log(a_click("i1", value=30.0), a_click("i1", action="hide")),
    )
    item, user = state.item("i1"), state.user("u1")
    assert item is not None
    assert user is not None
    assert item["counts"]["click_value_forever"] == 30.0
    assert user["counts"] == {"click+hide_forever": -1.0}


@pytest.mark.parametrize(
    ("sent", "taken"), [(1e308, 1e9), (-math.inf, -1e9), (math.nan, 1.0), (0.0, 0.0), (2.5, 2.5)]
)
def test_values_that_nobody_means_are_bounded(sent: float, taken: float) -> None:
    state = a_state(
        "name: n, kind: count, half_lives: [forever], value: true", events=a_log(a_click("i1", value=sent))
    )
    assert columns(state)["n_forever"] == np.float32(taken)


def test_a_quiet_item_or_person_is_unknown_after_its_ttl() -> None:
    state = a_state(
        "name: n, kind: count, half_lives: [forever], ttl: 1h",
        "name: kept, kind: count, half_lives: [forever]",
        "name: r, kind: rate, half_lives: [forever], ttl: 1h",
        "name: mine, kind: rate, by: user, half_lives: [forever], ttl: 1h",
        "name: ours, kind: count, by: session, half_lives: [forever], ttl: 1h",
        "name: brand, kind: count, by: item.brand, half_lives: [forever], ttl: 1h",
        events=[
            logged(an_item("i1", brand=["a", "b"]), 1, START),
            logged(an_item("i2", brand="b"), 2, START),
            logged(a_click("i1", user="u1", session="s1"), 3, START),
            logged(a_click("i2", user="u2", session="s2"), 4, START + HOUR),
        ],
    )
    timed = {"n_forever", "r_forever", "mine_forever", "ours_forever"}
    on_time = columns(state, "i1", user="u1", session="s1", at=START + HOUR)
    assert not any(math.isnan(value) for value in on_time.values())
    late = columns(state, "i1", user="u1", session="s1", at=START + HOUR + 1)
    assert {name for name, value in late.items() if math.isnan(value)} == timed
    assert late["kept_forever"] == 1.0
    # Of the values only b was heard of since; then nothing was.
    assert late["brand_forever_mean"] == 2.0
    later = columns(state, "i1", user="u1", session="s1", at=START + 2 * HOUR + 1)
    assert math.isnan(later["brand_forever_mean"])
    nobody = columns(state, "nobody knows", user="nobody", session="none", at=START)
    assert {name for name in timed if math.isnan(nobody[name])} == timed
