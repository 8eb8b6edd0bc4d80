"""Batches on the bus: each event on ``events.<type>``, acknowledged by JetStream.

Whether an event is well formed is decided by the log writer later, which tells nobody but the stream ``REJECTED``. So
the same check is made here before it is published, and its refusals are told at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import nats
from nats.aio.client import Client
from nats.js.errors import APIError

from eddyline_client.carrier import Again, Outcome, Refused, Stored
from eddyline_client.outgoing import Outgoing
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import type_of
from eddyline_contracts.limits import Refusal
from eddyline_contracts.public import check_public
from eddyline_contracts.subjects import EPOCH_METADATA, INBOX_STREAM, MSG_ID, event_subject, message_id

_EPOCH_BITS = 40
_CONNECT_S, _ACK_S = 2.0, 5.0


class BusCarrier:
    """Publishes over one connection, made at the first batch."""

    def __init__(self, url: str) -> None:
        self._urls = url.split(",")
        self._bus: Client | None = None
        self._epoch: int | None = None
        """Which life of the inbox the acknowledged places are of."""

    async def send(self, events: Sequence[Outgoing]) -> list[Outcome]:
        """See `Carrier`. All are published before the first acknowledgement is waited for."""
        try:
            bus = await self._connected()
            if self._epoch is None:
                self._epoch = await self._read_epoch(bus)
        except (OSError, nats.errors.Error, TimeoutError) as error:
            return [Again(f"the bus at {', '.join(self._urls)}: {error or type(error).__name__}")] * len(
                events
            )
        return await asyncio.gather(*(self._publish(bus, event) for event in events))

    async def close(self) -> None:
        """Let go of the connection."""
        if self._bus is not None:
            await self._bus.close()

    async def _connected(self) -> Client:
        if self._bus is None:
            self._bus = await nats.connect(
                self._urls,
                name="eddyline-client",
                connect_timeout=_CONNECT_S,
                ping_interval=2,
                max_outstanding_pings=2,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.25,
                reconnected_cb=self._reconnected,
                error_cb=_quiet,
            )
        return self._bus

    async def _reconnected(self) -> None:
        # The stream may be another one now.
        self._epoch = None

    async def _read_epoch(self, bus: Client) -> int:
        info = await bus.jetstream(timeout=_ACK_S).stream_info(INBOX_STREAM)
        metadata = info.config.metadata or {}
        if EPOCH_METADATA not in metadata:
            raise OSError("the inbox is not yet adopted: is the log writer running?")
        return int(metadata[EPOCH_METADATA])

    async def _publish(self, bus: Client, event: Outgoing) -> Outcome:
        try:
            decoded = decode_event(event.payload)
            # On the bus nobody else can tell a client from the ranker.
            check_public(decoded)
        except Refusal as refusal:
            return Refused(refusal.code, refusal.detail)
        subject, headers = event_subject(type_of(decoded)), {MSG_ID: message_id(event.id)}
        if len(event.payload) + 1_024 > bus.max_payload:
            return Refused(
                "event_too_large", f"the bus takes {bus.max_payload:,} bytes with headers: send less"
            )
        try:
            ack = await bus.jetstream(timeout=_ACK_S).publish(subject, event.payload, headers=headers)
        except APIError as error:
            return Again(f"the inbox does not take it: {error.description}", after_s=1.0)
        except (OSError, nats.errors.Error, TimeoutError) as error:
            return Again(f"not acknowledged by the bus: {error or type(error).__name__}")
        epoch = self._epoch
        return Stored(None if epoch is None else (epoch << _EPOCH_BITS) + ack.seq)


async def _quiet(_: Exception) -> None:
    """What fails is told by the outcomes."""
