"""Which interactions followed from a slate: by its name, or as the newest that showed the item to the person. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged, Record, decode_record
from eddyline_learning.pending import PendingSlate, pending_of, people
from eddyline_trainer.slate_papers import Followed

_PLAIN = re.compile(rb"[\w.:@-]+", re.ASCII)


class Following:
    """Reads the log around a slate: from the state that it was ranked by, and on.

    Its ranker publishes it behind the answer, so a fast click may stand in the log before it. Such a one is known only
    by the slate's name: whether an older slate showed the same item to the person is not looked for.

    Parameters
    ----------
    slate
        Whose interactions are wanted.
    window_ms
        How long its labels are awaited.
    """

    def __init__(self, slate: PendingSlate, window_ms: int) -> None:
        self._slate = slate
        self._window_ms = window_ms
        self._later: list[PendingSlate] = []
        """Of the same person."""
        self._people = set(slate.people)
        names = [name.encode() for name in {slate.id, *(name for _, name in slate.people)}]
        # An id that may be written in several ways in JSON cannot be looked for as bytes.
        self._needles = names if all(map(_PLAIN.fullmatch, names)) else None
        self.found: list[Followed] = []

    def read(self, records: Iterable[Record]) -> None:
        """Read on; the records come in the order of the log."""
        for record in records:
            if self._may_matter(record.payload):
                self._take(decode_record(record))

    def _may_matter(self, payload: bytes) -> bool:
        if self._needles is None or b"\\" in payload:
            return True
        return any(needle in payload for needle in self._needles)

    def _take(self, logged: Logged) -> None:
        event = logged.event
        if isinstance(event, SlateServed):
            if logged.sequence > self._slate.sequence and self._people & set(
                people(event.user, event.session)
            ):
                self._later.append(pending_of(logged, event))
        elif isinstance(event, InteractionRecorded):
            named = event.slate == self._slate.id
            if named or (
                event.slate is None
                and logged.sequence > self._slate.sequence
                and self._is_ours(logged, event)
            ):
                self.found.append(
                    Followed(
                        event=logged.id,
                        sequence=logged.sequence,
                        occurred_at=logged.occurred_at,
                        item=event.item,
                        action=event.action,
                        value=event.value,
                        named=named,
                        in_time=event.item in self._slate.places
                        and self._awaits(self._slate, logged.occurred_at),
                    )
                )

    def _is_ours(self, logged: Logged, event: InteractionRecorded) -> bool:
        who = set(people(event.user, event.session))
        showed = [
            slate
            for slate in [self._slate, *self._later]
            if event.item in slate.places
            and who & set(slate.people)
            and self._awaits(slate, logged.occurred_at)
        ]
        newest = max(showed, key=lambda slate: (slate.occurred_at, slate.sequence), default=None)
        return newest is self._slate

    def _awaits(self, slate: PendingSlate, occurred_at: int) -> bool:
        return slate.occurred_at <= occurred_at < slate.occurred_at + self._window_ms
