"""What becomes of each message of the inbox: admitted to the log, or refused with a reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from eddyline_contracts.limits import Malformed, Refusal
from eddyline_contracts.record import sequence_of
from eddyline_contracts.subjects import EVENT_ID, RECEIVED_AT
from eddyline_eventlog.admission import Admitted, admit
from eddyline_ingest.log_writer.reader import Message

_MAX_TIME_DIGITS = 15


@dataclass(frozen=True)
class Refused:
    """A message that is no event for the log."""

    sequence: int
    subject: str
    payload: bytes
    refusal: Refusal


@dataclass(frozen=True)
class Decided:
    """A piece of the inbox, decided."""

    last: Message
    last_sequence: int
    admitted: list[Admitted]
    refused: list[Refused]


def decide(messages: Sequence[Message], epoch: int) -> Decided:
    """Decide a non-empty, ordered piece of the inbox."""
    admitted: list[Admitted] = []
    refused: list[Refused] = []
    for message in messages:
        sequence = sequence_of(epoch, message.number)
        headers = message.headers or {}
        try:
            admitted.append(
                admit(
                    sequence,
                    message.payload,
                    assigned_id=_assigned_id(headers),
                    received_at=_received_at(headers),
                    recorded_at=message.recorded_ns // 1_000_000,
                )
            )
        except Refusal as refusal:
            refused.append(Refused(sequence, message.subject, message.payload, refusal))
    last = messages[-1]
    return Decided(last, sequence_of(epoch, last.number), admitted, refused)


def _assigned_id(headers: dict[str, str]) -> str | None:
    said = headers.get(EVENT_ID)
    if said is None or "%" not in said:
        return said
    try:
        return unquote(said, errors="strict")
    except UnicodeDecodeError:
        raise Malformed(f"the header {EVENT_ID} is no percent-encoded UTF-8") from None


def _received_at(headers: dict[str, str]) -> int | None:
    said = headers.get(RECEIVED_AT, "")
    # Anybody may publish on the bus: what is no time is as good as none.
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _MAX_TIME_DIGITS else None
