"""Vectors of items' texts in the fold: one encoder at a time, bounded, and kept by a snapshot."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import Event, InteractionRecorded, ItemEmbedded, ItemUpserted, encode
from eddyline_contracts.limits import InvalidEvent
from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import View, ViewError, load_view

_HEAD = "view: shop\nlabel_window: 10m\nactions: {click: 1, hide: -1}\n"
VIEW = load_view(
    _HEAD
    + "content: {dims: 4}\n"
    + "features: [{name: says, kind: content_similarity, outputs: [mean, last, best, query], last: 2}]"
)


def embedded(item: str, *numbers: int, encoder: str = "e") -> ItemEmbedded:
    vector = np.array(numbers, np.int8).tobytes()
    return ItemEmbedded(item=item, encoder=encoder, dims=len(numbers), scale=0.1, vector=vector, text="")


def clicked(item: str, action: str = "click") -> InteractionRecorded:
    return InteractionRecorded(user="u", item=item, action=action)


def folded(*events: Event, view: View = VIEW) -> State:
    state = State(view)
    items = {event.item for event in events if isinstance(event, ItemEmbedded | InteractionRecorded)}
    history = [*(ItemUpserted(item=item) for item in sorted(items)), *events]
    state.apply_all(Logged(n, str(n), n, n, event) for n, event in enumerate(history, 1))
    return state


def told(state: State, *items: str) -> list[list[float]]:
    found: list[list[float]] = state.vectors("u", None, items, None, {}, state.clock).tolist()
    return found


def test_what_pushes_away_turns_the_mean_round_and_is_nobodys_last() -> None:
    state = folded(embedded("a", 1, 0), embedded("b", 0, 7), clicked("a"), clicked("b", "hide"))
    (a, b) = told(state, "a", "b")
    assert a[:3] == pytest.approx([0.5**0.5, 1.0, 1.0])
    assert b[:3] == pytest.approx([-(0.5**0.5), 0.0, 0.0])


def test_only_the_newest_actions_are_looked_at_for_the_best() -> None:
    vectors = [embedded("a", 1, 0, 0), embedded("b", 0, 1, 0), embedded("c", 0, 0, 1)]
    state = folded(*vectors, clicked("a"), clicked("b"), clicked("c"))
    assert [row[2] for row in told(state, "a", "b", "c")] == [0.0, 1.0, 1.0]


def test_vectors_of_two_encoders_are_never_compared() -> None:
    events = [embedded("a", 1, 0), embedded("b", 1, 0), clicked("a")]
    assert told(folded(*events), "b")[0][:3] == [1.0, 1.0, 1.0]
    changed = folded(*events, embedded("b", 1, 0, encoder="other"))
    assert np.isnan(told(changed, "a", "b")).all()
    again = folded(*events, embedded("b", 1, 0, encoder="other"), embedded("a", 0, 1, encoder="other"))
    assert told(again, "b")[0][:3] == [0.0, 0.0, 0.0]
    other_size = folded(*events, embedded("b", 1, 0, 0))
    assert np.isnan(told(other_size, "a", "b")).all()


def test_the_neighbours_of_an_item_are_found_in_unit_vectors() -> None:
    content = folded(embedded("a", 3, -4), embedded("b", 0, 0)).content
    assert content is not None
    assert content.vectors[0].tolist() == pytest.approx([0.6, -0.8])
    assert content.has[:2].tolist() == [1, 0]


def test_a_vector_beyond_the_limit_is_not_taken_and_an_older_one_does_not_stand_for_it() -> None:
    state = folded(embedded("a", 1, 0), clicked("a"), embedded("a", 1, 0, 0, 0, 0))
    assert state.content is not None
    assert state.content.dims == 2
    assert not state.content.has.any()


def test_an_embedding_of_an_item_that_is_forgotten_brings_it_not_back() -> None:
    state = State(VIEW)
    state.apply(Logged(1, "1", 1, 1, embedded("a", 1, 0)))
    assert len(state.items) == 0
    assert state.content is not None
    assert not state.content.has.any()


def test_an_item_that_gets_the_row_of_a_forgotten_one_has_no_vector() -> None:
    view = dataclasses.replace(VIEW, limits=dataclasses.replace(VIEW.limits, items=1))
    state = folded(embedded("a", 1, 0), view=view)
    state.apply(Logged(9, "9", 9, 9, ItemUpserted(item="b")))
    assert state.content is not None
    assert not state.content.vectors.any()


def test_a_snapshot_keeps_vectors_and_whose_they_are() -> None:
    state = folded(embedded("a", 1, 2, 3), embedded("b", 0, 1, 0), clicked("a"))
    restored = State.restore(VIEW, state.snapshot())
    assert restored.snapshot() == state.snapshot()
    assert repr(told(restored, "a", "b")) == repr(told(state, "a", "b"))


def test_memory_counts_the_vectors() -> None:
    without, with_them = folded(clicked("a")), folded(embedded("a", 1, 0, 0))
    assert with_them.memory()["item"] - without.memory()["item"] == 12.0


@pytest.mark.parametrize(
    ("more", "asks"),
    [
        ("", False),
        ("content: {}", True),
        ("recommend: {}", True),
        ("recommend: {sources: {popular: 1}}", False),
        ("recommend: {sources: {content: 0, new: 1}}", False),
    ],
)
def test_a_view_keeps_vectors_only_where_something_asks_for_them(more: str, asks: bool) -> None:
    view = load_view(f"{_HEAD}{more}\nfeatures: [{{name: age, kind: item_age}}]")
    assert (view.content is not None, State(view).content is not None) == (asks, asks)


def test_fields_that_are_no_names_are_named() -> None:
    with pytest.raises(ViewError, match=r"content\.fields"):
        load_view(f"{_HEAD}content: {{fields: [title, title]}}\nfeatures: [{{name: age, kind: item_age}}]")


def test_bytes_and_dims_must_agree() -> None:
    wrong = ItemEmbedded(id="1", item="a", encoder="e", dims=3, scale=1.0, vector=b"\x01\x02", text="")
    with pytest.raises(InvalidEvent, match="2 bytes and `dims` says 3"):
        decode_event(encode(wrong))
    right = ItemEmbedded(id="1", item="a", encoder="e", dims=2, scale=1.0, vector=b"\x01\x02", text="")
    assert decode_event(encode(right)) == right
