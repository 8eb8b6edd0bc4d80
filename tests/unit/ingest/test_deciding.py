"""Every message of the inbox becomes a row or a refusal, whatever it is."""

from __future__ import annotations

import pytest

from eddyline_contracts.record import sequence_of
from eddyline_contracts.subjects import EVENT_ID, RECEIVED_AT
from eddyline_ingest.log_writer.deciding import Decided, decide
from eddyline_ingest.log_writer.reader import Message


def a_message(number: int, payload: bytes, **headers: str) -> Message:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Message(
        number, 1_795_488_060_123_456_789 + number, 0, "events.x", named or None, payload, "$JS.ACK.x"
    )


def one(payload: bytes, headers: dict[str, str] | None = None) -> Decided:
    return decide([a_message(7, payload)._replace(headers=headers)], 2)


def test_places_count_from_the_epoch_and_refusals_have_theirs() -> None:
    decided = decide(
        [a_message(3, b'{"type":"user","id":"a","user":"u"}'), a_message(4, b"no"), a_message(6, b"[]")], 2
    )
    assert [admitted.record.sequence for admitted in decided.admitted] == [sequence_of(2, 3)]
    assert [(r.sequence, r.refusal.code) for r in decided.refused] == [
        (sequence_of(2, 4), "malformed"),
        (sequence_of(2, 6), "malformed"),
    ]
    assert decided.last_sequence == sequence_of(2, 6)


def test_the_bus_says_when_it_was_recorded_and_ingest_when_it_was_received() -> None:
    payload = b'{"type":"user","id":"a","user":"u"}'
    (admitted,) = one(payload, {RECEIVED_AT: "1795488060001"}).admitted
    assert (admitted.record.received_at, admitted.record.recorded_at) == (
        1_795_488_060_001,
        1_795_488_060_123,
    )


@pytest.mark.parametrize("said", ["", "soon", "-5", "1e9", "9" * 40, "١٢٣"])
def test_a_time_of_receipt_that_is_none_counts_as_not_said(said: str) -> None:
    (admitted,) = one(b'{"type":"user","id":"a","user":"u"}', {RECEIVED_AT: said}).admitted
    assert admitted.record.received_at == admitted.record.recorded_at


def test_a_nameless_event_takes_the_id_that_ingest_gave_it() -> None:
    (admitted,) = one(b'{"type":"user","user":"u"}', {EVENT_ID: "a%20b%0Ac%C3%BC%25"}).admitted
    assert admitted.record.event_id == "a b\ncü%"
    (admitted,) = one(b'{"type":"user","id":"own","user":"u"}', {EVENT_ID: "other"}).admitted
    assert admitted.record.event_id == "own"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (None, "missing_id"),
        ({EVENT_ID: ""}, "missing_id"),
        ({EVENT_ID: "%ff"}, "malformed"),
        ({EVENT_ID: "x" * 129}, "id_too_long"),
        ({EVENT_ID: "a%00b"}, "invalid"),
    ],
)
def test_an_event_without_a_usable_id_is_refused(headers: dict[str, str] | None, code: str) -> None:
    (refused,) = one(b'{"type":"user","user":"u"}', headers).refused
    assert refused.refusal.code == code


def test_the_place_a_slate_was_ranked_at_is_kept_beside_it() -> None:
    slate = b'{"type":"slate","id":"s","user":"u","items":[{"item":"i"}],"features_sequence":41}'
    (admitted,) = one(slate).admitted
    assert admitted.features_sequence == 41
    (admitted,) = one(b'{"type":"slate","id":"s","user":"u","items":[{"item":"i"}]}').admitted
    assert admitted.features_sequence is None
