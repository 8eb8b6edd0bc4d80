"""Reading no faster than at a rate, for what is not urgent and would get in the way."""

from __future__ import annotations

import io
import time
from collections.abc import Callable


class Paced(io.BufferedIOBase):
    """Reads from ``source`` at most ``bytes_per_s`` on average, by sleeping; so use it in a thread.

    It never makes up for time in which nobody read.
    """

    def __init__(
        self, source: io.RawIOBase, bytes_per_s: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._source = source
        self._bytes_per_s = bytes_per_s
        self._sleep = sleep

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """See `io.BufferedIOBase.readinto`."""
        n = self._source.readinto(buffer) or 0
        if n:
            self._sleep(n / self._bytes_per_s)
        return n
