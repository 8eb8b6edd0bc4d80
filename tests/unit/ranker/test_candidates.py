"""What a request may look like, and how a wrong one is told."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.limits import (
    MAX_DEPTH,
    EventTooLarge,
    IdTooLong,
    InvalidEvent,
    Malformed,
    Refusal,
    StringTooLong,
    TooManyFields,
    TooManyItems,
)
from eddyline_contracts.vectors import encode
from eddyline_ranker.candidates import read_candidates
from eddyline_ranker.errors import DuplicateItem


def body(**request: Any) -> bytes:
    return json.dumps({"user": "u", "items": ["a", "b"], **request}, ensure_ascii=False).encode()


def test_plain_ids_have_no_fields() -> None:
    candidates = read_candidates(body())
    assert candidates.items == ["a", "b"]
    assert candidates.item_fields is None


def test_fields_of_some_items_give_fields_for_all() -> None:
    candidates = read_candidates(body(items=["a", {"item": "b", "fields": {"relevancy": 2}}, {"item": "c"}]))
    assert candidates.items == ["a", "b", "c"]
    assert candidates.item_fields == [{}, {"relevancy": 2}, {}]


def test_objects_without_fields_need_none() -> None:
    assert read_candidates(body(items=[{"item": "a"}, {"item": "b"}])).item_fields is None


def test_time_is_taken_in_both_forms() -> None:
    assert read_candidates(body(occurred_at=1795488060123)).at == 1795488060123
    assert read_candidates(body(occurred_at="2026-11-24T02:41:00.123Z")).at == 1795488060123
    assert read_candidates(body()).at is None


def test_only_a_request_with_a_place_waits() -> None:
    assert read_candidates(body()).question(900).wait_ms == 0
    question = read_candidates(body(min_sequence=7)).question(900)
    assert (question.min_sequence, question.wait_ms) == (7, 900)


def test_an_item_sent_twice_is_named_with_its_place() -> None:
    with pytest.raises(DuplicateItem, match=r"items\[2\]`: 'a' occurs twice"):
        read_candidates(body(items=["a", "b", {"item": "a"}]))


def nested(depth: int) -> Any:
    """Lists inside each other."""
    return [nested(depth - 1)] if depth else 1


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"user": None}, InvalidEvent),
        ({"items": [f"i{k}" for k in range(1_001)]}, TooManyItems),
        ({"items": ["x" * 129]}, IdTooLong),
        ({"context": {f"f{k}": 1 for k in range(257)}}, TooManyFields),
        ({"context": {"query": "x" * 33_000}}, StringTooLong),
        ({"items": [{"item": "a", "fields": {"title": "x" * 33_000}}]}, StringTooLong),
        ({"context": {"x": nested(MAX_DEPTH - 1)}}, Malformed),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, InvalidEvent),
        ({"items": ["\U0001f600" * 124 + f"{k:04}" for k in range(1_000)]}, EventTooLarge),
    ],
)
def test_each_limit_has_its_own_error(request_: dict[str, Any], error: type[Refusal]) -> None:
    with pytest.raises(error):
        read_candidates(body(**request_))


@pytest.mark.parametrize(
    "request_",
    [
        {"items": []},
        {"items": [1]},
        {"items": [""]},
        {"min_sequence": -1},
        {"occurred_at": "yesterday"},
        {"explain": "why"},
    ],
)
def test_another_form_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read_candidates(body(**request_))


def test_what_is_nested_as_deep_as_an_event_may_be_is_taken() -> None:
    told = body(context={"x": nested(MAX_DEPTH - 2)})
    read_candidates(told)
    decode_event(told.replace(b"{", b'{"type":"slate",', 1).replace(b'["a", "b"]', b'[{"item":"a"}]'))


def test_a_slate_that_nobody_logs_may_have_any_size() -> None:
    items = ["\U0001f600" * 124 + f"{k:04}" for k in range(1_000)]
    assert read_candidates(body(items=items, log=False)).items == items


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        (2**63, 2**63),
        (2**64 - 1, 2**64 - 1),
        (-(2**63), -(2**63)),
        (2**64, 2.0**64),
        (-(2**63) - 1, -(2.0**63)),
        (10**100, 1e100),
        (10**400, None),
        ([1, {"deep": [10**30]}], [1, {"deep": [1e30]}]),
        (True, True),
    ],
)
def test_an_integer_beyond_64_bits_is_the_nearest_float_wherever_it_stands(told: Any, taken: Any) -> None:
    candidates = read_candidates(
        body(context={"x": told, "y": "z"}, items=["a", {"item": "b", "fields": {"x": told}}])
    )
    assert candidates.request.context == {"x": taken, "y": "z"}
    assert candidates.item_fields == [{}, {"x": taken}]
    assert type(candidates.request.context["x"]) is type(taken)
    encode(candidates.question(0))
