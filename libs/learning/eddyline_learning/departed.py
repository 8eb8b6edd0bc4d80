"""Items that left the catalogue between where the fold stands and where the log was read ahead to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Set

from eddyline_contracts.events import ItemUpserted
from eddyline_contracts.record import Logged


class Departed:
    """Remembers removed items until the fold knows of them: at most as many as were removed within a label window."""

    def __init__(self) -> None:
        self._at: OrderedDict[str, int] = OrderedDict()
        """Where in the log each was removed, the oldest first."""

    def __len__(self) -> int:
        return len(self._at)

    def hear(self, logged: Logged) -> None:
        """The next event of the log."""
        event = logged.event
        if isinstance(event, ItemUpserted):
            self._at.pop(event.item, None)
            if event.removed:
                self._at[event.item] = logged.sequence

    def forget(self, sequence: int) -> None:
        """The fold stands at this place, and knows what was removed up to it."""
        while self._at and next(iter(self._at.values())) <= sequence:
            self._at.popitem(last=False)

    def after(self, sequence: int) -> Set[str]:
        """Those that were removed after this place, and are not back."""
        return {item for item, at in self._at.items() if at > sequence}
