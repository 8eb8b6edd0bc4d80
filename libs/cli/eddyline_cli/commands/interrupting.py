"""Ctrl-C and SIGTERM end a command alike; while something half-made could be left behind, they wait a moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupts:
    """Raises KeyboardInterrupt in the main thread when the process is asked to end."""

    def __init__(self) -> None:
        self._told = self._held = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within the block nothing is raised; at its end it is."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.check()

    def check(self) -> None:
        """Raise if we were told to end: an exception in a finaliser or callback may have been swallowed.

        Raises
        ------
        KeyboardInterrupt
            If so.
        """
        if self._told:
            raise KeyboardInterrupt

    @staticmethod
    def ignore() -> None:
        """From now on nothing interrupts: what is under way is the end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _hear(self, *_: object) -> None:
        self._told = True
        if not self._held:
            raise KeyboardInterrupt
