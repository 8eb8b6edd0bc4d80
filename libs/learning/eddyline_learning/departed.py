"""Items that left the catalogue between where the fold stands and where the log was read ahead to."""

from __future__ import annotations

from collections.abc import Set

from eddyline_contracts.events import ItemUpserted
from eddyline_contracts.record import Logged


class Departed:
    """Remembers removed items until the fold knows of them: at most as many as were removed within a label window."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}
        """Where in the log each was removed."""

    def hear(self, logged: Logged) -> None:
        """The next event of the log."""
        event = logged.event
        if isinstance(event, ItemUpserted):
            if event.removed:
                self._at[event.item] = logged.sequence
            else:
                self._at.pop(event.item, None)

    def after(self, sequence: int) -> Set[str]:
        """Those that were removed after this place, and are not back; forgets all others."""
        self._at = {item: at for item, at in self._at.items() if at > sequence}
        return self._at.keys()
