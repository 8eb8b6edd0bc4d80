"""Each limit has its own error, which says what to do; just inside the limit an event passes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import to_millis
from eddyline_contracts.limits import (
    MAX_DEPTH,
    MAX_EVENT_BYTES,
    MAX_FIELDS,
    MAX_ID_CHARS,
    MAX_ITEMS,
    MAX_STRING_BYTES,
    EventTooLarge,
    IdTooLong,
    InvalidEvent,
    Malformed,
    Refusal,
    StringTooLong,
    TooManyFields,
    TooManyItems,
    UnknownType,
    UnknownVersion,
)


def an_item(**more: Any) -> bytes:
    return json.dumps({"type": "item", "id": "e", "item": "i"} | more, ensure_ascii=False).encode()


def a_slate(n_items: int) -> bytes:
    return json.dumps(
        {"type": "slate", "user": "u", "items": [{"item": f"i{n}"} for n in range(n_items)]}
    ).encode()


def a_ranking(n_items: int) -> bytes:
    items = [{"id": f"i{n}"} for n in range(n_items)]
    return json.dumps({"event": "ranking", "user": "u", "items": items}).encode()


def fields(n: int) -> dict[str, int]:
    return {f"f{k}": k for k in range(n)}


def pairs(n: int) -> bytes:
    named = [{"name": f"f{k}", "value": k} for k in range(n)]
    return json.dumps({"event": "item", "item": "i", "fields": named}).encode()


def of_size(n_bytes: int) -> bytes:
    """An item of exactly this size, of many strings that are each short enough."""
    head, tail = b'{"type":"item","item":"i","fields":{"a":["', b'"]}}'
    text = b'","'.join([b"x" * 1_000] * (n_bytes // 1_000))
    filling = text[: n_bytes - len(head) - len(tail) - 10].rpartition(b'","')[0] + b'","'
    return head + filling + b"y" * (n_bytes - len(head) - len(filling) - len(tail)) + tail


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """An event of this depth altogether, the event itself being the first level."""
    return b'{"type":"item","item":"i","x":%s1%s}' % (opening * (depth - 1), closing * (depth - 1))


LIMITS: list[tuple[str, bytes, bytes, type[Refusal], str]] = [
    ("bytes", of_size(MAX_EVENT_BYTES), of_size(MAX_EVENT_BYTES + 1), EventTooLarge, "by reference"),
    ("items", a_slate(MAX_ITEMS), a_slate(MAX_ITEMS + 1), TooManyItems, "split it"),
    ("items of a ranking", a_ranking(MAX_ITEMS), a_ranking(MAX_ITEMS + 1), TooManyItems, "split it"),
    (
        "fields",
        an_item(fields=fields(MAX_FIELDS)),
        an_item(fields=fields(MAX_FIELDS + 1)),
        TooManyFields,
        "features use",
    ),
    ("fields in pairs", pairs(MAX_FIELDS), pairs(MAX_FIELDS + 1), TooManyFields, "features use"),
    ("id", an_item(id="x" * MAX_ID_CHARS), an_item(id="x" * (MAX_ID_CHARS + 1)), IdTooLong, "shorter id"),
    ("id in characters", an_item(id="ü" * MAX_ID_CHARS), an_item(id="ü" * 129), IdTooLong, "shorter id"),
    ("item id", an_item(item="x" * MAX_ID_CHARS), an_item(item="x" * 129), IdTooLong, r"\$\.item"),
    (
        "string",
        an_item(fields={"a": "x" * MAX_STRING_BYTES}),
        an_item(fields={"a": "x" * (MAX_STRING_BYTES + 1)}),
        StringTooLong,
        r"\$.fields.a",
    ),
    (
        "string in bytes",
        an_item(fields={"a": "ü" * (MAX_STRING_BYTES // 2)}),
        an_item(fields={"a": "ü" * (MAX_STRING_BYTES // 2 + 1)}),
        StringTooLong,
        "shorten it",
    ),
    (
        "string of an unknown member",
        an_item(more=["x" * MAX_STRING_BYTES]),
        an_item(more=["x" * (MAX_STRING_BYTES + 1)]),
        StringTooLong,
        r"\$.more\[0\]",
    ),
    (
        "name",
        an_item(more={"x" * MAX_STRING_BYTES: 1}),
        an_item(more={"x" * (MAX_STRING_BYTES + 1): 1}),
        StringTooLong,
        "a name in",
    ),
    ("depth", nested(MAX_DEPTH), nested(MAX_DEPTH + 1), Malformed, "flatten it"),
]


@pytest.mark.parametrize(
    ("inside", "outside", "error", "remedy"), [row[1:] for row in LIMITS], ids=[row[0] for row in LIMITS]
)
def test_a_limit_lets_pass_what_is_inside_and_refuses_the_rest_in_its_own_words(
    inside: bytes, outside: bytes, error: type[Refusal], remedy: str
) -> None:
    decode_event(inside)
    with pytest.raises(error, match=remedy) as caught:
        decode_event(outside)
    assert type(caught.value) is error


def test_the_codes_of_refusals_are_their_own() -> None:
    def below(kind: type[Refusal]) -> set[type[Refusal]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    ours = [
        kind
        for kind in below(Refusal)
        if kind.__module__ == "eddyline_contracts.limits" and kind is not Refusal
    ]
    assert len({kind.code for kind in ours}) == len(ours) >= 10


def test_brackets_in_strings_are_no_depth_and_mixed_ones_are() -> None:
    decode_event(an_item(fields={"a": "[{" * 200, "b": '\\"[[' * 200, "c": ["]" * 70] * 70}))
    decode_event(an_item(fields={str(n): [{"a": [1]}] for n in range(200)}))
    decode_event(nested(MAX_DEPTH, b"[ \n", b" ]"))
    with pytest.raises(Malformed, match="flatten"):
        decode_event(nested(MAX_DEPTH // 2 + 2, b'{"a":[', b"]}"))


@pytest.mark.parametrize("depth", [10, 200, 400])
def test_whether_an_event_is_taken_does_not_hang_on_how_deep_the_stack_is(depth: int) -> None:
    def deep(n: int) -> None:
        if n:
            deep(n - 1)
        else:
            decode_event(nested(MAX_DEPTH))

    deep(depth)


@pytest.mark.parametrize(
    ("raw", "error", "reason"),
    [
        (b"", Malformed, "not JSON"),
        (b"null", Malformed, "JSON object"),
        (b"[1]", Malformed, "JSON object"),
        (b'{"type":"item","item":"i"} x', Malformed, "trailing"),
        (b'{"type":"item","item":"i","more":"\xff"}', Malformed, "not UTF-8: byte 34"),
        (b'{"type":"item","item":"\xed\xa0\x80"}', Malformed, "not UTF-8"),
        (b'{"type":"item","item":"i","more":NaN}', Malformed, "not JSON"),
        (b'{"item":"i"}', UnknownType, "known are item, user, slate"),
        (b'{"type":"order","item":"i"}', UnknownType, "known are item, user, slate"),
        (b'{"event":"order","item":"i"}', UnknownType, "known are item, user, ranking"),
        (b'{"type":"item"}', InvalidEvent, "`item`"),
        (b'{"type":"item","item":""}', InvalidEvent, r"\$.item"),
        (b'{"type":"item","item":7}', InvalidEvent, r"\$.item"),
        (b'{"type":"item","item":"i","fields":[]}', InvalidEvent, r"\$.fields"),
        (b'{"type":"item","item":"i","id":"a\\u0000"}', InvalidEvent, "NUL"),
        (b'{"type":"interaction","item":"i"}', InvalidEvent, "say whom it concerns"),
        (b'{"event":"ranking","items":[{"id":"i"}]}', InvalidEvent, "say whom it concerns"),
        (b'{"type":"slate","user":"u","items":[]}', InvalidEvent, r"\$.items"),
        (b'{"type":"slate","user":"u","items":[{"item":"i","propensity":0}]}', InvalidEvent, "propensity"),
        (b'{"type":"slate","user":"u","items":[{"item":"i","propensity":1.1}]}', InvalidEvent, "propensity"),
        (b'{"type":"user","user":"u","occurred_at":"2026-11-24T02:41:00"}', InvalidEvent, "occurred_at"),
        (b'{"type":"user","user":"u","occurred_at":-1}', InvalidEvent, "occurred_at"),
        (b'{"type":"user","user":"u","occurred_at":1.5}', InvalidEvent, "occurred_at"),
        (b'{"event":"user","user":"u","timestamp":"soon"}', InvalidEvent, "milliseconds"),
        (b'{"event":"user","user":"u","timestamp":-1}', InvalidEvent, "milliseconds"),
        (b'{"type":"user","user":"u","v":2}', UnknownVersion, "upgrade Eddyline"),
        (b'{"type":"user","user":"u","v":"1"}', UnknownVersion, "upgrade Eddyline"),
    ],
)
def test_what_is_wrong_is_said_so_that_its_sender_can_act(
    raw: bytes, error: type[Refusal], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        decode_event(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"interaction","user":"u","item":"i","action":"never heard of","more":{"a":[null]}}',
        b'{"type":"item","item":"i","event":"launch"}',
        b'{"type":"item","item":"i","fields":{"v":1,"event":"item"}}',
        b'{"type":"item","item":"i\\u0000","fields":{"n":123456789012345678901234567890}}',
        b' \r\n\t{"type":"item","item":"i"} \n',
    ],
)
def test_what_is_unknown_is_data(raw: bytes) -> None:
    decode_event(raw)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("tail", [b'"' + b'\\"' * 500_000, b'"' + b"\\" * 999_999, b'"\n\\\n' * 250_000])
def test_a_hostile_megabyte_is_refused_at_once(tail: bytes) -> None:
    with pytest.raises(Malformed):
        decode_event(b"[" * 70 + tail)


@pytest.mark.parametrize(
    "told",
    [
        "1969-12-31T23:59:59.9999Z",
        "1970-01-01T00:59:59+01:00",
        "0001-01-01T00:00:00Z",
        "1913-05-05T12:00:00Z",
    ],
)
def test_a_time_before_1970_is_refused_in_either_form(told: str) -> None:
    for moment, words in ((f'"{told}"', "from 1970 on"), ("-1", ">= 0")):
        with pytest.raises(InvalidEvent, match=words) as caught:
            decode_event(b'{"type":"user","id":"e","user":"u","occurred_at":%s}' % moment.encode())
        assert "occurred_at" in caught.value.detail


def test_the_first_moment_of_1970_is_taken_whatever_its_offset() -> None:
    for told in ("1970-01-01T00:00:00Z", "1969-12-31T23:00:00-01:00"):
        event = decode_event(b'{"type":"user","id":"e","user":"u","occurred_at":"%s"}' % told.encode())
        assert event.occurred_at is not None
        assert to_millis(event.occurred_at) == 0
