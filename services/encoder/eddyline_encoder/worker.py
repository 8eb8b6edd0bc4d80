"""One thread for all that computes long, less urgent than whatever else runs on the machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Runs functions one after another."""

    def __init__(self, nice: int) -> None:
        # On Linux niceness belongs to the thread.
        self._pool = ThreadPoolExecutor(1, "encoder", initializer=os.nice, initargs=(nice,))

    async def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the thread and wait for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*args, **kwargs))

    async def close(self) -> None:
        """Wait for the function at hand."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
