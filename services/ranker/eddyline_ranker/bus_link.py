"""The ranker's line to the bus, which may be away: then it is not waited for, neither at the start nor by a request."""

from __future__ import annotations

import asyncio

from nats.aio.client import Client

from eddyline_runtime.bus import connected


class BusLink:
    """Connects in the background and for ever; `client` is there from the first connection on."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._first = asyncio.Event()
        self.client: Client | None = None

    @property
    def up(self) -> bool:
        """Whether something published now goes out now.

        While the client reconnects it would buffer what is published and send it later, when nobody waits for it.
        """
        return self.client is not None and self.client.is_connected

    async def first_connection(self) -> Client:
        """The client, once there is one."""
        await self._first.wait()
        assert self.client is not None
        return self.client

    async def run(self) -> None:
        """Hold the connection until cancelled."""
        async with connected(self._url, self._name) as client:
            self.client = client
            self._first.set()
            await asyncio.Event().wait()
