"""Long-running parts of a service beside the block that needs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

_ASK_AGAIN_S = 0.2


@asynccontextmanager
async def alongside(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the parts while the block runs.

    A fault in a part ends the block and is raised here, as it is where it stays alone. Leaving the block ends the
    parts and waits for them.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in parts]
            try:
                yield
            finally:
                await end(tasks)
    except BaseExceptionGroup as faults:
        if len(faults.exceptions) > 1:
            raise
        raise faults.exceptions[0] from None


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks until they have ended.

    Once is not enough: before Python 3.12 ``asyncio.wait_for`` can swallow a cancellation that comes together with
    its result, and the bus client swallows some too; the task then goes on as if nothing had been.
    """
    waiting = {task for task in tasks if not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=_ASK_AGAIN_S)
