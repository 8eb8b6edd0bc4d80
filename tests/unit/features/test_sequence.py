"""Sequence: a person's last actions, with numbers worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest

from eddyline_features.state import State
from eddyline_features.view import Limits, ViewError, load_view
from tests.support.builders import HOUR, START, a_click, a_log, a_slate, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns

ITEMS = [
    an_item("i1", genres=["a", "b"]),
    an_item("i2", genres=["b"]),
    an_item("i3", genres=["c"]),
    an_item("i4", genres=["a", "c", "d", "e"]),
]
ALL = "name: q, kind: sequence, field: item.genres, last: 3, outputs: [since, since_same, length, duration, match]"
ACTIONS = [
    logged(a_click("i1"), 10, START + HOUR),
    logged(a_click("i3"), 11, START + 2 * HOUR),
    logged(a_slate(["i1", "i4"]), 12, START + 3 * HOUR),
]


def test_it_tells_when_how_many_and_what_they_have_in_common() -> None:
    state = a_state(ALL, events=[*a_log(*ITEMS), *ACTIONS])
    found = columns(state, "i4", at=START + 4 * HOUR)
    assert found["q_since"] == found["q_since_same"] == 2.0
    assert (found["q_length"], found["q_duration"]) == (2.0, 3.0)
    # The newest is i3 (c), before it came i1 (a, b); there is no third.
    assert (found["q_match_1"], found["q_match_2"]) == (0.25, 0.25)
    assert math.isnan(found["q_match_3"])
    other = columns(state, "i2", at=START + 4 * HOUR)
    assert (other["q_since"], other["q_since_same"]) == (2.0, 3.0)
    assert (other["q_match_1"], other["q_match_2"]) == (0.0, 1.0)


def test_strangers_have_done_nothing_yet_and_else_nothing_is_known() -> None:
    state = a_state(ALL, events=[*a_log(*ITEMS), *ACTIONS])
    for user in ("u2", None):
        found = columns(state, "i4", user=user)
        assert found.pop("q_length") == 0.0
        assert all(math.isnan(value) for value in found.values())


def test_of_unknown_items_only_what_the_person_did_is_known() -> None:
    state = a_state(ALL, events=[*a_log(*ITEMS, an_item("bare")), *ACTIONS])
    for item in ("nobody knows", "bare"):
        found = columns(state, item, at=START + 4 * HOUR)
        assert (found["q_since"], found["q_length"], found["q_duration"]) == (2.0, 2.0, 3.0)
        assert all(math.isnan(found[f"q_{name}"]) for name in ("since_same", "match_1", "match_2"))


def test_the_item_itself_can_be_what_is_compared() -> None:
    state = a_state(
        "name: q, kind: sequence, field: item, last: 2, outputs: [since_same, match]", events=ACTIONS
    )
    found = columns(state, "i1", at=START + 4 * HOUR)
    assert found == {"q_since_same": 3.0, "q_match_1": 0.0, "q_match_2": 1.0}


def test_only_the_actions_that_are_named_count_and_only_the_newest_are_matched() -> None:
    feature = "name: q, kind: sequence, field: item, actions: buy, last: 1, outputs: [since, length, match]"
    events = a_log(a_click("i1", action="buy"), a_click("i2", action="buy"), a_click("i3"), every=HOUR)
    found = columns(a_state(feature, events=events), "i2", at=START + 2 * HOUR)
    assert found == {"q_since": 1.0, "q_length": 2.0, "q_match_1": 1.0}


def test_an_action_that_says_no_counts_only_where_it_is_named() -> None:
    head = HEAD.replace("buy: 5", "hide: -2")
    features = [
        "name: q, kind: sequence, outputs: [length, since]",
        "name: n, kind: sequence, actions: hide, outputs: [length, since]",
    ]
    events = a_log(a_click("i1"), a_click("i2", action="hide"), every=HOUR)
    found = columns(a_state(*features, head=head, events=events), at=START + 2 * HOUR)
    assert found == {"q_length": 1.0, "q_since": 2.0, "n_length": 1.0, "n_since": 1.0}


def test_within_makes_a_session_of_what_a_user_did_lately() -> None:
    feature = "name: q, kind: sequence, within: 90m, outputs: [since, length, duration]"
    events = a_log(a_click("i1"), a_click("i2"), a_click("i3"), every=HOUR)
    found = columns(a_state(feature, events=events), at=START + 2 * HOUR)
    assert found == {"q_since": 0.0, "q_length": 2.0, "q_duration": 1.0}


def test_a_session_has_a_length_of_its_own() -> None:
    features = [f"name: {by[0]}, kind: sequence, by: {by}, outputs: length" for by in ("user", "session")]
    events = a_log(a_click("i1", session="s1"), a_click("i2", session="s2"), a_click("i3", session="s2"))
    assert columns(a_state(*features, events=events), session="s2") == {"u_length": 3.0, "s_length": 2.0}


def test_a_forgotten_item_was_an_action_all_the_same() -> None:
    view = load_view(HEAD + "  - {name: q, kind: sequence, field: item, last: 2, outputs: [length, match]}")
    state = State(dataclasses.replace(view, limits=Limits(items=2, users=9)))
    state.apply_all(a_log(a_click("i1"), a_click("i2"), an_item("i3")))
    found = columns(state, "i3")
    assert (found["q_length"], found["q_match_1"]) == (2.0, 0.0)
    assert math.isnan(found["q_match_2"])


def test_rings_keep_the_newest() -> None:
    view = load_view(HEAD + "  - {name: q, kind: sequence, field: item, last: 2, outputs: [length, match]}")
    state = State(dataclasses.replace(view, limits=Limits(items=1_000, users=9, acted=2)))
    state.apply_all(a_log(a_click("i1"), a_click("i2"), a_click("i3")))
    assert columns(state, "i2") == {"q_length": 2.0, "q_match_1": 0.0, "q_match_2": 1.0}


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (
            "outputs: match, last: 40, field: item",
            r"`features\[0\].last`: 32 interactions .* `limits.acted: 40`",
        ),
        ("outputs: match", "field` is missing"),
        ("field: item.genres", "is for the outputs `since_same` and `match`"),
        ("last: 2", "is for the output `match`"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(feature: str, words: str) -> None:
    with pytest.raises(ViewError, match=words):
        load_view(HEAD + f"  - {{name: q, kind: sequence, {feature}}}")
