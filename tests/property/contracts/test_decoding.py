"""Decoding is total: any bytes give an event or a refusal, and an event survives its own encoding."""

from __future__ import annotations

import json
import string
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_contracts.decoding import TYPES, decode_event
from eddyline_contracts.events import Event, encode
from eddyline_contracts.limits import Refusal
from eddyline_contracts.metarank import KINDS
from eddyline_contracts.record import Batch, Record, decode_batch, encode_batch

IDS = st.text(min_size=1, max_size=20)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = """
    id v occurred_at item user session fields removed items context slate action value score propensity
    features_sequence ranked_at candidates view model policy served_vectors parent decision timestamp ranking type
    event name
""".split()  # noqa: SIM905
NAMES = st.sampled_from(MEMBERS) | st.text(string.ascii_lowercase, max_size=5)
LIKELY = st.sampled_from(
    [*TYPES, *KINDS, "u1", "1795488060123", "2026-11-24T02:41:00Z", 0, 1, -1, 2**53, 1.5, True]
)
SLATE_ITEMS = st.lists(st.dictionaries(NAMES, LIKELY | JSON, max_size=4), max_size=3)
EVENT_LIKE = st.dictionaries(NAMES, LIKELY | SLATE_ITEMS | JSON, max_size=9).flatmap(
    lambda body: st.sampled_from(
        [body, *(body | {"type": kind} for kind in TYPES), *(body | {"event": kind} for kind in KINDS)]
    )
)


def outcome(raw: bytes) -> Event | Refusal:
    try:
        return decode_event(raw)
    except Refusal as refusal:
        return refusal


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_an_event_or_a_refusal(raw: bytes) -> None:
    assert isinstance(outcome(raw), Event | Refusal)


@settings(max_examples=200, deadline=None)
@given(EVENT_LIKE)
def test_anything_like_an_event_gives_an_event_or_a_refusal(body: dict[str, Any]) -> None:
    assert isinstance(outcome(json.dumps(body).encode()), Event | Refusal)


@settings(max_examples=150, deadline=None)
@given(EVENT_LIKE, st.data())
def test_damage_anywhere_gives_an_event_or_a_refusal(body: dict[str, Any], data: st.DataObject) -> None:
    raw = bytearray(json.dumps(body, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(outcome(bytes(raw)), Event | Refusal)


@settings(max_examples=150, deadline=None)
@given(EVENT_LIKE)
def test_an_event_survives_its_own_encoding(body: dict[str, Any]) -> None:
    event = outcome(json.dumps(body).encode())
    if not isinstance(event, Refusal):
        assert decode_event(encode(event)) == event


@settings(max_examples=100, deadline=None)
@given(JSON, st.sampled_from([json.dumps, msgspec.json.encode]))
def test_data_that_nobody_knows_is_no_reason_to_refuse(value: Any, dump: Any) -> None:
    dumped = dump(value)
    raw = b'{"type":"user","user":"u","unheard_of":%s}' % (
        dumped if isinstance(dumped, bytes) else dumped.encode()
    )
    assert not isinstance(outcome(raw), Refusal)


RECORDS = st.builds(
    Record,
    st.integers(0, 2**53 - 1),
    IDS,
    st.sampled_from(TYPES),
    st.integers(0, 2**53 - 1),
    st.integers(0, 2**53 - 1),
    st.binary(max_size=60),
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.lists(RECORDS, max_size=5))
def test_a_batch_survives_the_way_to_its_followers(previous: int, last: int, records: list[Record]) -> None:
    batch = Batch(previous, last, records)
    assert decode_batch(encode_batch(batch)) == batch
