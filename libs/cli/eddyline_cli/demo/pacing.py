"""Keeps a fast replay from outrunning the trainer: it pauses when the trainer is far behind, within bounds.

A pause changes nothing in the order of events, and hides nothing: real events come slower than a replay. It is
counted and reported.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

Position = Callable[[], Awaitable[int | None]]


class Pacing:
    """Pauses while the trainer is more than ``most_behind`` places behind.

    Parameters
    ----------
    trainer
        How far the trainer has read the log; None when it does not say.
    most_behind
        Places of the log.
    at_once_s, in_all_s
        The longest pause, and the sum of all pauses.
    """

    def __init__(
        self, trainer: Position, *, most_behind: int, at_once_s: float = 15.0, in_all_s: float = 60.0
    ) -> None:
        self._trainer = trainer
        self._most_behind = most_behind
        self._at_once_s = at_once_s
        self._in_all_s = in_all_s
        self.paused_s = 0.0

    async def keep(self, sequence: int) -> None:
        """Pause if need be; ``sequence`` is the newest place that was sent."""
        began = time.monotonic()
        most = min(self._at_once_s, self._in_all_s - self.paused_s)
        while (spent := time.monotonic() - began) < most:
            at = await self._trainer()
            if at is None or sequence - at <= self._most_behind:
                break
            await asyncio.sleep(0.05)
        if spent > 0.04:
            self.paused_s += spent
