"""Connections to NATS with settings that notice a dead server in seconds and never give up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.aio.client import Client

log = logging.getLogger(__name__)


@asynccontextmanager
async def connected(url: str, name: str, *, pending_bytes: int = 64 * 1024 * 1024) -> AsyncIterator[Client]:
    """A client that reconnects for ever; waits for the first connection, too.

    A service started before the bus waits here instead of failing, so that order of starting does not matter.
    """

    told: set[str] = set()

    async def on_disconnect() -> None:
        log.warning("bus lost", extra={"client": name})

    async def on_reconnect() -> None:
        told.clear()
        log.info("bus back", extra={"client": name})

    async def on_error(error: Exception) -> None:
        # It tries ten times a second while the server is away; each reason is told once.
        reason = str(error) or type(error).__name__
        if reason not in told:
            told.add(reason)
            log.warning("bus error: %s", reason, extra={"client": name})

    client = await nats.connect(
        url,
        name=name,
        ping_interval=1,
        max_outstanding_pings=3,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.1,
        connect_timeout=2,
        allow_reconnect=True,
        pending_size=pending_bytes,
        disconnected_cb=on_disconnect,
        reconnected_cb=on_reconnect,
        error_cb=on_error,
    )
    try:
        yield client
    finally:
        if client.is_connected:
            try:
                async with asyncio.timeout(5):
                    await client.drain()
            except (TimeoutError, nats.errors.Error):
                log.warning("bus did not drain in time", extra={"client": name})
        if not client.is_closed:
            try:
                await client.close()
            except asyncio.CancelledError:
                # Closed in the moment in which it began to reconnect, the client trips over a wait that it has
                # cancelled itself; nobody has cancelled us.
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
            except OSError as error:
                # The server went in the same moment; there is nothing left to close.
                log.warning("bus went while closing: %s", error, extra={"client": name})


async def heard(client: Client) -> None:
    """Wait until the server has taken all that was sent to it: subscriptions get whatever is published from now on.

    nats-py writes the PING of a flush at once, and what was sent before it a step of the loop later: only a second PING
    is surely behind all of it.

    Raises
    ------
    nats.errors.Error
        If the server does not answer.
    """
    await client.flush()
    await client.flush()
