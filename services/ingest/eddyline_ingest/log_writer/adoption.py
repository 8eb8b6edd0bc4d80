"""Which epoch the inbox stream is of, and where in it the log goes on. Pure.

A place in the log is an epoch and the stream's own number. The number starts again when the stream is made anew, so
the epoch has to be another one then: no two events may ever share a place, and places only grow.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline_contracts.record import EPOCH_SHIFT
from eddyline_eventlog.appending import Cursor


@dataclass(frozen=True)
class Inbox:
    """What the stream says of itself."""

    created: str
    epoch: int | None
    """As its metadata have it; none if nobody wrote it there."""
    first: int
    """Number of the oldest message it holds."""
    last: int
    """Number of the newest message it ever held."""
    recorded_ns: int | None = None
    """Time of the message at the log's cursor, if the stream still holds one there."""


@dataclass(frozen=True)
class Adoption:
    """How to go on."""

    epoch: int
    after: int
    """The stream's number after which to read."""
    why: str


def position(cursor: Cursor) -> int:
    """The cursor as a number of the stream of its epoch; 0 if nothing of that epoch is in the log yet."""
    epoch, number = divmod(cursor.sequence, 1 << EPOCH_SHIFT)
    return number if epoch == cursor.epoch else 0


def adopt(cursor: Cursor, inbox: Inbox) -> Adoption:
    """Decide by what the log remembers and what the stream says.

    Reading a stream from its beginning is always right, since ids that are in the log already are dropped; it only
    takes time. Numbers of one epoch must never mean two different messages.
    """
    if cursor.stream_created != inbox.created:
        # Another stream, or a log that knows none: never an epoch that this log has used, and none below the stream's.
        epoch = max(cursor.epoch + 1, inbox.epoch or 1)
        return _from_the_beginning(epoch, inbox, "the stream is new to this log")
    if inbox.epoch is not None and inbox.epoch > cursor.epoch:
        return _from_the_beginning(inbox.epoch, inbox, "the stream is of a newer epoch than this log")
    at = position(cursor)
    if at > inbox.last or (inbox.recorded_ns is not None and inbox.recorded_ns != cursor.recorded_ns):
        return _from_the_beginning(
            cursor.epoch + 1,
            inbox,
            "the stream has lost messages that are in the log: it was restored or crashed",
        )
    return Adoption(cursor.epoch, at, "the stream is the one that was read before")


def _from_the_beginning(epoch: int, inbox: Inbox, why: str) -> Adoption:
    return Adoption(epoch, max(0, inbox.first - 1), why)
