"""What somebody chose lately and led to a candidate: by the same numbers by which it was found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_contracts.events import Event, InteractionRecorded, ItemEmbedded, ItemUpserted
from eddyline_contracts.record import Logged
from eddyline_features.kinds.retrieving import Retrieving
from eddyline_features.retrieval.because import NONE, most_of
from eddyline_features.state import State
from eddyline_features.view import load_view

VIEW = load_view(
    """
view: shop
label_window: 10m
actions: {click: 1, hide: -1}
content: {dims: 4}
limits: {items: 1_000, users: 1_000}
recommend: {seen: nothing, fields: [title]}
features: [{name: says, kind: content_similarity}]
"""
)


def state_after(*events: Event) -> State:
    state = State(VIEW)
    state.apply_all(Logged(n, f"e{n}", n * 1_000, n * 1_000, event) for n, event in enumerate(events, 1))
    return state


def click(user: str, item: str, action: str = "click") -> InteractionRecorded:
    return InteractionRecorded(user=user, item=item, action=action)


def says(item: str, *vector: int) -> ItemEmbedded:
    raw = np.array(vector, np.int8).tobytes()
    return ItemEmbedded(item=item, encoder="e", dims=len(vector), scale=1.0, vector=raw, text="x")


def told(state: State, user: str | None, *items: str, session: str | None = None) -> list[tuple[str, str]]:
    """Of each item what led to it, by co-visitation and by text."""
    rows = np.array([state.items.rows[item] for item in items], np.int32)
    because = state.because(user, session, rows)
    names = {n: state.items.ids[row] for n, row in enumerate(because.recent.tolist())} | {NONE: ""}
    return [(names[b], names[n]) for b, n in zip(because.beside.tolist(), because.near.tolist(), strict=True)]


def test_what_others_chose_beside_it_led_to_it_and_what_says_the_same() -> None:
    items = [ItemUpserted(item=name) for name in ("toy", "bug", "axe", "saw", "owl")]
    vectors = [says("toy", 9, 1), says("bug", 9, 2), says("saw", 0, 9), says("axe", 1, 9)]
    acts = [click(f"v{n}", item) for n in range(3) for item in ("toy", "bug")]
    acts += [
        click("w", "axe"),
        click("w", "saw"),
        click("me", "toy"),
        click("me", "saw"),
        click("me", "owl", "hide"),
    ]
    state = state_after(*items, *vectors, *acts)
    assert told(state, "me", "bug", "axe", "owl") == [("toy", "toy"), ("saw", "saw"), ("", "")]
    assert told(state, None, "bug", session="me") == [("toy", "toy")]
    assert told(state, "nobody", "bug") == told(state, None, "bug") == [("", "")]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 14)), min_size=5, max_size=80))
def test_the_shares_of_what_was_chosen_add_up_to_the_score_by_which_a_neighbour_is_found(
    acts: list[tuple[int, int]],
) -> None:
    state = state_after(*(click(f"u{user}", f"i{item}") for user, item in acts))
    retrieving = state.retrieval
    assert isinstance(retrieving, Retrieving)
    beside, n = retrieving.beside, len(state.items)
    rows = np.arange(n, dtype=np.int32)
    for person in range(len(state.users)):
        recent = beside.recent(person).copy()
        scores, found = np.zeros(2 * n), np.zeros(2 * n, np.int32)
        n_found = beside.best(recent, np.zeros(n, np.uint8), n, scores, found)
        expected = np.zeros(n)
        expected[found[:n_found]] = scores[:n_found]
        shares = beside.shares(recent, rows)
        assert shares.sum(axis=0).tolist() == pytest.approx(expected.tolist())
        led = most_of(shares)
        assert (led == NONE).tolist() == (expected == 0.0).tolist()


def test_asking_why_changes_nothing() -> None:
    state = state_after(click("u", "a"), click("v", "a"), click("v", "b"), says("a", 1), says("b", 2))
    before = state.snapshot()
    assert told(state, "u", "b") == [("a", "a")]
    assert state.snapshot() == before
