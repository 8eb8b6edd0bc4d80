"""What can go wrong, told apart by what the caller does about it. All of it is an `EddylineError`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RejectedEvent:
    """An event that Eddyline does not take. Sending it again changes nothing; a corrected one does."""

    index: int
    """Its place in the list that was given to ``send``; 0 for an event that was sent by itself."""
    id: str
    code: str
    """One word, as ``too_many_items``."""
    detail: str
    """What is wrong and what to do."""
    payload: bytes
    """The event as JSON, as it was sent."""


@dataclass(frozen=True)
class UnsentEvent:
    """An event that may or may not be stored: nobody said so. With the same id it is safe to send again."""

    id: str
    payload: bytes
    """The event as JSON."""


class EddylineError(Exception):
    """Root of everything that the client raises on purpose."""


class Rejected(EddylineError):
    """Events were refused: correct them. All others of the same call or batch are stored.

    ``n_more`` says how many further ones were refused and only logged, because nobody had asked for so long.
    """

    def __init__(
        self, rejected: Sequence[RejectedEvent], *, n_more: int = 0, sequence: int | None = None
    ) -> None:
        first = rejected[0]
        others = len(rejected) - 1 + n_more
        more = f", and {others:,} more" if others else ""
        super().__init__(f"event {first.id} (index {first.index}) was refused: {first.detail}{more}")
        self.rejected = list(rejected)
        self.n_more = n_more
        self.sequence = sequence
        """Place in the log of the newest event of the same ``send`` that was stored, if it is known."""


class Invalid(EddylineError, ValueError):
    """The call itself cannot be answered: correct it. ``code`` is the service's word for it."""

    def __init__(self, detail: str, code: str = "invalid") -> None:
        super().__init__(detail)
        self.code = code


class Conflict(Invalid):
    """It contradicts what is there: a ``request_id`` was used for another request, or a setting is missing."""


class Unknown(Invalid):
    """Nothing is known of what the call names, as of an item that was never told."""


class Unavailable(EddylineError):
    """Eddyline could not be reached in time: try again later, or do without.

    After ``close`` the events that were not acknowledged are in ``unsent``. Before that they are still held by the
    client, which goes on trying, and ``unsent`` is empty.
    """

    def __init__(self, detail: str, unsent: Sequence[UnsentEvent] = ()) -> None:
        super().__init__(detail)
        self.unsent = list(unsent)


class Misdirected(Unavailable):
    """Something answers, but not what was expected: check the address and the credentials."""


class Closed(EddylineError):
    """The client was closed before: make a new one."""
