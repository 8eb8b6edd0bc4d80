"""How people name a place of the log: by its sequence, or by a time of the recorder's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from eddyline_cli.refusals import Refused
from eddyline_contracts.events import to_millis
from eddyline_contracts.record import EPOCH_SHIFT

_MOST = 2**53


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to stop: at most one of both is given; neither means the log's end."""

    sequence: int | None = None
    """The state after this place."""
    recorded_at: int | None = None
    """The state after the last event that was recorded at or before this moment, in ms since the Unix epoch."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place that the log has."""

    sequence: int
    recorded_at: int | None
    """When the newest event up to there was recorded, in ms since the Unix epoch; None when there is none."""
    n_events: int
    """Events up to there."""


def wanted_of(text: str | None) -> Wanted:
    """A whole number is a sequence, anything else a time (RFC 3339, UTC unless it says otherwise).

    Raises
    ------
    Refused
        If it is neither.
    """
    if text is None:
        return Wanted()
    digits = text.replace("_", "").replace(",", "")
    if digits.isascii() and digits.isdigit():
        sequence = int(digits)
        if sequence >= _MOST:
            raise Refused(
                f"--at {text}: places of the log are below 2^53; `eddyline status` shows the newest"
            )
        return Wanted(sequence=sequence)
    return Wanted(recorded_at=moment_of(text, "--at", "a place of the log, as 1099511627776, or "))


def moment_of(text: str, option: str, otherwise: str = "") -> int:
    """A time in ms since the Unix epoch; a whole number is one already.

    Raises
    ------
    Refused
        If it is none.
    """
    if text.isascii() and text.isdigit() and int(text) < _MOST:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            f"{option} {text}: {otherwise}a time by RFC 3339, as 2026-11-24T12:30:00Z, is expected"
        ) from None
    return to_millis(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def spelled_time(millis: int) -> str:
    """RFC 3339 in UTC, with milliseconds; beyond what a calendar holds, the number itself."""
    try:
        at = datetime.fromtimestamp(millis // 1_000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{millis} ms"
    return f"{at:%Y-%m-%dT%H:%M:%S}.{millis % 1_000:03d}Z"


def spelled_place(sequence: int) -> str:
    """The number, and which of which epoch it is where the log has epochs; files have none."""
    epoch, number = divmod(sequence, 1 << EPOCH_SHIFT)
    return f"{sequence} (number {number:,} of epoch {epoch})" if epoch else f"{sequence}"
