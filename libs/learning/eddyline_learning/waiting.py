"""Models that were added to the log, and wait until the slates before them are done with."""

from __future__ import annotations

from collections.abc import Mapping


class Waiting:
    """Models by name, with the places of the log where they came; the oldest first."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}

    @property
    def models(self) -> list[str]:
        """Their names."""
        return list(self._since)

    def add(self, model: str, sequence: int) -> None:
        """This one came at this place; nothing changes if it waits already."""
        self._since.setdefault(model, sequence)

    def pop(self, oldest_pending: int | None) -> list[str]:
        """Those that no undecided slate was served before, and let them go.

        Parameters
        ----------
        oldest_pending
            Place of the oldest slate whose labels are not known yet; None where there is no such slate.
        """
        free = [
            model for model, since in self._since.items() if oldest_pending is None or since < oldest_pending
        ]
        for model in free:
            del self._since[model]
        return free

    def as_json(self) -> dict[str, int]:
        """Everything."""
        return dict(self._since)

    def recall(self, told: Mapping[str, int]) -> None:
        """The inverse of `as_json`."""
        # In their order in the log: what keeps JSON need not keep the order of members.
        self._since = dict(sorted(told.items(), key=lambda of: of[1]))
