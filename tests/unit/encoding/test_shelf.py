"""What has been read of items' texts, and what has still to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import ItemEmbedded, ItemUpserted, encode
from eddyline_encoding.facts import fact_of, facts_of, text_vector
from eddyline_encoding.shelf import Shelf
from eddyline_encoding.texts import MAX_CHARS, text_of
from eddyline_features.item_vectors import ItemVectors, unit_of

FIELDS = ("title", "tags")


def a_shelf(limit: int = 100) -> Shelf:
    shelf = Shelf(FIELDS, limit)
    shelf.read_by("e")
    return shelf


def item(name: str, title: str | None = None, **fields: object) -> ItemUpserted:
    return ItemUpserted(item=name, fields={**({} if title is None else {"title": title}), **fields})


def read(shelf: Shelf, encoder: str = "e") -> list[str]:
    """Read all that is unread; ids of the events, as they are logged."""
    ids = []
    for told in list(shelf.unread()):
        vector = np.ones(2, np.float32)
        fact = fact_of(told.item, encoder, told.digest, vector, replaces=told.replaces)
        shelf.apply(fact.id or "", fact)
        ids.append(fact.id or "")
    return ids


def unread(shelf: Shelf) -> list[str]:
    assert shelf.n_unread == len(list(shelf.unread()))
    return [told.item for told in shelf.unread()]


def test_a_text_is_what_the_fields_say_in_their_order() -> None:
    fields = {"tags": ["red", 3, "warm "], "price": "9", "title": " Socks "}
    assert text_of(fields, FIELDS) == "Socks. red, warm"
    assert text_of({"price": 9}, FIELDS) == ""


def test_the_newest_text_is_read_first_and_once() -> None:
    shelf = a_shelf()
    for name in "abc":
        shelf.apply("", item(name, name))
    shelf.apply("", item("a", "a changed"))
    assert unread(shelf) == ["a", "c", "b"]
    read(shelf)
    assert unread(shelf) == []
    shelf.apply("", item("b", "b"))
    shelf.apply("", item("b", price=3))
    assert unread(shelf) == []


def test_fields_are_merged_before_they_are_read() -> None:
    shelf = a_shelf()
    shelf.apply("", item("a", "Socks"))
    shelf.apply("", item("a", tags=["red"]))
    assert [told.text for told in shelf.unread()] == ["Socks. red"]
    shelf.apply("", ItemUpserted(item="a", fields={"title": None}))
    assert [told.text for told in shelf.unread()] == ["red"]


def test_items_that_say_nothing_or_are_removed_are_not_read() -> None:
    shelf = a_shelf()
    shelf.apply("", item("a", "Socks"))
    shelf.apply("", item("b"))
    shelf.apply("", ItemUpserted(item="a", removed=True))
    assert unread(shelf) == []
    shelf.apply("", item("a", "Socks"))
    assert unread(shelf) == ["a"]


def test_another_encoder_reads_everything_anew_the_newest_first() -> None:
    shelf = a_shelf()
    for name in "abc":
        shelf.apply("", item(name, name))
    read(shelf)
    shelf.read_by("f")
    assert unread(shelf) == ["c", "b", "a"]
    read(shelf, "f")
    assert unread(shelf) == []


def test_an_encoder_that_comes_back_has_all_to_read_again_under_new_ids() -> None:
    shelf = a_shelf()
    shelf.apply("", item("a", "a"))
    shelf.apply("", item("b", "b"))
    first = read(shelf)
    shelf.apply("other", ItemEmbedded(item="a", encoder="f", dims=1, scale=1.0, vector=b"\1", text=""))
    assert sorted(unread(shelf)) == ["a", "b"]
    again = read(shelf)
    assert not set(first) & set(again)


def test_what_was_read_before_another_encoder_came_between_is_to_be_read_again() -> None:
    """The fold lets go of all vectors when another encoder's come, also for those that it had before."""
    shelf = Shelf(FIELDS, 100)
    for name in "xy":
        shelf.apply("", item(name, name))
    digests = {told.item: told.digest for told in a_shelf_with("x", "y").unread()}
    for n, (name, encoder) in enumerate((("x", "e"), ("y", "f"), ("y", "e"))):
        told = {"item": name, "encoder": encoder, "dims": 1, "scale": 1.0, "vector": b"\1"}
        shelf.apply(str(n), ItemEmbedded(**told, text=digests[name]))
    # As after a restart: who reads is known when the log has been followed.
    shelf.read_by("e")
    assert unread(shelf) == ["x"]


def a_shelf_with(*names: str) -> Shelf:
    shelf = a_shelf()
    for name in names:
        shelf.apply("", item(name, name))
    return shelf


HAPPENINGS = st.tuples(
    st.sampled_from(("says", "says", "removed", "silent", "reads", "reads", "read_by")),
    st.sampled_from("ab"),
    st.sampled_from(("red", "lamp", "red lamp")),
    st.sampled_from("ef"),
)


@given(st.lists(HAPPENINGS, max_size=30))
def test_all_is_read_once_the_fold_has_a_vector_of_what_each_item_says_and_of_nothing_else(
    history: list[tuple[str, str, str, str]],
) -> None:
    """Whatever happened: items that changed, went and came, two encoders at once, and one that comes back."""
    shelf, fold = Shelf(FIELDS, 100), ItemVectors(2, 8)
    says: dict[str, str] = {}

    def log(fact: ItemEmbedded) -> None:
        shelf.apply(fact.id or "", fact)
        fold.put("ab".index(fact.item), fact)

    for what, name, text, encoder in history:
        if what == "reads":
            for fact in facts_of(Letters(encoder), list(shelf.unread())[:1]):
                log(fact)
        elif what == "read_by":
            shelf.read_by(encoder)
        else:
            told = {"removed": True} if what == "removed" else {"fields": {"title": text * (what == "says")}}
            shelf.apply("", ItemUpserted(item=name, **told))  # type: ignore[arg-type]
            says[name] = text if what == "says" else "" if what == "silent" else "(removed)"
    shelf.read_by("e")
    for fact in facts_of(Letters("e"), list(shelf.unread())):
        log(fact)
    assert unread(shelf) == []
    for name, text in says.items():
        row = "ab".index(name)
        if text == "(removed)":
            continue
        assert bool(fold.has[row]) == bool(text)
        if text:
            expected = unit_of(fact_of(name, "e", "", Letters("e").embed([text])[0]).vector)
            assert expected is not None
            assert fold.encoder == "e"
            assert fold.vectors[row].tolist() == expected.tolist()


class Letters:
    """Counts three letters; as models do, it makes something of nothing, too."""

    dims = 4

    def __init__(self, name: str) -> None:
        self.id = name

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = [[1.0, *(text.count(letter) for letter in "rla")] for text in texts]
        return np.array(found, np.float32).reshape(-1, self.dims)


def test_what_no_longer_says_anything_loses_its_vector() -> None:
    shelf = a_shelf_with("a")
    read(shelf)
    shelf.apply("", ItemUpserted(item="a", fields={"title": None}))
    (fact,) = facts_of(Letters("e"), list(shelf.unread()))
    assert (fact.vector, fact.text) == (b"\0" * 4, "")
    shelf.apply(fact.id or "", fact)
    assert unread(shelf) == []


def test_of_an_item_only_so_much_is_kept_as_an_encoder_reads() -> None:
    """Fields may hold whatever clients send: numbers by the thousand, nested objects, long texts."""
    fields = {"title": "  " + "a" * 30_000, "tags": [{"x": ["y" * 1_000]}, "b" * 9_000, *range(1_000)]}
    shelf = a_shelf()
    shelf.apply("", item("i", **fields))  # type: ignore[arg-type]
    (told,) = shelf.unread()
    assert told.text == text_of(fields, FIELDS) == "a" * MAX_CHARS
    assert sum(map(len, shelf._items["i"].parts.values())) <= 2 * MAX_CHARS


def test_a_text_that_changes_back_is_said_under_a_new_id() -> None:
    shelf = a_shelf()
    ids = []
    for title in ("a", "b", "a"):
        shelf.apply("", item("i", title))
        ids += read(shelf)
    assert len(set(ids)) == 3


def test_two_who_read_the_same_log_say_the_same() -> None:
    one, other = a_shelf(), a_shelf()
    for shelf in (one, other):
        shelf.apply("", item("i", "a"))
    assert read(one) == read(other)


def test_what_was_changed_longest_ago_is_forgotten() -> None:
    shelf = a_shelf(limit=2)
    for name in "abc":
        shelf.apply("", item(name, name))
    assert (len(shelf), unread(shelf)) == (2, ["c", "b"])


def test_what_was_forgotten_and_comes_back_is_said_under_a_new_id() -> None:
    """The log takes an id once: the vector would be made again and again, and never get there."""
    shelf, ids = a_shelf(limit=1), list[str]()
    for n, name in enumerate("aba"):
        shelf.apply(f"e{n}", item(name, name))
        ids += read(shelf)
    assert len(set(ids)) == 3


def test_the_first_text_of_each_item_is_told_in_the_order_of_the_log() -> None:
    shelf, told = a_shelf(), list[str]()
    shelf.on_text = told.append
    for event in (item("a", "1"), item("b"), item("a", "2"), item("b", "3"), item("c", "4")):
        shelf.apply("", event)
    assert told == ["1", "3", "4"]


@given(st.lists(st.floats(-1.0, 1.0, width=32), min_size=1, max_size=50))
def test_a_logged_vector_points_where_the_vector_did(numbers: list[float]) -> None:
    vector = np.array(numbers, np.float32)
    fact = fact_of("i", "e", "", vector)
    assert decode_event(encode(fact)) == fact
    unit = unit_of(fact.vector)
    length = float(np.sqrt((vector.astype(float) ** 2).sum()))
    if length < 1e-30:
        return
    assert unit is not None
    # An error of half a step in each number.
    assert float(unit @ (vector / length)) > 1.0 - len(numbers) * (0.5 / 127) ** 2
    restored = np.frombuffer(fact.vector, np.int8) * fact.scale
    assert np.abs(restored - vector).max() <= fact.scale * 0.5001


def test_a_request_carries_a_vector_that_the_fold_can_read() -> None:
    fold = ItemVectors(4, 8)
    fold.put(0, fact_of("i", "e:1", "", np.array([0.6, 0.8], np.float32)))
    unit = fold.of_text(text_vector("e:1", np.array([0.8, 0.6], np.float32)))
    assert unit is not None
    assert float(unit @ fold.vectors[0]) == pytest.approx(0.96, abs=0.01)
