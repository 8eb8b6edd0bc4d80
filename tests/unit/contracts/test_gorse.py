"""What Gorse exports as events: what a line says, and why some make none; every line is accounted for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.gorse import GorseLines, looks_like
from eddyline_contracts.limits import Refusal

FEEDBACK = {
    "FeedbackType": "read", "UserId": "u1", "ItemId": "i1", "Value": 2.5,
    "Timestamp": "2024-01-02T03:04:05Z", "Updated": "0001-01-01T00:00:00Z", "Comment": "",
}  # fmt: skip


def translated(*told: Any) -> tuple[list[dict[str, Any]], GorseLines]:
    lines = GorseLines([json.dumps(one).encode() for one in told])
    return [json.loads(event.raw) for event in lines], lines


def test_feedback_is_an_interaction() -> None:
    (event,), _ = translated(FEEDBACK)
    assert {name: value for name, value in event.items() if name != "id"} == {
        "type": "interaction", "occurred_at": 1_704_164_645_000, "user": "u1", "item": "i1", "action": "read",
        "value": 2.5,
    }  # fmt: skip


def test_an_item_has_its_labels_and_categories_as_fields_and_hidden_means_removed() -> None:
    item = {
        "ItemId": "i1", "IsHidden": True, "Categories": ["a", "b"], "Timestamp": "0001-01-01T00:00:00Z",
        "Labels": {"tags": ["x"], "price": 3, "none": None}, "Comment": "A title",
    }  # fmt: skip
    (event,), _ = translated(item)
    assert event["fields"] == {"tags": ["x"], "price": 3, "categories": ["a", "b"], "comment": "A title"}
    assert event["removed"] is True
    assert "occurred_at" not in event


def test_a_row_that_was_only_written_again_keeps_its_id() -> None:
    found, _ = translated(FEEDBACK)
    later, _ = translated({**FEEDBACK, "Updated": "2026-01-01T00:00:00Z"})
    other, _ = translated({**FEEDBACK, "Value": 3})
    assert found[0]["id"] == later[0]["id"] != other[0]["id"]


def test_a_bare_list_of_labels_is_a_field() -> None:
    (event,), _ = translated({"UserId": "u1", "Labels": ["a", "b"]})
    assert (event["type"], event["fields"]) == ("user", {"labels": ["a", "b"]})


def test_lines_that_lack_something_are_counted_by_reason() -> None:
    timeless = {name: value for name, value in FEEDBACK.items() if name != "Timestamp"}
    found, lines = translated(
        FEEDBACK, timeless, {**FEEDBACK, "Value": "much"}, {"x": 1}, {**FEEDBACK, "UserId": ""}, []
    )
    assert len(found) == 1
    assert lines.counts.refused.total() == 5
    assert len(lines.counts.refused) == 5


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_members = st.sampled_from(
    ["FeedbackType", "UserId", "ItemId", "Value", "Timestamp", "Labels", "Categories", "Comment"]
)


@given(st.lists(st.dictionaries(_members, _json, max_size=8) | _json, max_size=5))
def test_every_line_is_an_event_or_is_counted(told: list[Any]) -> None:
    found, lines = translated(*told)
    assert lines.counts.rows == len(told) == len(found) + lines.counts.refused.total()


@given(st.binary(max_size=60))
def test_any_bytes_are_an_event_or_are_counted(raw: bytes) -> None:
    lines = GorseLines([raw])
    for event in lines:
        try:
            decode_event(event.raw)
        except Refusal:
            continue
    looks_like(raw)
    assert lines.counts.rows == bool(raw.strip())


@pytest.mark.parametrize(
    ("line", "is_gorse"),
    [(b'{"UserId":"u"}', True), (b'{"type":"item","ItemId":"x"}', False), (b"xx", False), (b"[]", False)],
)
def test_a_line_is_known_by_its_members(line: bytes, is_gorse: bool) -> None:
    assert looks_like(line) is is_gorse
