"""How long to wait before a crashed process is started again."""

from __future__ import annotations


class Backoff:
    """Doubles the wait with every crash, up to a bound; a process that lived long enough starts over.

    Parameters
    ----------
    first_s
        Wait after the first crash.
    most_s
        The longest wait.
    healthy_after_s
        A process that lived this long was healthy: its next crash counts as the first.
    """

    def __init__(self, first_s: float = 0.2, most_s: float = 15.0, healthy_after_s: float = 30.0) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._healthy_after_s = healthy_after_s
        self._crashes = 0

    def after(self, lived_s: float) -> float:
        """Seconds to wait after a crash of a process that had lived for ``lived_s``."""
        if lived_s >= self._healthy_after_s:
            self._crashes = 0
        # The exponent is bounded too: a process that crashes for weeks must not overflow a float.
        wait = min(self._first_s * 2.0 ** min(self._crashes, 64), self._most_s)
        self._crashes += 1
        return wait
