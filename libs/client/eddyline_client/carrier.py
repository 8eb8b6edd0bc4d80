"""The port through which a batch leaves: one attempt, and what became of each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from eddyline_client.outgoing import Outgoing


class Stored(Struct, frozen=True):
    """The inbox has it."""

    sequence: int | None
    """A place in the log that is not before the event's own; none if it cannot be known."""


class Refused(Struct, frozen=True):
    """It will never be taken as it is."""

    code: str
    detail: str


class Again(Struct, frozen=True):
    """Not known to be stored: to be sent again with the same id."""

    reason: str
    after_s: float = 0.0
    """Not before so many seconds, as the server asked for."""
    misdirected: bool = False
    """Waiting will hardly help: the address is wrong, or the credentials."""


Outcome = Stored | Refused | Again


class Carrier(Protocol):
    """Takes batches to Eddyline. One `send` at a time."""

    async def send(self, events: Sequence[Outgoing]) -> list[Outcome]:
        """Try once, in this order; an outcome for each event. Raises nothing that waiting could cure."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
