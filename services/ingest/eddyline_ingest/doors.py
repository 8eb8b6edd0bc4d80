"""What a request passes through on its way in: closed until the bus and the inbox are there."""

from __future__ import annotations

from aiohttp import web
from nats.aio.client import Client

from eddyline_ingest.inbox import COME_BACK, Inbox
from eddyline_ingest.publishing import Publisher
from eddyline_runtime.clock import Clock
from eddyline_runtime.problems import Unavailable


class Doors:
    """Holds bus, inbox and publisher once they are there."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: tuple[Client, Inbox, Publisher] | None = None

    def open(self, bus: Client, inbox: Inbox, publisher: Publisher) -> None:
        """Let requests in."""
        self._open = bus, inbox, publisher

    def pass_through(self) -> tuple[Client, Inbox, Publisher, int]:
        """Bus, inbox, publisher and the time.

        Raises
        ------
        Unavailable
            While there is no bus or no inbox, or too much waits for them.
        """
        if self._open is None:
            raise Unavailable(f"the bus is away: {COME_BACK}")
        bus, inbox, publisher = self._open
        inbox.check()
        publisher.check()
        return bus, inbox, publisher, self._clock()


DOORS = web.AppKey("doors", Doors)
