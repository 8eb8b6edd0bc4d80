"""What ingest knows of the inbox: whether it is there, and the epoch that turns its numbers into places of the log."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from nats.aio.client import Client

from eddyline_contracts.record import sequence_of
from eddyline_contracts.subjects import EPOCH_METADATA, INBOX_STREAM
from eddyline_ingest.jetstream import ApiError, api, is_transient
from eddyline_runtime.health import Readiness
from eddyline_runtime.problems import Unavailable

log = logging.getLogger(__name__)
BUS, INBOX = "bus", "inbox"
_EVERY_S = 1.0
_FIRST_S = 0.1
COME_BACK = (
    "send the request again: events that carry an id are safe to repeat, and so are those of a request "
    "with an Idempotency-Key"
)


class Inbox:
    """Watches the stream that the log writer makes and owns."""

    def __init__(self, bus: Client, readiness: Readiness) -> None:
        self._bus = bus
        self._readiness = readiness
        self._epoch: int | None = None
        self._newest = 0

    async def run(self) -> NoReturn:
        """Keep what is known up to date, for ever."""
        while True:
            self._readiness.set(BUS, self._bus.is_connected)
            try:
                await self.refresh()
            except Exception as error:
                if not is_transient(error) and not isinstance(error, ApiError):
                    raise
                self._readiness.set(INBOX, False)
            # Looks away only for a moment until it has seen the stream once.
            await asyncio.sleep(_EVERY_S if self._epoch is not None else _FIRST_S)

    async def refresh(self) -> None:
        """Ask the bus once."""
        info = await api(self._bus, f"STREAM.INFO.{INBOX_STREAM}", timeout_s=2)
        said = (info["config"].get("metadata") or {}).get(EPOCH_METADATA, "")
        epoch = int(said) if said.isdigit() else None
        if epoch != self._epoch:
            log.info("the inbox is of epoch %s", epoch)
            self._newest = 0
        self._epoch = epoch
        self._readiness.set(INBOX, epoch is not None)

    def check(self) -> None:
        """Say what a client should hear while there is no inbox.

        Raises
        ------
        Unavailable
            If none has been seen yet.
        """
        if self._epoch is None:
            raise Unavailable(f"the inbox is not there yet, the log writer makes it: {COME_BACK}")

    async def stored(self, number: int) -> None:
        """Tell of each newly stored message, or of the last of several, in the order in which they were stored."""
        if number <= self._newest:
            # Numbers begin again when the stream is made anew, and that is another epoch.
            self._newest = 0
            try:
                await self.refresh()
            except Exception as error:
                if not is_transient(error) and not isinstance(error, ApiError):
                    raise
        self._newest = max(self._newest, number)

    def sequence(self, number: int) -> int:
        """Place in the log of the message with this number in the stream."""
        self.check()
        assert self._epoch is not None
        return sequence_of(self._epoch, number)
