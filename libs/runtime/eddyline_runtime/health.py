"""Live says that the loop turns; ready says that the service can do its work now, and if not, what it waits for."""

from __future__ import annotations


class Readiness:
    """Named conditions, each met or not; a service is ready when all are met."""

    def __init__(self, *conditions: str) -> None:
        self._met = dict.fromkeys(conditions, False)

    def set(self, condition: str, met: bool = True) -> None:
        """Say whether a condition holds."""
        self._met[condition] = met

    @property
    def waiting_for(self) -> list[str]:
        """The conditions that do not hold."""
        return [name for name, met in self._met.items() if not met]
