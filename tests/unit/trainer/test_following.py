"""What followed from a slate is found as the joiner finds it, whatever ids look like in JSON."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from eddyline_contracts.events import Event, SlateServed, encode, type_of
from eddyline_contracts.record import Record, decode_record
from eddyline_learning.pending import pending_of
from eddyline_trainer.following import Following
from eddyline_trainer.slate_papers import Followed
from tests.support.a_log import a_click, a_slate

WINDOW = 1_000


def records(*events: Event | bytes) -> list[Record]:
    found = []
    for sequence, event in enumerate(events, 1):
        payload = event if isinstance(event, bytes) else encode(event)
        told = msgspec.json.decode(payload)
        found.append(Record(sequence, told.get("id", f"e{sequence}"), told["type"], 2**50, 2**50, payload))
    return found


def followed(*events: Event | bytes) -> list[Followed]:
    """What followed from the first one."""
    first, *others = records(*events)
    logged = decode_record(first)
    assert isinstance(logged.event, SlateServed)
    following = Following(pending_of(logged, logged.event), WINDOW)
    for record in others:
        following.read([record])
    return following.found


def told(found: Sequence[Followed]) -> list[tuple[str, int, bool, bool]]:
    return [(one.item, one.occurred_at, one.named, one.in_time) for one in found]


def test_what_names_the_slate_follows_from_it_whoever_did_it_and_whenever() -> None:
    found = followed(
        a_slate("s", ["a", "b"], at=100),
        a_click("a", at=200, slate="s", user="somebody else"),
        a_click("a", at=100 + WINDOW, slate="s"),
        a_click("z", at=300, slate="s"),
        a_click("a", at=300, slate="another"),
    )
    assert told(found) == [("a", 200, True, True), ("a", 1_100, True, False), ("z", 300, True, False)]


def test_what_names_none_follows_from_the_newest_slate_that_showed_the_item_to_this_person() -> None:
    found = followed(
        a_slate("s", ["a", "b"], at=100, user="u", session="x"),
        a_click("a", at=110, user="u"),
        a_click("a", at=120, user="v"),
        a_click("z", at=130, user="u"),
        a_click("a", at=99, user="u"),
        a_slate("t", ["a"], at=200, user="u"),
        a_click("a", at=210, user="u"),
        a_click("b", at=220, user="u"),
        a_click("a", at=190, user="u"),
        a_slate("w", ["b"], at=300, user="v", session="x"),
        a_click("b", at=310, user="u"),
        a_click("b", at=310, user=None, session="x"),
        a_click("b", at=100 + WINDOW, user="u"),
    )
    assert told(found) == [
        ("a", 110, False, True),
        ("b", 220, False, True),
        ("a", 190, False, True),
        ("b", 310, False, True),
    ]


def test_a_click_that_overtook_its_slate_on_the_way_to_the_log_is_found_by_its_name() -> None:
    a, b, c, slate, after = records(
        a_slate("older", ["a"], at=90),
        a_click("a", at=110, slate="s"),
        a_click("a", at=120),
        a_slate("s", ["a", "b"], at=100, features_sequence=0),
        a_click("b", at=130),
    )
    logged = decode_record(slate)
    assert isinstance(logged.event, SlateServed)
    following = Following(pending_of(logged, logged.event), WINDOW)
    following.read([a, b, c, slate, after])
    # The nameless one before it may belong to the older slate.
    assert told(following.found) == [("a", 110, True, True), ("b", 130, False, True)]


@pytest.mark.parametrize("name", ["u1", 'a "quoted" one', "käfer", "a/b", "\U0001f600", "tab\there"])
def test_an_id_is_found_however_it_is_written(name: str) -> None:
    click = a_click("a", at=200, slate="s" + name, user=name)
    plainly = encode(click)
    ascii_only = b"".join(
        char.encode() if char.isascii() else "".join(f"\\u{u:04x}" for u in _units(char)).encode()
        for char in plainly.decode()
    ).replace(b"/", b"\\/")
    found = followed(a_slate("s" + name, ["a"], at=100, user=name), plainly, ascii_only)
    assert len(found) == 2


def _units(char: str) -> list[int]:
    raw = char.encode("utf-16-be")
    return [int.from_bytes(raw[k : k + 2]) for k in range(0, len(raw), 2)]


def test_what_has_nothing_to_do_with_it_is_not_even_decoded() -> None:
    first, broken = records(a_slate("s", ["a"], at=100), b'{"type":"interaction","id":"x","item":5}')
    logged = decode_record(first)
    assert isinstance(logged.event, SlateServed)
    Following(pending_of(logged, logged.event), WINDOW).read([broken])
    assert type_of(logged.event) == "slate"
