"""Waiting for something that is away, ever longer, and saying so once instead of each time."""

from __future__ import annotations

import asyncio
import logging

log = logging.getLogger(__name__)


class Patience:
    """Backoff between tries; logs when an outage begins and when it is over."""

    def __init__(self, what: str, *, first_s: float = 0.05, longest_s: float = 1.0) -> None:
        self._what = what
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s
        self.waiting = False

    async def wait(self, error: BaseException | str) -> None:
        """Wait before the next try."""
        if not self.waiting:
            said = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
            log.warning("%s is away, waiting: %s", self._what, said)
        self.waiting = True
        await asyncio.sleep(self._next_s)
        self._next_s = min(self._next_s * 2, self._longest_s)

    def over(self) -> None:
        """It went through."""
        if self.waiting:
            log.info("%s is back", self._what)
        self.waiting = False
        self._next_s = self._first_s
