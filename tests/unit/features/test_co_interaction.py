"""Co-interaction: pairs of one person's interactions, in bounded lists that never say too much."""

from __future__ import annotations

import dataclasses
import math

import pytest

from eddyline_contracts.events import Event
from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import Limits, load_view
from tests.support.builders import DAY, HOUR, MINUTE, START, a_click, logged
from tests.unit.features.reading import a_state, columns

HEAD = """
view: test
label_window: 10m
actions: {click: 1, buy: 4, hide: -1}
features:
"""


Act = tuple[Event, int]


def did(user: str, item: str, at: int, action: str = "click") -> Act:
    return a_click(item, user=user, action=action), at


def in_order(*acts: Act) -> list[Logged]:
    return [logged(event, sequence, at) for sequence, (event, at) in enumerate(acts, 1)]


def together(
    *events: Logged, item: str, user: str = "me", rest: str = "half_life: forever", at: int = 0
) -> dict[str, float]:
    state = a_state(
        f"name: t, kind: co_interaction, {rest}, outputs: [sum, best, lift, cosine]",
        events=list(events),
        head=HEAD,
    )
    return columns(state, item, user=user, at=at)


def test_a_pair_counts_the_geometric_mean_of_its_actions_both_ways() -> None:
    log = in_order(
        did("u1", "bread", START),
        did("u1", "butter", START + MINUTE, action="buy"),
        did("me", "bread", START + HOUR),
        did("you", "butter", START + HOUR),
    )
    assert together(*log, item="butter")["t_sum"] == 1.0
    assert together(*log, item="bread", user="you")["t_sum"] == 1.0
    # √(1 × 4) = 2 of pairs of 4 in all: (2 + 5 / 2) / ((2 + 5) / 2)
    assert together(*log, item="butter")["t_lift"] == pytest.approx((2 + 2.5) / 3.5)


def test_what_is_too_far_apart_is_no_pair_nor_is_what_people_did_not_like() -> None:
    log = in_order(
        did("u1", "bread", START),
        did("u1", "butter", START + 2 * DAY),
        did("u1", "jam", START + 2 * DAY, action="hide"),
        did("u1", "jam", START + 2 * DAY, action="unheard of"),
        did("me", "bread", START + 2 * DAY),
        did("me", "butter", START + 5 * DAY),
    )
    assert together(*log, item="butter")["t_sum"] == 0.0
    assert together(*log, item="jam")["t_sum"] == 0.0


def test_repeating_an_item_makes_no_pair_with_itself_and_only_one_with_another() -> None:
    log = in_order(
        *(did("u1", "bread", START) for _ in range(3)),
        did("u1", "butter", START),
        did("u1", "jam", START),
        did("me", "butter", START),
    )
    seen = together(*log, item="bread")
    assert seen["t_sum"] == seen["t_best"] == 0.5
    assert together(*log, item="butter")["t_sum"] == 0.0


def test_pairs_and_the_persons_own_past_fade() -> None:
    log = in_order(
        did("u1", "bread", START),
        did("u1", "butter", START),
        did("u2", "bread", START + HOUR),
        did("u2", "jam", START + HOUR),
        did("me", "bread", START + HOUR),
    )
    now, later = (together(*log, item="jam", rest="half_life: 1h", at=START + n * HOUR) for n in (1, 2))
    # A pair of now beside one of an hour ago: 1 of 1.5; an hour later what I did counts half.
    assert now["t_sum"] == pytest.approx(1 / 1.5)
    assert later["t_sum"] == pytest.approx(0.5 / 1.5)
    assert now["t_cosine"] == pytest.approx(1 / math.sqrt(1.5))


def test_a_list_keeps_what_is_frequent_and_never_says_too_much() -> None:
    log = []
    for n in range(40):
        log += [did(f"u{n}", "hub", START), did(f"u{n}", "often" if n % 2 else f"once {n}", START)]
    log.append(did("me", "hub", START))
    state = a_state(
        "name: t, kind: co_interaction, half_life: forever, neighbours: 2, outputs: sum",
        events=in_order(*log),
        head=HEAD,
    )
    assert 0.4 < columns(state, "often", user="me")["t_sum"] <= 0.5
    assert columns(state, "once 0", user="me")["t_sum"] <= 1 / 40


def test_nobody_without_interactions_has_anything_and_unknown_items_neither() -> None:
    log = in_order(did("u1", "bread", START), did("u1", "butter", START))
    assert math.isnan(together(*log, item="bread", user="stranger")["t_sum"])
    assert math.isnan(together(*log, item="?", user="u1")["t_sum"])


def test_another_item_in_the_same_row_is_not_taken_for_the_one_before() -> None:
    view = load_view(HEAD + "  - {name: t, kind: co_interaction, half_life: forever, outputs: sum}")
    state = State(dataclasses.replace(view, limits=dataclasses.replace(Limits(), items=3)))
    state.apply_all(
        in_order(
            did("u1", "butter", START),
            did("u1", "bread", START),
            did("me", "bread", START),
            did("u2", "jam", START),
            did("u2", "salt", START),
        )
    )
    assert "butter" not in state.items.rows
    assert state.items.rows["salt"] == 0
    assert columns(state, "salt", user="me")["t_sum"] == 0.0
