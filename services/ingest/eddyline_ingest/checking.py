"""Deciding what of a request may go to the inbox, and under which id. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from msgspec import Struct

from eddyline_contracts.api import Rejection
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import Event, type_of
from eddyline_contracts.limits import EventTooLarge, Refusal
from eddyline_contracts.public import check_public
from eddyline_contracts.subjects import EVENT_ID, MSG_ID, RECEIVED_AT, event_subject, message_id

ROOM_FOR_HEADERS = 2 * 1024
"""Bytes of a message that are not payload, at most."""


class Message(Struct, frozen=True):
    """An event on its way to the inbox."""

    subject: str
    payload: bytes
    """As it was received."""
    headers: dict[str, str]


@dataclass
class Checked:
    """Part of a request, decided."""

    messages: list[Message] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    refusals: list[tuple[bytes, Refusal]] = field(default_factory=list)
    """What was refused, beside each of ``rejections``."""
    n_repeated: int = 0
    """Events whose id came before in the same request."""
    n_bytes: int = 0
    """Of the messages' payloads."""


@dataclass
class Checker:
    """Checks the events of one request in turn."""

    received_at: int
    """ms since the Unix epoch."""
    new_id: Callable[[int], str]
    """Id for the event with this index that brought none."""
    max_payload: int
    """Largest message that the bus takes."""
    _seen: set[str] = field(default_factory=set)

    def check(self, events: Sequence[bytes], first_index: int) -> Checked:
        """Decide the next events of the request."""
        checked = Checked()
        for index, raw in enumerate(events, first_index):
            try:
                event = self._checked(raw)
            except Refusal as refusal:
                checked.rejections.append(Rejection(index=index, code=refusal.code, detail=refusal.detail))
                checked.refusals.append((raw, refusal))
                continue
            event_id = event.id or self.new_id(index)
            if event_id in self._seen:
                checked.n_repeated += 1
                continue
            self._seen.add(event_id)
            headers = {MSG_ID: message_id(event_id), RECEIVED_AT: str(self.received_at)}
            if event.id is None:
                headers[EVENT_ID] = quote(event_id, safe="")
            checked.messages.append(Message(event_subject(type_of(event)), raw, headers))
            checked.n_bytes += len(raw)
        return checked

    def _checked(self, raw: bytes) -> Event:
        event = decode_event(raw)
        check_public(event)
        if len(raw) + ROOM_FOR_HEADERS > self.max_payload:
            raise EventTooLarge(
                f"the event has {len(raw):,} bytes; the bus takes {self.max_payload:,} with its headers: "
                "raise `max_payload` of the NATS server, or send less"
            )
        return event


def ids_by_key(key: str) -> Callable[[int], str]:
    """Ids that are the same whenever the same request comes again under this idempotency key."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return lambda index: f"{digest}-{index}"
