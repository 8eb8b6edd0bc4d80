"""A client waits for its own events about a person and about items, and never for less, however much is forgotten."""

from __future__ import annotations

import pytest

from eddyline_client.errors import Invalid
from eddyline_client.outgoing import moment, outgoing_of
from eddyline_client.own_writes import OwnWrites


def test_a_person_waits_for_own_events_and_for_those_about_items() -> None:
    own = OwnWrites("user")
    own.taken(("u:a",), 1)
    own.taken((), 2)
    own.taken(("u:b",), 3)
    assert (own.number(("u:a",)), own.number(("u:c",))) == (2, 2)
    own.settled(("u:b",), 3, 30)
    own.settled((), 2, 20)
    assert (own.sequence(("u:b",)), own.sequence(("u:a",))) == (30, 20)


def test_who_is_forgotten_waits_for_more_not_for_less() -> None:
    own = OwnWrites("user", remembered=2)
    for number, key in enumerate(("u:a", "u:b", "u:c"), 1):
        own.settled((key,), number, number * 10)
    assert own.sequence(("u:a",)) == 10
    assert own.sequence(("u:c",)) == 30


def test_nothing_is_waited_for_when_it_is_off() -> None:
    own = OwnWrites("off")
    own.taken(("u:a",), 1)
    own.settled(("u:a",), 1, 5)
    assert (own.number(("u:a",)), own.sequence(("u:a",))) == (0, 0)


def test_an_event_is_named_before_it_is_first_sent() -> None:
    first, second = (outgoing_of({"type": "item", "item": "i"}) for _ in range(2))
    assert first.id != second.id
    assert first.id.encode() in first.payload


def test_what_has_no_json_form_is_said_at_once() -> None:
    with pytest.raises(Invalid, match="cannot be written as JSON"):
        outgoing_of({"type": "item", "item": "i", "fields": {"x": object()}})


def test_a_time_without_zone_is_refused() -> None:
    from datetime import datetime

    with pytest.raises(Invalid, match="time zone"):
        moment(datetime(2026, 1, 1))
