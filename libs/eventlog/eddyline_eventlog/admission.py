"""What may enter the log, decided the same way by the log writer, the memory log and the file log. Pure."""

from __future__ import annotations

from msgspec import Struct

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import Event, SlateServed, to_millis, type_of
from eddyline_contracts.limits import MAX_ID_CHARS, IdTooLong, InvalidEvent, MissingId
from eddyline_contracts.record import Logged, Record, logged_of


class Admitted(Struct, frozen=True):
    """An event that may enter the log, if its id is new."""

    record: Record
    features_sequence: int | None
    """Slates of the ranker only."""


def admit(
    sequence: int, payload: bytes, *, assigned_id: str | None, received_at: int | None, recorded_at: int
) -> Admitted:
    """Check what stands at this place of the inbox.

    ``assigned_id`` is what ingest named an event that came without an id; an id of its own wins.

    Raises
    ------
    Refusal
        If it is no event, or has no id at all.
    """
    return _placed(sequence, payload, decode_event(payload), assigned_id, received_at, recorded_at)


def _placed(
    sequence: int,
    payload: bytes,
    event: Event,
    assigned_id: str | None,
    received_at: int | None,
    recorded_at: int,
) -> Admitted:
    event_id = event.id if event.id is not None else _checked_id(assigned_id)
    received_at = recorded_at if received_at is None else received_at
    return Admitted(
        Record(sequence, event_id, type_of(event), received_at, recorded_at, payload),
        event.features_sequence if isinstance(event, SlateServed) else None,
    )


def _checked_id(assigned: str | None) -> str:
    if not assigned:
        raise MissingId("an event on the bus needs an `id`: without one, sending it twice would count twice")
    if len(assigned) > MAX_ID_CHARS:
        raise IdTooLong(f"the id in the header has more than {MAX_ID_CHARS} characters: use a shorter id")
    if "\0" in assigned:
        raise InvalidEvent("the id in the header holds a NUL character: use a printable id")
    return assigned


class Offline:
    """Stands in for inbox and log writer where there is no clock: numbers events and drops duplicates.

    Its recorded clock is the newest ``occurred_at`` so far. So history that was written in order gives the same
    times, and the same examples, as when it is imported through the inbox, where every event is older than its
    recording (ADR 0023).
    """

    def __init__(self) -> None:
        self.sequence = 0
        """Newest place."""
        self.clock = 0
        """Newest ``recorded_at``."""
        self._seen: set[str] = set()

    def take(
        self,
        payload: bytes,
        *,
        assigned_id: str | None,
        received_at: int | None = None,
        recorded_at: int | None = None,
    ) -> Record | None:
        """Give the event the next place; none if it is a duplicate. A refused one has its place, too.

        Raises
        ------
        Refusal
            If it may not enter.
        """
        taken = self._take(payload, assigned_id, received_at, recorded_at)
        return None if taken is None else taken[0]

    def take_decoded(self, payload: bytes, *, assigned_id: str | None = None) -> Logged | None:
        """As `take`, and as what it gives is decoded, without decoding it again."""
        taken = self._take(payload, assigned_id, None, None)
        return None if taken is None else logged_of(*taken)

    def _take(
        self, payload: bytes, assigned_id: str | None, received_at: int | None, recorded_at: int | None
    ) -> tuple[Record, Event] | None:
        self.sequence += 1
        event = decode_event(payload)
        if recorded_at is None:
            recorded_at = self.clock if event.occurred_at is None else to_millis(event.occurred_at)
            recorded_at = max(recorded_at, self.clock)
        record = _placed(self.sequence, payload, event, assigned_id, received_at, recorded_at).record
        if record.event_id in self._seen:
            return None
        self._seen.add(record.event_id)
        self.clock = max(self.clock, recorded_at)
        return record, event

    def skip(self) -> None:
        """A place that holds nothing at all."""
        self.sequence += 1
