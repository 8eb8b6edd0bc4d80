"""Events that were once accepted are read the same for ever: golden files of each type in each form.

``NAME.json`` holds the bytes as received, ``NAME.decoded.json`` what they mean. A file here is never changed; a new
version of the form gets new ones beside the old.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eddyline_contracts import metarank
from eddyline_contracts.decoding import TYPES, decode_event
from eddyline_contracts.events import encode
from eddyline_contracts.record import Record, decode_record

GOLDEN = Path(__file__).with_name("golden")
RECEIVED = sorted(path for path in GOLDEN.glob("*.json") if not path.name.endswith(".decoded.json"))


@pytest.mark.parametrize("path", RECEIVED, ids=lambda path: path.stem)
def test_an_event_means_what_it_meant(path: Path) -> None:
    raw = path.read_bytes().rstrip(b"\n")
    expected = path.with_suffix(".decoded.json").read_bytes().rstrip(b"\n")
    assert encode(decode_event(raw)) == expected
    # What it means is itself an event that means the same.
    assert encode(decode_event(expected)) == expected


def test_every_type_and_form_has_its_golden_file() -> None:
    received = [json.loads(path.read_bytes()) for path in RECEIVED]
    assert {event["type"] for event in received if "event" not in event} == set(TYPES)
    assert {event["event"] for event in received if "event" in event} == set(metarank.KINDS)


def test_a_record_is_dated_by_the_event_the_receipt_and_at_most_the_recording() -> None:
    def dated(raw: bytes, received_at: int = 500, recorded_at: int = 600) -> int:
        return decode_record(Record(1, "e", "user", received_at, recorded_at, raw)).occurred_at

    assert dated(b'{"type":"user","id":"e","user":"u","occurred_at":100}') == 100
    assert dated(b'{"type":"user","id":"e","user":"u"}') == 500
    assert dated(b'{"type":"user","id":"e","user":"u","occurred_at":601}') == 600
    assert dated(b'{"type":"user","id":"e","user":"u"}', received_at=700) == 600
    assert dated(b'{"type":"user","id":"e","user":"u","occurred_at":"1970-01-01T00:00:00.0999Z"}') == 99
