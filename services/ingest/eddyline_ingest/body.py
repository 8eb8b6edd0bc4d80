"""A request's body to the bytes of its events: one object, an array, or a line for each. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from eddyline_contracts.limits import Malformed, Refusal

MAX_EVENTS = 100_000
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_array = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(msgspec.Raw)
# Possessive, and happy without a closing quote: looking for one again and again takes hours in a hostile megabyte.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)


class TooManyEvents(Refusal):
    """More events in a request than are taken at once."""

    code = "too_many_events"


def split_body(body: bytes, content_type: str = "") -> Sequence[bytes]:
    """The bytes of each event, in their order and as they were sent. They are not checked yet.

    Raises
    ------
    Malformed
        If the body as a whole is no JSON; the text says where.
    TooManyEvents
        Beyond 100,000.
    """
    events = _split(body, content_type)
    if len(events) > MAX_EVENTS:
        raise TooManyEvents(
            f"the request has {len(events):,} events; at most {MAX_EVENTS:,} are taken: split it"
        )
    return events


def _split(body: bytes, content_type: str) -> Sequence[bytes]:
    if content_type in NDJSON_TYPES:
        return _lines(body)
    text = body.lstrip(b" \t\r\n")
    if text.startswith(b"["):
        return _members(body)
    if text.startswith(b"{"):
        if _is_json(text):
            return [text.rstrip(b" \t\r\n")]
        first, newline, _ = text.partition(b"\n")
        if newline and _is_json(first):
            return _lines(body)
        _one_or_fail(body)
    if not text:
        raise Malformed("the body is empty: send an event, an array of events, or one event a line")
    raise Malformed(
        "the body starts with neither `{` nor `[`: send an event, an array of events, or one a line"
    )


def _lines(body: bytes) -> Sequence[bytes]:
    return [line for line in body.split(b"\n") if line.strip()]


def _members(body: bytes) -> Sequence[bytes]:
    try:
        return [bytes(raw) for raw in _array.decode(body)]
    except RecursionError:
        # One of them is nested too deeply; the others need not go with it.
        return _members_by_brackets(body)
    except msgspec.DecodeError as error:
        raise _malformed(error, body) from error


def _members_by_brackets(body: bytes) -> Sequence[bytes]:
    members, depth, start = list[bytes](), 0, 0
    for token in _TOKEN.finditer(body):
        match token.group():
            case b"[" | b"{":
                depth += 1
                if depth == 1:
                    start = token.end()
            case b"]" | b"}":
                depth -= 1
                if depth == 0:
                    return [*members, body[start : token.start()]]
            case b"," if depth == 1:
                members.append(body[start : token.start()])
                start = token.end()
    raise Malformed("the body is not JSON: the array has no end")


def _is_json(text: bytes) -> bool:
    try:
        _one.decode(text)
    except msgspec.DecodeError:
        return False
    except RecursionError:
        # Brackets all the way down: one event, which will be refused as such.
        return b"\n" not in text
    return True


def _one_or_fail(body: bytes) -> None:
    try:
        _one.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed(error, body) from error


def _malformed(error: Exception, body: bytes) -> Malformed:
    said = str(error)
    # The decoder gives a place unless it missed something at the end.
    place = "" if "(byte" in said else f" (byte {len(body)})"
    return Malformed(f"the body is not JSON: {said}{place}")
