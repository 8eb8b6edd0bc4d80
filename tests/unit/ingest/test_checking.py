"""What a request may put into the inbox: good events under their ids, bad ones with a reason."""

from __future__ import annotations

import itertools

import pytest

from eddyline_contracts.subjects import EVENT_ID, MSG_ID, RECEIVED_AT, message_id
from eddyline_ingest.checking import Checker, ids_by_key

CLICK = b'{"type":"interaction","id":"e1","user":"u1","item":"i1"}'
NAMELESS = b'{"type":"user","user":"u1"}'


def a_checker(*, max_payload: int = 8 * 1024 * 1024) -> Checker:
    numbers = itertools.count()
    return Checker(1_795_488_060_123, lambda _: f"new {next(numbers)}", max_payload)


def test_good_ones_are_kept_and_bad_ones_refused_by_index() -> None:
    checked = a_checker().check([CLICK, b"{}", b"nonsense", NAMELESS], 10)
    assert [message.subject for message in checked.messages] == ["events.interaction", "events.user"]
    assert [message.payload for message in checked.messages] == [CLICK, NAMELESS]
    assert [(r.index, r.code) for r in checked.rejections] == [(11, "unknown_type"), (12, "malformed")]
    assert [raw for raw, _ in checked.refusals] == [b"{}", b"nonsense"]
    assert checked.n_bytes == len(CLICK) + len(NAMELESS)


def test_an_event_goes_under_its_own_id_and_a_nameless_one_gets_one_in_the_header() -> None:
    own, given = a_checker().check([CLICK, NAMELESS], 0).messages
    assert own.headers == {MSG_ID: message_id("e1"), RECEIVED_AT: "1795488060123"}
    assert given.headers == {
        MSG_ID: message_id("new 0"),
        RECEIVED_AT: "1795488060123",
        EVENT_ID: "new%200",
    }


def test_an_id_that_comes_twice_in_a_request_goes_once_across_all_its_parts() -> None:
    checker = a_checker()
    first, second = checker.check([CLICK, CLICK], 0), checker.check([CLICK, NAMELESS], 2)
    assert (len(first.messages), first.n_repeated) == (1, 1)
    assert (len(second.messages), second.n_repeated) == (1, 1)


@pytest.mark.parametrize("kind", ["model_promoted", "model_rolled_back", "model_added"])
def test_internal_types_are_not_taken_over_http(kind: str) -> None:
    event = b'{"type":"%s","id":"m","model":"x","view":"v"}' % kind.encode()
    (rejection,) = a_checker().check([event], 0).rejections
    assert rejection.code == "internal_type"
    assert "written by Eddyline itself" in rejection.detail


def test_a_vector_of_an_item_is_not_taken_over_http() -> None:
    told = b'"item":"i","encoder":"e","dims":1,"scale":1.0,"vector":"AQ==","text":""'
    (rejection,) = a_checker().check([b'{"type":"item_embedded","id":"m",%s}' % told], 0).rejections
    assert rejection.code == "internal_type"


@pytest.mark.parametrize(
    "member", [b'"features_sequence":7', b'"policy":"greedy"', b'"served_vectors":["AAAA"]']
)
def test_only_the_ranker_says_how_it_ranked(member: bytes) -> None:
    event = b'{"type":"slate","id":"s","user":"u","items":[{"item":"i"}],%s}' % member
    (rejection,) = a_checker().check([event], 0).rejections
    assert "leave them out" in rejection.detail


def test_what_the_bus_would_not_take_is_refused_before_it_closes_the_connection() -> None:
    event = b'{"type":"item","item":"i","fields":{"a":"%s"}}' % (b"x" * 9_000)
    assert not a_checker(max_payload=20_000).check([event], 0).rejections
    (rejection,) = a_checker(max_payload=10_000).check([event], 0).rejections
    assert rejection.code == "event_too_large"
    assert "max_payload" in rejection.detail


def test_ids_by_key_are_the_same_for_the_same_request_and_other_ones_else() -> None:
    again = ids_by_key("k1")
    assert [ids_by_key("k1")(n) for n in range(3)] == [again(n) for n in range(3)]
    everything = {ids_by_key(key)(n) for key in ("k1", "k2", "k1\udcff", "ü") for n in range(100)}
    assert len(everything) == 400
    assert max(map(len, everything)) <= 128
