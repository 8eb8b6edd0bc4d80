"""One thread for all that computes long, less urgent than whatever else runs on the machine.

Folding and training give the interpreter back while they compute, so health and metrics are answered meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Runs functions one after another. `close` waits for the one at hand, which should ask `stopping`."""

    def __init__(self, nice: int) -> None:
        self._stop = threading.Event()
        # On Linux niceness belongs to the thread.
        self._pool = ThreadPoolExecutor(1, "trainer", initializer=os.nice, initargs=(nice,))

    def stopping(self) -> bool:
        """Whether the function at hand should give up."""
        return self._stop.is_set()

    async def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in the thread and wait for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*args, **kwargs))

    async def close(self) -> None:
        """Ask the function at hand to give up and wait until it has."""
        self._stop.set()
        await asyncio.to_thread(self._pool.shutdown)
