"""Reads the next batches on a thread while one is being sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

from eddyline_cli.sending.batches import batches
from eddyline_cli.sending.event_lines import Line
from eddyline_cli.sending.translated import LineSource

_AHEAD = 2


async def read_ahead(file: LineSource) -> AsyncIterator[tuple[int, list[Line]]]:
    """Batches of a file, each with how many bytes of it had been read by then.

    The thread is a daemon: interrupting must not wait for standard input to bring its next line.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[int, list[Line]] | Exception | None] = asyncio.Queue()
    room = threading.Semaphore(_AHEAD)

    def put(found: tuple[int, list[Line]] | Exception | None) -> None:
        # Raises when the loop is closed: then nobody waits for it.
        loop.call_soon_threadsafe(queue.put_nowait, found)

    def read() -> None:
        try:
            for batch in batches(file.lines()):
                room.acquire()
                put((file.position(), batch))
            put(None)
        except RuntimeError:
            return
        except Exception as error:
            put(error)

    threading.Thread(target=read, name="read-ahead", daemon=True).start()
    while (found := await queue.get()) is not None:
        if isinstance(found, Exception):
            raise found
        yield found
        room.release()
