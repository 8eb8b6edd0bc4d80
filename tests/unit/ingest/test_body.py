"""A body is taken apart into the bytes of its events, whichever of the forms it has."""

from __future__ import annotations

import time

import pytest

from eddyline_contracts.limits import Malformed
from eddyline_ingest.body import MAX_EVENTS, TooManyEvents, split_body

A, B = b'{"type":"item","id":"a"}', b'{"type":"item","id":"b", "x":"[{]}, \\" "}'


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (A, [A]),
        (b" \n" + A + b"\r\n ", [A]),
        (b'{\n  "type": "item",\n  "id": "a"\n}', [b'{\n  "type": "item",\n  "id": "a"\n}']),
        (b"[" + A + b"," + B + b"]", [A, B]),
        (b"\n [ " + A + b" ,\n" + B + b" ] ", [A, B]),
        (b"[]", []),
        (A + b"\n" + B, [A, B]),
        (A + b"\n" + B + b"\n\n", [A, B]),
        (A + b"\r\n" + B + b"\r\n", [A + b"\r", B + b"\r"]),
        (A + b"\nnot json\n" + B, [A, b"not json", B]),
    ],
)
def test_object_array_and_lines_are_told_apart(body: bytes, events: list[bytes]) -> None:
    assert list(split_body(body, "application/json")) == events


def test_lines_are_lines_when_the_type_says_so() -> None:
    assert list(split_body(b"not json\n\n  \n" + A, "application/x-ndjson")) == [b"not json", A]
    assert list(split_body(b"", "application/x-ndjson")) == []


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"[" + A + b",", r"truncated \(byte"),
        (b"[" + A + b"," + B[:-5], r"truncated \(byte"),
        (b'{"type": nonsense}', "byte 10"),
        (A + b" " + B, r"trailing characters \(byte 26\)"),
        (b'{"a":1,\n"b" 2}\n', "byte"),
        (b'"text"', "neither"),
        (b"17", "neither"),
        (b"\xef\xbb\xbf" + A, "neither"),
        (b"\x1f\x8b\x08", "neither"),
    ],
)
def test_what_is_no_json_is_refused_as_a_whole_and_says_where(body: bytes, where: str) -> None:
    with pytest.raises(Malformed, match=where):
        split_body(body, "application/json")


def test_one_member_nested_too_deeply_leaves_the_others_as_they_are() -> None:
    deep = b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    assert list(split_body(b"[" + A + b"," + deep + b", " + B + b"]")) == [A, deep, b" " + B]
    assert list(split_body(deep)) == [deep]
    with pytest.raises(Malformed, match="no end"):
        split_body(b"[" + A + b"," + deep)


def test_too_many_events_are_refused_before_any_is_looked_at() -> None:
    with pytest.raises(TooManyEvents, match="split it"):
        split_body(b"1\n" * (MAX_EVENTS + 1), "application/x-ndjson")


def test_taking_a_body_apart_is_linear() -> None:
    started = time.perf_counter()
    split_body(b"[" + b",".join([A] * 50_000) + b"]")
    assert time.perf_counter() - started < 2


@pytest.mark.timeout(20)
def test_a_string_without_an_end_is_refused_at_once() -> None:
    # Deep, so that the scan by brackets is needed; quotes that are escaped all the way. Quadratic would take hours.
    endless = b'[{"x":' + b"[" * 5_000 + b'"' + b'\\"' * 4_000_000
    with pytest.raises(Malformed):
        split_body(endless)
