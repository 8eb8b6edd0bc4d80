"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def wait_until(condition: Callable[[], Any | Awaitable[Any]], deadline_s: float = 10.0) -> Any:
    """Return the first true value of ``condition()`` (which may be a coroutine function).

    Raises
    ------
    AssertionError
        If it stays false until the deadline.
    """
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still false after {deadline_s} s: {inspect.getsource(condition).strip()}")
        await asyncio.sleep(0.005)
