"""Reading the inbox in its order: one pull request outstanding, an inbox of its own, a heartbeat.

Not the client's ``fetch``, which can stall after an empty one, nor redelivery, which breaks the order: whatever looks
odd ends this reader, and the next one starts after what the log has.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from types import TracebackType
from typing import NamedTuple

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from eddyline_contracts.subjects import INBOX_CONSUMER, INBOX_STREAM
from eddyline_ingest.jetstream import ApiError, api
from eddyline_ingest.log_writer import metrics

log = logging.getLogger(__name__)
HEARTBEAT_S = 0.5
_EXPIRES_S = 30.0
_CHECK_S = 0.25
_MAX_BYTES = 32 * 1024 * 1024
_NEXT = f"$JS.API.CONSUMER.MSG.NEXT.{INBOX_STREAM}.{INBOX_CONSUMER}"
# Expired, or cut short by its bounds: the request is over, and that is all.
_OVER = ("408", "404")
_OVER_409 = ("batch completed", "exceeds maxbytes")


class InboxLost(Exception):
    """This reader cannot go on: the connection, the server, the consumer or the order of messages changed."""


class Message(NamedTuple):
    """A message of the inbox."""

    number: int
    """The stream's own."""
    recorded_ns: int
    n_pending: int
    """How many came after it and were not sent yet when it was."""
    subject: str
    headers: dict[str, str] | None
    payload: bytes
    reply: str


class InboxReader:
    """Yields messages in order by `take`. Use it as a context manager; it serves one reading task."""

    def __init__(self, bus: Client, *, batch: int) -> None:
        self._bus = bus
        self._batch = batch
        self._waiting: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._lost: str | None = None
        self._asked = 0
        """Requests made so far: names the reply subject, so that a late status of an old one is known."""
        self._missing = 0
        """Messages that the outstanding request may still bring; 0 if there is none."""
        self._heard = 0.0
        self._consumed = 0
        """The consumer's number of the newest message: contiguous, or a message was lost on the way here."""
        self._number = 0
        self._subject = bus.new_inbox()
        self._subscription: Subscription | None = None
        self._reconnects = bus.stats["reconnects"]

    async def open(self, after: int) -> None:
        """Start after this number of the stream.

        Replaces the consumer, whose position and unacknowledged messages are those of a reader that is gone.
        """
        with contextlib.suppress(ApiError):
            await api(self._bus, f"CONSUMER.DELETE.{INBOX_STREAM}.{INBOX_CONSUMER}")
        self._number = after
        self._subscription = await self._bus.subscribe(
            # Bounded by what is asked for, and the client would drop silently at its own bound.
            f"{self._subject}.*",
            cb=self._arrive,
            pending_msgs_limit=0,
            pending_bytes_limit=0,
        )
        await api(
            self._bus,
            f"CONSUMER.CREATE.{INBOX_STREAM}.{INBOX_CONSUMER}",
            {
                "stream_name": INBOX_STREAM,
                "config": {
                    "name": INBOX_CONSUMER,
                    "durable_name": INBOX_CONSUMER,
                    "description": "the log writer; the log's cursor counts, not this consumer's",
                    "deliver_policy": "by_start_sequence",
                    "opt_start_seq": after + 1,
                    "ack_policy": "all",
                    # Never again by the server's own initiative: a new reader asks for what it needs.
                    "ack_wait": 24 * 3600 * 1_000_000_000,
                    "max_ack_pending": -1,
                    "max_waiting": 4,
                },
            },
        )
        await self._ask()

    async def close(self) -> None:
        """Stop listening; the consumer stays, to show how far the log is."""
        if self._subscription is not None:
            with contextlib.suppress(nats.errors.Error):
                await self._subscription.unsubscribe()
            self._subscription = None

    async def __aenter__(self) -> InboxReader:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def take(self, max_rows: int, max_bytes: int) -> list[Message]:
        """The next messages, at least one; waits for it. Past ``max_bytes`` it ends with the message at hand.

        Raises
        ------
        InboxLost
            When nothing more will come by this reader; what it gave before is good.
        """
        while not self._waiting:
            if self._lost is not None:
                raise InboxLost(self._lost)
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_S):
                    await self._arrived.wait()
            self._check()
        taken: list[Message] = []
        n_bytes = 0
        while self._waiting and len(taken) < max_rows and n_bytes < max_bytes:
            message = self._waiting.popleft()
            n_bytes += len(message.payload)
            taken.append(message)
        if self._missing == 0 and len(self._waiting) < self._batch and self._lost is None:
            await self._ask()
        return taken

    async def acknowledge(self, message: Message) -> None:
        """Show in the consumer's state that everything up to this message is in the log."""
        with contextlib.suppress(nats.errors.Error):
            await self._bus.publish(message.reply, b"+ACK")

    async def _ask(self) -> None:
        self._asked += 1
        self._missing = self._batch
        self._heard = asyncio.get_running_loop().time()
        request = {
            "batch": self._batch,
            # Less than one message of the largest size, and that message could never be pulled.
            "max_bytes": max(_MAX_BYTES, 2 * self._bus.max_payload),
            "expires": int(_EXPIRES_S * 1e9),
            "idle_heartbeat": int(HEARTBEAT_S * 1e9),
        }
        try:
            await self._bus.publish(
                _NEXT, msgspec.json.encode(request), reply=f"{self._subject}.{self._asked}"
            )
        except nats.errors.Error as error:
            self._lose(f"the next request could not be sent: {error}")

    def _check(self) -> None:
        if self._bus.stats["reconnects"] != self._reconnects or not self._bus.is_connected:
            # The server forgot the request with the connection.
            self._lose("the connection to the bus was lost")
        elif self._missing and asyncio.get_running_loop().time() - self._heard > HEARTBEAT_S * 4:
            self._lose("the bus is silent where it should give signs of life")

    async def _arrive(self, message: Msg) -> None:
        self._heard = asyncio.get_running_loop().time()
        if self._lost is not None:
            return
        # A status has no acknowledgement subject; a message has one whatever its headers claim.
        if not message.reply.startswith("$JS.ACK."):
            await self._status(message)
            return
        # $JS.ACK[.domain.account].stream.consumer.delivered.number.consumed.time.pending[.token]
        tokens = message.reply.split(".")
        at = 5 if len(tokens) == 9 else 7
        number, consumed = int(tokens[at]), int(tokens[at + 1])
        if consumed != self._consumed + 1 or number <= self._number:
            self._lose(f"message {number} came out of order")
            return
        if number > self._number + 1:
            metrics.LOST.inc(number - self._number - 1)
            log.error(
                "messages left the inbox before they reached the log: raise EDDYLINE_INBOX_MAX_AGE_S, or find "
                "out who deletes them",
                extra={"n_lost": number - self._number - 1, "after": self._number},
            )
        self._consumed, self._number = consumed, number
        self._missing -= 1
        self._waiting.append(
            Message(
                number,
                int(tokens[at + 2]),
                int(tokens[at + 3]),
                message.subject,
                message.headers,
                message.data,
                message.reply,
            )
        )
        self._arrived.set()
        if self._missing == 0 and len(self._waiting) < self._batch:
            await self._ask()

    async def _status(self, message: Msg) -> None:
        headers = message.headers or {}
        status, why = headers.get("Status", ""), headers.get("Description", "")
        if status == "100":
            return
        if not message.subject.endswith(f".{self._asked}"):
            return
        if status in _OVER or (status == "409" and why.lower().endswith(_OVER_409)):
            self._missing = 0
            if len(self._waiting) < self._batch:
                await self._ask()
            return
        self._lose(f"the bus ended the request: {status} {why}")

    def _lose(self, why: str) -> None:
        if self._lost is None:
            self._lost = why
        self._missing = 0
        self._arrived.set()
