"""A file of events as the demo sends it: pieces that each end before the next slate."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from eddyline_cli.sending.event_lines import EventFile, Line
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import Event, SlateServed
from eddyline_contracts.limits import Refusal

MAX_PIECE = 1_000


class Piece(Struct, frozen=True, kw_only=True):
    """Consecutive events, and the slate that follows them."""

    lines: list[Line]
    events: list[Event]
    """Those of the lines that are events."""
    slate: SlateServed | None
    """Comes next, and is the first line of the next piece; none when the piece was cut, or at the end."""


class Size(Struct, frozen=True, kw_only=True):
    """What a file holds."""

    lines: int
    slates: int


def pieces(path: str) -> Iterator[Piece]:
    """The file in its order."""
    lines: list[Line] = []
    events: list[Event] = []
    for line in EventFile(path).lines():
        event = decoded(line.raw)
        if isinstance(event, SlateServed):
            yield Piece(lines=lines, events=events, slate=event)
            lines, events = [], []
        elif len(lines) >= MAX_PIECE:
            yield Piece(lines=lines, events=events, slate=None)
            lines, events = [], []
        lines.append(line)
        if event is not None:
            events.append(event)
    yield Piece(lines=lines, events=events, slate=None)


def measure(path: str) -> Size:
    """Count what is there, for the progress."""
    n_lines = n_slates = 0
    for line in EventFile(path).lines():
        n_lines += 1
        n_slates += isinstance(decoded(line.raw), SlateServed)
    return Size(lines=n_lines, slates=n_slates)


def decoded(raw: bytes) -> Event | None:
    """The event; None where ingest will refuse it."""
    try:
        return decode_event(raw)
    except Refusal:
        return None
