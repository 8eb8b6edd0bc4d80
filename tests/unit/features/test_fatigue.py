"""Fatigue: what was shown and left, and when, with numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from eddyline_features.view import ViewError, load_view
from tests.support.builders import HOUR, START, a_click, a_log, a_slate, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns

ITEMS = [
    an_item("i1", brands=["a", "b"]),
    an_item("i2", brands="b"),
    an_item("i3", brands="c"),
    an_item("i4", brands=["b", "c", "d"]),
]
BY_BRAND = "name: t, kind: fatigue, field: item.brands, half_lives: [1h, forever]"


def test_impressions_that_nothing_followed_are_counted_and_fade() -> None:
    state = a_state(
        "name: t, kind: fatigue, half_lives: [1h, forever]",
        events=[
            logged(a_slate(["i1", "i2"]), 1, START),
            logged(a_slate(["i1", "i3"]), 2, START + HOUR),
            logged(a_click("i3"), 3, START + HOUR),
        ],
    )
    at = START + 2 * HOUR
    assert columns(state, "i1", at=at) == {"t_1h_times": 0.75, "t_forever_times": 2.0, "t_since": 1.0}
    assert columns(state, "i2", at=at) == {"t_1h_times": 0.25, "t_forever_times": 1.0, "t_since": 2.0}
    # What was acted on does not tire, but it was seen.
    assert columns(state, "i3", at=at) == {"t_1h_times": 0.0, "t_forever_times": 0.0, "t_since": 1.0}


def test_what_is_shown_again_after_an_action_counts_again() -> None:
    events = a_log(a_slate(["i1"]), a_click("i1"), a_slate(["i1"]))
    assert (
        columns(a_state("name: t, kind: fatigue, half_lives: forever", events=events))["t_forever_times"] == 1
    )


def test_what_was_refused_was_not_taken() -> None:
    head = HEAD.replace("buy: 5", "hide: -2")
    events = a_log(a_slate(["i1", "i2"]), a_click("i1", action="hide"), a_click("i2"))
    state = a_state("name: t, kind: fatigue, half_lives: forever, outputs: times", head=head, events=events)
    assert columns(state, "i1") == {"t_forever_times": 1.0}
    assert columns(state, "i2") == {"t_forever_times": 0.0}


def test_of_a_field_it_is_the_mean_of_the_times_of_its_values_and_the_newest() -> None:
    events = [
        *a_log(*ITEMS),
        logged(a_slate(["i1"]), 10, START + HOUR),
        logged(a_slate(["i2"]), 11, START + 2 * HOUR),
    ]
    state = a_state(BY_BRAND, events=events)
    found = columns(state, "i4", at=START + 3 * HOUR)
    # b was shown twice, c and d never.
    assert found["t_forever_times"] == pytest.approx(2 / 3)
    assert found["t_1h_times"] == pytest.approx((0.25 + 0.5) / 3)
    assert found["t_since"] == 1.0
    assert columns(state, "i1", at=START + 3 * HOUR)["t_forever_times"] == pytest.approx(1.5)


def test_never_shown_is_no_times_and_no_time() -> None:
    state = a_state(BY_BRAND, events=a_log(*ITEMS, a_slate(["i1"])))
    found = columns(state, "i3")
    assert found["t_forever_times"] == 0.0
    assert math.isnan(found["t_since"])


def test_nothing_is_known_of_strangers_unknown_items_and_items_without_the_field() -> None:
    state = a_state(BY_BRAND, events=a_log(*ITEMS, an_item("bare"), a_slate(["i1", "bare"])))
    for found in (
        columns(state, "i1", user="u2"),
        columns(state, "nobody knows"),
        columns(state, "bare"),
    ):
        assert all(math.isnan(value) for value in found.values())


def test_what_is_older_than_within_counts_for_nothing() -> None:
    events = [logged(a_slate(["i1"]), 1, START), logged(a_slate(["i1"]), 2, START + HOUR)]
    state = a_state("name: t, kind: fatigue, half_lives: forever, within: 1h", events=events)
    assert columns(state, at=START + HOUR)["t_forever_times"] == 2.0
    assert columns(state, at=START + HOUR + 1)["t_forever_times"] == 1.0
    late = columns(state, at=START + 3 * HOUR)
    assert late["t_forever_times"] == 0.0
    assert math.isnan(late["t_since"])


def test_a_session_is_apart_from_its_user() -> None:
    events = a_log(a_slate(["i1"], session="s1"), a_slate(["i1"], session="s2"))
    features = [f"name: {by[0]}, kind: fatigue, by: {by}, half_lives: forever, outputs: times" for by in
                ("user", "session")]  # fmt: skip
    found = columns(a_state(*features, events=events), session="s1")
    assert found == {"u_forever_times": 2.0, "s_forever_times": 1.0}


def test_the_time_alone_needs_no_half_life_and_takes_none() -> None:
    state = a_state("name: t, kind: fatigue, outputs: since", events=a_log(a_slate(["i1"])))
    assert columns(state, at=START + HOUR) == {"t_since": 1.0}
    with pytest.raises(ViewError, match="half_lives` is for the output `times`"):
        load_view(HEAD + "  - {name: t, kind: fatigue, outputs: since, half_lives: 1h}")
    with pytest.raises(ViewError, match="half_lives` is missing"):
        load_view(HEAD + "  - {name: t, kind: fatigue}")
    with pytest.raises(ViewError, match="send it under another name"):
        load_view(HEAD + "  - {name: t, kind: fatigue, field: item.item, half_lives: 1h}")
