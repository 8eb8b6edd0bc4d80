"""Bytes to events: one entry for every door, so that HTTP, the bus, files and the log agree on what is an event.

Pure and total: any byte string gives an event or a `Refusal`, never another exception.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from eddyline_contracts import metarank
from eddyline_contracts.events import (
    VERSION,
    Event,
    InteractionRecorded,
    ItemEmbedded,
    SlateServed,
    to_millis,
)
from eddyline_contracts.limits import (
    MAX_STRING_BYTES,
    IdTooLong,
    InvalidEvent,
    Malformed,
    Refusal,
    TooManyFields,
    TooManyItems,
    UnknownType,
    check_depth,
    check_size,
    check_strings,
)
from eddyline_contracts.upcasting import UPCASTERS, Upcasters, upcast

_native = msgspec.json.Decoder(Event)
_anything = msgspec.json.Decoder()
TYPES = (
    *("item", "user", "slate", "interaction"),
    *("model_promoted", "model_rolled_back", "model_added", "item_embedded"),
)


class _Probe(Struct):
    """Just enough of an event to tell its form."""

    event: Any = None
    type: Any = None
    v: Any = VERSION


_probe = msgspec.json.Decoder(_Probe)


def decode_event(raw: bytes, *, upcasters: Upcasters = UPCASTERS) -> Event:
    """Decode and check one event in the native or the Metarank form.

    Raises
    ------
    Refusal
        A subclass for each reason; its text says what to do.
    """
    check_size(raw)
    try:
        # The decoder skips members that it does not know without looking inside; the log's database does look.
        raw.decode()
        check_depth(raw)
        if b'"event"' in raw:
            probe = _probe.decode(raw)
            if (isinstance(probe.event, str) and probe.type not in TYPES) or probe.event in metarank.KINDS:
                return _checked(metarank.decode(raw), raw)
        if b'"v"' in raw:
            probe = _probe.decode(raw)
            if probe.v != VERSION:
                old = _anything.decode(raw)
                return _checked(msgspec.convert(upcast(old, upcasters), Event), raw)
        return _checked(_native.decode(raw), raw)
    except msgspec.ValidationError as error:
        _refuse(error)
    except msgspec.DecodeError as error:
        raise Malformed(f"not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8: byte {error.start} is no part of a character") from error
    except RecursionError as error:
        raise Malformed("nested too deeply: flatten it") from error


def _checked(event: Event, raw: bytes) -> Event:
    if isinstance(event, SlateServed | InteractionRecorded) and event.user is None and event.session is None:
        raise InvalidEvent("`user` or `session` is required: say whom it concerns")
    if isinstance(event, ItemEmbedded) and len(event.vector) != event.dims:
        raise InvalidEvent(
            f"`vector` holds {len(event.vector):,} bytes and `dims` says {event.dims:,}: send one signed byte a number"
        )
    if isinstance(event.occurred_at, datetime):
        checked_millis(event.occurred_at)
    if event.id is not None and "\0" in event.id:
        raise InvalidEvent("`id` holds a NUL character, which the log cannot index: use a printable id")
    # No string can be longer than the event that holds it, so most events need no walk.
    if len(raw) > MAX_STRING_BYTES:
        check_strings(_anything.decode(raw), "$")
    return event


def checked_millis(moment: datetime | int) -> int:
    """``occurred_at`` in ms since the Unix epoch.

    Raises
    ------
    InvalidEvent
        If it is before 1970. As a number it would have been refused by its type.
    """
    at = to_millis(moment)
    if at < 0:
        raise InvalidEvent(f"`occurred_at` is {moment}, but times are from 1970 on")
    return at


_TOO_LONG = re.compile(r"Expected `(\w+)` of length <= (\d+) - at `(.+)`")


def refusal_by_limit(error: msgspec.ValidationError) -> Refusal | None:
    """The error class and the remedy of the limit that was broken, if msgspec's finding is about one."""
    found = _TOO_LONG.match(str(error))
    if not found:
        return None
    kind, most, path = found.group(1), int(found.group(2)), found.group(3)
    if kind == "array":
        return TooManyItems(f"`{path}` has more than {most:,} items: split it")
    if kind == "object":
        return TooManyFields(f"`{path}` has more than {most:,} fields: send those that features use")
    return IdTooLong(f"`{path}` has more than {most:,} characters: use a shorter id")


def _refuse(error: msgspec.ValidationError) -> NoReturn:
    """Say what is wrong with an event in words that its sender can act on."""
    text = str(error)
    refusal: Refusal
    by_limit = refusal_by_limit(error)
    if by_limit:
        refusal = by_limit
    elif "Invalid value" in text and text.endswith("`$.type`"):
        refusal = UnknownType(f"{text}; known are {', '.join(TYPES)}")
    elif "missing required field `type`" in text:
        refusal = UnknownType(f"the event has no `type`; known are {', '.join(TYPES)}")
    elif text.startswith("Expected `object`") and "at `" not in text:
        refusal = Malformed("an event is a JSON object")
    else:
        refusal = InvalidEvent(text)
    raise refusal from error
