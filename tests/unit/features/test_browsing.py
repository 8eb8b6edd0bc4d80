"""Looking through the catalogue: what goes with an item, and what people act on lately, as the state knows it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_contracts.events import Event
from eddyline_features.retrieval.browsing import UnknownHalfLife, UnknownItem, similar_items, trending_items
from eddyline_features.state import NoRetrieval, State
from eddyline_features.view import load_view
from tests.support.builders import DAY, HOUR, MINUTE, START, a_click, an_item, logged

TEXT = """
view: shop
actions: {click: 1, purchase: 5, hide: -1}
label_window: 10m
online: {rule: sgd}
recommend: {fields: [brand, genres], half_lives: [1h, 7d]}
features:
  - {name: rate, kind: rate, by: item, half_lives: [1h]}
"""
VIEW = load_view(TEXT)


def a_state(*events: Event, text: str = TEXT, step: int = MINUTE) -> State:
    state = State(load_view(text))
    for number, event in enumerate(events, 1):
        state.apply(logged(event, number, START + number * step))
    return state


def names(state: State, item: str, n: int = 20, **asked: Any) -> list[str]:
    return [name for name, _ in similar_items(state, item, n, **asked).items]


SHOP = [
    an_item("kite", brand="aloft", genres=["outdoor", "toys"]),
    an_item("ball", brand="aloft", genres=["outdoor", "toys"]),
    an_item("boat", brand="folded", genres=["toys"]),
    an_item("lamp", brand="glow", genres=["home"]),
    an_item("vase", brand="glow", genres=["home"]),
]


def test_what_people_act_on_beside_it_comes_first_and_then_what_shares_fields_and_then_the_rest() -> None:
    acts = [a_click(item, user=f"u{n}") for n in range(5) for item in ("kite", "lamp")]
    state = a_state(*SHOP, *acts)
    found = similar_items(state, "kite", 10, ways=["together"])
    assert found.ways == ["together"]
    assert [(name, near.found_by) for name, near in found.items] == [
        ("lamp", ["together"]),
        ("ball", ["fields"]),
        ("boat", ["fields"]),
        ("vase", ["popular"]),
    ]
    assert found.items[1][1].score > found.items[2][1].score
    # Of an item without any fields or acts there is what is popular.
    assert names(a_state(*SHOP, *acts, an_item("new")), "new", 2) == ["lamp", "kite"]


def test_what_the_same_people_like_goes_together_even_if_nobody_acted_on_both() -> None:
    rng = random.Random(3)
    events: list[Event] = [an_item(f"{side}{n}") for side in "ab" for n in range(6)]
    for step in range(4_000):
        # Two tastes; nobody acts on both of a pair that is asked about: even and odd people see different halves.
        user = step % 40
        side, half = "ab"[user // 20], user % 2
        near = rng.choice([0, 1, 2, 3]) if half else rng.choice([0, 1, 4, 5])
        events.append(a_click(f"{side}{near}", user=f"u{user}"))
    state = a_state(*events, step=1_000)
    found = similar_items(state, "a2", 3, ways=["taste"])
    assert found.ways == ["taste"]
    assert {name[0] for name, _ in found.items} == {"a"}
    # Of what nobody acted on the vector says nothing.
    assert similar_items(a_state(*SHOP), "kite", 3, ways=["taste"]).ways == []


def test_a_value_that_had_no_room_hides_none_after_it() -> None:
    text = TEXT + "limits: {items: 1000, values: 100}\n"
    filling = [an_item(f"other{n}", brand=f"b{n}") for n in range(98)]
    events = [an_item("i0", genres=["a", "b"]), an_item("i1", genres=["no room", "b"])]
    state = a_state(*filling, *events, text=text)
    assert state.values.n_refused == 1
    assert [near.found_by for name, near in similar_items(state, "i0", 3).items if name == "i1"] == [
        ["fields"]
    ]


def test_an_item_that_nobody_told_of_is_unknown() -> None:
    with pytest.raises(UnknownItem):
        similar_items(a_state(*SHOP), "nobody", 3)


def test_a_view_that_keeps_nothing_for_it_says_what_to_add() -> None:
    state = a_state(
        *SHOP, text=TEXT.replace("recommend: {fields: [brand, genres], half_lives: [1h, 7d]}", "")
    )
    for ask in (lambda: similar_items(state, "kite", 3), lambda: trending_items(state, 3)):
        with pytest.raises(NoRetrieval, match=r"add `recommend: \{\}`"):
            ask()


def test_trending_weighs_actions_and_forgets_them() -> None:
    state = a_state(
        *SHOP,
        a_click("lamp"),
        a_click("ball", action="purchase"),
        *(a_click("vase") for _ in range(3)),
        *(a_click("kite", action="hide") for _ in range(9)),
    )
    found = trending_items(state, 10)
    assert found.items == ["ball", "vase", "lamp"]
    assert found.half_life_ms == HOUR
    assert found.actions == pytest.approx([5, 3, 1], rel=0.3)
    later = trending_items(state, 10, at=state.clock + 4 * HOUR)
    assert later.actions == pytest.approx([value / 16 for value in found.actions])
    assert trending_items(state, 10, at=state.clock + DAY).items == []
    assert trending_items(state, 10, at=state.clock + DAY, half_life_ms=7 * DAY).items == [
        "ball",
        "vase",
        "lamp",
    ]


def test_half_lives_that_are_not_kept_are_refused_with_those_that_are() -> None:
    state = a_state(*SHOP)
    with pytest.raises(UnknownHalfLife, match=r"2h: there are 1h, 7d; .*recommend.half_lives"):
        trending_items(state, 3, half_life_ms=2 * HOUR)
    with pytest.raises(UnknownHalfLife, match="not longer than the half-life 7d"):
        trending_items(state, 3, half_life_ms=7 * DAY, over_ms=HOUR)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**30), st.integers(1, 30))
def test_it_never_gives_itself_nor_what_is_removed_excluded_not_allowed_or_twice_and_as_many_as_there_are(
    seed: int, n: int
) -> None:
    rng = random.Random(seed)
    events: list[Event] = []
    for _ in range(60):
        item = f"i{rng.randrange(25)}"
        if rng.random() < 0.3:
            fields = {"brand": f"b{rng.randrange(3)}", "genres": [f"g{rng.randrange(4)}"]}
            events.append(an_item(item, removed=rng.random() < 0.2, **fields))
        else:
            events.append(a_click(item, user=f"u{rng.randrange(6)}"))
    state = a_state(*events)
    before = state.snapshot()
    item = rng.choice(state.items.ids)
    allowed = (np.random.default_rng(seed).random(len(state.items.ids)) < 0.8).astype(np.uint8)
    exclude = [f"i{k}" for k in range(25) if rng.random() < 0.1] + ["unknown"]
    may = {
        name
        for row, name in enumerate(state.items.ids)
        if allowed[row] and name not in exclude and not state.items.meta[row, 3]
    }
    found = [name for name, _ in similar_items(state, item, n, allowed=allowed, exclude=exclude).items]
    assert len(set(found)) == len(found) == min(n, len(may - {item}))
    assert set(found) <= may - {item}
    lately = trending_items(state, n, allowed=allowed, exclude=exclude)
    assert len(set(lately.items)) == len(lately.items) <= n
    assert set(lately.items) <= may
    assert state.snapshot() == before
