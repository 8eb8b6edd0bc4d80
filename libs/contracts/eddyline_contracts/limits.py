"""What an event may weigh, and how a refusal reads. Each limit has its own error and says what to do."""

from __future__ import annotations

import re
from typing import Any

MAX_EVENT_BYTES = 1024 * 1024
MAX_ITEMS = 1_000
MAX_DIMS = 4_096
"""Numbers of an item's vector."""
MAX_FIELDS = 256
MAX_STRING_BYTES = 32 * 1024
MAX_ID_CHARS = 128
MAX_DEPTH = 64
"""Lists and objects inside each other. How deep a decoder gets depends on the stack it is called from, so without a
bound of our own the log writer might take what a projection cannot read."""


class Refusal(ValueError):
    """An event or request that cannot be taken, with a reason that its sender can act on."""

    code = "invalid"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Malformed(Refusal):
    """Not JSON, not UTF-8, nested too deeply, or not an object."""

    code = "malformed"


class InvalidEvent(Refusal):
    """JSON, but not an event: a member is missing or has the wrong type."""

    code = "invalid"


class UnknownType(Refusal):
    """An event type that this version does not know."""

    code = "unknown_type"


class UnknownVersion(Refusal):
    """A version of the form that this version cannot read."""

    code = "unknown_version"


class EventTooLarge(Refusal):
    code = "event_too_large"


class TooManyItems(Refusal):
    code = "too_many_items"


class TooManyFields(Refusal):
    code = "too_many_fields"


class StringTooLong(Refusal):
    code = "string_too_long"


class IdTooLong(Refusal):
    code = "id_too_long"


class MissingId(Refusal):
    """On the bus an event needs an id: without one, a publisher's retry would count twice."""

    code = "missing_id"


def check_size(raw: bytes) -> None:
    """Raise `EventTooLarge` beyond 1 MiB."""
    if len(raw) > MAX_EVENT_BYTES:
        raise EventTooLarge(
            f"the event has {len(raw):,} bytes; at most {MAX_EVENT_BYTES:,} are taken: "
            "send large texts or images by reference"
        )


def check_strings(value: Any, path: str) -> None:
    """Raise `StringTooLong` for the first string in ``value`` beyond 32 KiB of UTF-8."""
    if isinstance(value, str):
        if len(value) > MAX_STRING_BYTES or len(value.encode()) > MAX_STRING_BYTES:
            raise StringTooLong(f"{path} has more than {MAX_STRING_BYTES:,} bytes of UTF-8: shorten it")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            check_strings(member, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, member in value.items():
            check_strings(key, f"a name in {path}")
            check_strings(member, f"{path}.{key}")


# Possessive, and happy without a closing quote: looking for one again and again takes hours in a hostile megabyte.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_REST = bytes(set(range(256)) - set(b'[]{}"'))


def check_depth(raw: bytes) -> None:
    """Raise `Malformed` when lists and objects are nested deeper than 64.

    Judges by brackets alone: text that is not JSON may pass and is left to the decoder.
    """
    # Most events hold too few brackets to be that deep, and counting them is next to nothing.
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    if b"\\" in raw:
        raw = _STRING.sub(b"", raw)
    brackets = raw.translate(_BRACKETS, _REST).replace(b'""', b"")
    if b'"' in brackets:
        # Brackets inside strings do not count; every other part lies outside.
        brackets = b"".join(brackets.split(b'"')[::2])
    for _ in range(MAX_DEPTH):
        # Takes away what is innermost, a level at a time.
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return
    raise Malformed(f"nested deeper than {MAX_DEPTH} lists and objects: flatten it")
