"""What anybody may send: one rule for every door that can refuse at once (ingest, files, the client)."""

from __future__ import annotations

from eddyline_contracts.events import PUBLIC_TYPES, Event, SlateServed, type_of
from eddyline_contracts.limits import InvalidEvent, Refusal


class InternalType(Refusal):
    """An event that only Eddyline's own services write."""

    code = "internal_type"


def check_public(event: Event) -> None:
    """Let pass what a client may send.

    Raises
    ------
    InternalType, InvalidEvent
        If it claims to come from one of Eddyline's own services.
    """
    if not isinstance(event, PUBLIC_TYPES):
        raise InternalType(
            f"`{type_of(event)}` is written by Eddyline itself: leave it out; "
            "item, user, slate and interaction are taken"
        )
    if isinstance(event, SlateServed):
        # With either of the first two, the trainer would take it for one of the ranker's, whose vectors it knows.
        ours = (event.features_sequence, event.policy, event.served_vectors)
        if any(member is not None for member in ours):
            raise InvalidEvent(
                "`features_sequence`, `policy` and `served_vectors` are written by the ranker only: leave them out"
            )
