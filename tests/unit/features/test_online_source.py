"""The online model as a source of candidates: what it knows nothing of is left to others."""

from __future__ import annotations

import numpy as np
import pytest

from eddyline_contracts.events import Event
from eddyline_features.recommend_settings import ONLINE
from eddyline_features.retrieval.browsing import similar_items
from eddyline_features.retrieval.nearest import Nearest
from eddyline_features.state import State
from eddyline_features.view import load_view
from tests.support.builders import MINUTE, START, a_click, a_slate, an_item, logged

TEXT = """
view: shop
actions: {click: 1, hide: -1}
label_window: 10m
recommend: {sources: {online: 1}, seen: nothing}
features:
  - {name: age, kind: item_age}
"""
KNOWN, UNKNOWN = [f"known{n}" for n in range(6)], [f"unknown{n}" for n in range(40)]


def a_state(rule: str, *events: Event) -> State:
    state = State(load_view(f"{TEXT}online: {{rule: {rule}, factors: 4, step: 0.25}}\n"))
    for number, event in enumerate(events, 1):
        state.apply(logged(event, number, START + number * MINUTE))
    return state


def a_shop(rule: str) -> State:
    clicks = [a_click(item, user=f"u{n}") for n in range(4) for item in KNOWN[n : n + 3]]
    return a_state(rule, *map(an_item, [*UNKNOWN, *KNOWN]), *clicks)


def found_online(state: State, n: int) -> set[str]:
    found = state.candidates("u1", None, {}, state.clock, n)
    of = found.sources.index(ONLINE)
    return {item for item, source in zip(found.items, found.source.tolist(), strict=True) if source == of}


@pytest.mark.parametrize("rule", ["sgd", "passive-aggressive", "ftrl"])
@pytest.mark.parametrize("indexed", [False, True])
def test_items_of_which_nothing_was_learnt_are_not_proposed_by_what_chance_made_of_them(
    rule: str, indexed: bool
) -> None:
    state = a_shop(rule)
    choosing, online = state.columns.choosing, state.columns.online
    assert choosing is not None
    assert online is not None
    if indexed:
        choosing.nearest = Nearest(state.items, online, 5)
        while not choosing.nearest.rounds:
            choosing.nearest.step(100)
        assert len(choosing.nearest) == len(KNOWN)
    # Nobody is left without for that: others fill up.
    assert len(state.candidates("u1", None, {}, state.clock, 30).items) == 30
    assert found_online(state, 30) == set(KNOWN)


@pytest.mark.parametrize("rule", ["sgd", "passive-aggressive", "ftrl"])
def test_vectors_that_never_moved_say_nothing_of_how_alike_items_are(rule: str) -> None:
    """Were each unlike all others, a slate that is to be diverse would be filled with them."""
    state = a_shop(rule)
    rows = np.array([state.items.rows[item] for item in [*KNOWN, *UNKNOWN]], np.int32)
    vectors = state.embeddings(rows)
    assert vectors is not None
    np.testing.assert_allclose((vectors**2).sum(axis=1), [1.0] * 6 + [0.0] * 40, atol=1e-5)


def test_an_item_that_only_has_a_bias_has_no_taste() -> None:
    """Of a slate on which nobody acted only biases are learnt."""
    passed_by = a_slate(["lamp", "vase"], user="u9")
    state = a_state("sgd", passed_by, *(a_click(item, user=f"u{n}") for n in range(30) for item in KNOWN))
    online = state.columns.online
    assert online is not None
    lamp = state.items.rows["lamp"]
    assert online.item_weights(np.array([lamp], np.int32))[0, -1] < 0.0
    assert similar_items(state, "lamp", 3, ways=["taste"]).ways == []
    assert similar_items(state, KNOWN[-1], 3, ways=["taste"]).ways == ["taste"]


def test_a_bias_that_is_back_at_nothing_was_learnt_nevertheless() -> None:
    """With passive-aggressive, two steps that are equal cancel each other out."""
    state = a_state(
        "passive-aggressive", a_click("lamp", user="u1"), a_click("lamp", user="u2", action="hide")
    )
    online = state.columns.online
    assert online is not None
    lamp = np.array([state.items.rows["lamp"]], np.int32)
    assert online.item_weights(lamp)[0, -1] == 0.0
    assert online.are_learnt(lamp).tolist() == [1]
