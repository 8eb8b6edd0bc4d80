"""An event on its way: named and encoded once, so that every attempt sends the same bytes under the same id."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import uuid_utils

from eddyline_client.errors import Invalid, RejectedEvent
from eddyline_contracts.events import Event, to_millis


@dataclass
class Ticket:
    """What becomes of the events of one ``send``."""

    rejected: list[RejectedEvent] = field(default_factory=list)
    n_stored: int = 0
    sequence: int | None = None


@dataclass(slots=True)
class Outgoing:
    """One event, taken from the caller."""

    id: str
    payload: bytes
    keys: tuple[str, ...]
    """Whom it concerns, as `keys_of` says; empty if it concerns everybody."""
    index: int = 0
    """Its place in the caller's list."""
    ticket: Ticket | None = None
    number: int = 0
    """Its place among all events of this client, from 1."""
    taken_at: float = 0.0
    """By the monotonic clock, in seconds."""


def new_id() -> str:
    """A UUIDv7: unique without asking anybody, and in the order of making."""
    return str(uuid_utils.uuid7())


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def moment(said: datetime | int | None) -> int:
    """``occurred_at`` in ms since the Unix epoch; now, if nothing was said: a queued event happened when it was told.

    Raises
    ------
    Invalid
        If it has no time zone.
    """
    if said is None:
        return now_ms()
    if isinstance(said, datetime) and said.tzinfo is None:
        raise Invalid(
            f"occurred_at={said!r} has no time zone: say datetime.now(UTC), or milliseconds since 1970"
        )
    return to_millis(said)


def keys_of(user: str | None, session: str | None) -> tuple[str, ...]:
    """Names under which own writes about a person are remembered."""
    keys = []
    if user is not None:
        keys.append(f"u:{user}")
    if session is not None:
        keys.append(f"s:{session}")
    return tuple(keys)


def outgoing_of(event: Event | Mapping[str, Any]) -> Outgoing:
    """Name the event if it has no id, and encode it.

    A mapping is sent as it is, so unknown members are kept, and the Metarank form is taken as well.

    Raises
    ------
    Invalid
        If it cannot be written as JSON.
    """
    if isinstance(event, Mapping):
        told = dict(event)
        name, user, session = told.get("id"), told.get("user"), told.get("session")
        if name is None:
            told["id"] = name = new_id()
        return Outgoing(str(name), encoded(told), keys_of(user, session))
    named = event if event.id is not None else msgspec.structs.replace(event, id=new_id())
    assert named.id is not None
    user, session = getattr(named, "user", None), getattr(named, "session", None)
    return Outgoing(named.id, encoded(named), keys_of(user, session))


def encoded(value: Any) -> bytes:
    """``value`` as JSON; NumPy's numbers and arrays as plain ones, NaN as null.

    Raises
    ------
    Invalid
        If something in it has no JSON form.
    """
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"this cannot be written as JSON: {error}", "malformed") from error


def _plain(value: Any) -> Any:
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return tolist()


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
