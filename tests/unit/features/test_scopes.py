"""Counts and rates of item fields' values, of users' and contexts' fields, and of all together."""

from __future__ import annotations

import dataclasses
import math

import pytest

from eddyline_features.state import State
from eddyline_features.view import Limits, ViewError, load_view
from tests.support.builders import HOUR, START, a_click, a_log, a_slate, a_user, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns

PHONE, DESK = {"device": "phone"}, {"device": "desk"}


def test_a_count_by_a_field_is_that_of_its_values() -> None:
    state = a_state(
        "name: n, kind: count, by: item.genres, of: click, half_lives: [forever], reduce: [mean, max]",
        events=a_log(
            an_item("i1", genres=["a", "b"]),
            an_item("i2", genres="b"),
            an_item("i3", genres=["a", "b", "c"]),
            a_click("i1"),
            a_click("i2"),
            a_click("i2"),
        ),
    )
    assert columns(state, "i3") == {"n_forever_mean": pytest.approx(4 / 3), "n_forever_max": 3.0}


def test_all_together_have_a_count_and_a_rate() -> None:
    state = a_state(
        "name: n, kind: count, by: global, of: impression, half_lives: [1h]",
        "name: r, kind: rate, by: global, half_lives: [1h]",
        events=[
            logged(a_slate(["i1", "i2", "i3", "i4"]), 1, START),
            logged(a_click("i1"), 2, START),
        ],
    )
    for item in ("i1", "nobody knows"):
        assert columns(state, item, user="nobody", at=START + HOUR) == {"n_1h": 2.0, "r_1h": 0.25}


def test_users_of_one_country_share_what_they_do() -> None:
    state = a_state(
        "name: n, kind: count, by: user.country, of: [impression, click], half_lives: [forever]",
        "name: r, kind: rate, by: user.country, half_lives: [forever], strength: 2",
        events=a_log(
            a_user("u1", country="fr"),
            a_user("u2", country=["fr", "de"]),
            a_user("u3", country="de"),
            a_user("u4", country="it"),
            a_slate(["i1", "i2"], user="u1"),
            a_click("i1", user="u2"),
            a_slate(["i1", "i2"], user="u3"),
            a_slate(["i1", "i2"], user="unknown"),
            # What was done before he moved stays there.
            a_user("u3", country="fr"),
        ),
    )
    overall = 1 / 6
    french = {"n_forever": 3.0, "r_forever": pytest.approx((1 + 2 * overall) / (2 + 2))}
    assert columns(state, user="u1") == french
    assert columns(state, user="u3") == french
    nothing_yet = {"n_forever": 0.0, "r_forever": pytest.approx(overall)}
    assert columns(state, user="u4") == nothing_yet
    assert columns(state, user="unknown") == nothing_yet
    state.apply(logged(a_user("u4", country="de"), 99))
    assert columns(state, user="u4")["n_forever"] == 2.0


def test_a_click_belongs_to_the_context_of_the_persons_last_slate() -> None:
    state = a_state(
        "name: n, kind: count, by: context.device, of: click, half_lives: [forever]",
        "name: r, kind: rate, by: context.device, half_lives: [forever], strength: 2",
        events=a_log(
            a_click("i1", user="u1"),
            a_slate(["i1", "i2"], user="u1", context=PHONE),
            a_click("i1", user="u1"),
            a_slate(["i1", "i2"], user="u2", context=DESK),
            a_click("i1", user="u2"),
            a_slate(["i1"], user=None, session="s1", context=PHONE),
            a_click("i1", user=None, session="s1"),
            a_slate(["i1"], user="u1", context={}),
            a_click("i1", user="u1"),
        ),
    )
    overall = 5 / 6
    assert columns(state, context=PHONE) == {
        "n_forever": 2.0,
        "r_forever": pytest.approx((2 + 2 * overall) / (3 + 2)),
    }
    assert columns(state, context=DESK)["n_forever"] == 1.0
    assert columns(state, context={"device": "watch"}) == {
        "n_forever": 0.0,
        "r_forever": pytest.approx(overall),
    }
    assert columns(state, context={"device": ["phone", "desk"]}) == columns(state, context=PHONE)


def test_a_quiet_group_is_unknown_after_its_ttl() -> None:
    state = a_state(
        "name: n, kind: count, by: context.device, of: impression, half_lives: [forever], ttl: 1h",
        events=[logged(a_slate(["i1"], context=PHONE), 1, START)],
    )
    assert columns(state, context=PHONE, at=START + HOUR)["n_forever"] == 1.0
    for context, at in ((PHONE, START + HOUR + 1), (DESK, START)):
        assert math.isnan(columns(state, context=context, at=at)["n_forever"])


def test_a_forgotten_user_has_no_last_context() -> None:
    view = load_view(
        HEAD + "  - {name: n, kind: count, by: context.device, of: click, half_lives: [forever]}"
    )
    state = State(dataclasses.replace(view, limits=Limits(users=1)))
    state.apply_all(
        a_log(
            a_slate(["i1"], user="u1", context=PHONE),
            a_slate(["i1"], user="u2", context={}),
            a_click("i1", user="u1"),
        )
    )
    assert columns(state, context=PHONE)["n_forever"] == 0.0


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ("kind: count, by: genres, half_lives: 1h", "here it can be item, item.<field>, user, user.<field>"),
        ("kind: count, by: values, half_lives: 1h", "'values'; here it can be item"),
        ("kind: rate, by: [user, item], half_lives: 1h", "is no word; here it can be"),
        ("kind: count, by: user, reduce: max, half_lives: 1h", "use it with `by: item.<field>`"),
        ("kind: count, by: global, ttl: 1h, half_lives: 1h", "all together always have events"),
        ("kind: count, value: maybe, half_lives: 1h", "use one of true, false"),
        ("kind: cross_rate, by: user.country, half_lives: 1h", "needs two: whose rate, and of what"),
        (
            "kind: cross_rate, by: [item, user.country], half_lives: 1h",
            "here it can be user.<field>, context",
        ),
        ("kind: cross_rate, by: [user.country, user], half_lives: 1h", "here it can be item, item.<field>"),
        ("kind: cross_rate, half_lives: 1h", "add, for example, `by: [user.country, item.genres]`"),
        (
            "kind: cross_rate, by: [user.a, item], reduce: max, half_lives: 1h",
            "use it with `by: item.<field>`",
        ),
    ],
)
def test_a_scope_that_is_none_is_refused_with_those_that_are(feature: str, told: str) -> None:
    with pytest.raises(ViewError) as caught:
        load_view(HEAD + f"  - {{name: x, {feature}}}")
    assert told in str(caught.value)
