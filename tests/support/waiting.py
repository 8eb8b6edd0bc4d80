"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.005, 0.05
"""Who waits long asks seldom: health asked of six services all the time keeps them from starting."""


async def wait_until(condition: Callable[[], Any | Awaitable[Any]], deadline_s: float = 10.0) -> Any:
    """Return the first true value of ``condition()`` (which may be a coroutine function).

    Raises
    ------
    AssertionError
        If it stays false until the deadline.
    """
    end = time.monotonic() + deadline_s
    pause = _FIRST_PAUSE_S
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still false after {deadline_s} s: {inspect.getsource(condition).strip()}")
        await asyncio.sleep(pause)
        pause = min(_LAST_PAUSE_S, pause * 1.2)
