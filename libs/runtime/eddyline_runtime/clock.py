"""The one place that reads the time, so that tests can bring their own."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since the Unix epoch."""


def system_clock() -> int:
    """Now, in ms since the Unix epoch."""
    return time.time_ns() // 1_000_000
