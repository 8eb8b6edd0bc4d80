"""The two ways of storing messages in the inbox: as one atomic batch, or each by itself with many under way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import msgspec
import nats.errors
import uuid_utils
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from eddyline_ingest.checking import Message
from eddyline_ingest.jetstream import ApiError, checked


class Answer(Struct, frozen=True):
    """The bus has stored a message."""

    seq: int
    """Its number in the stream; of a duplicate, that of the first one."""
    duplicate: bool = False


class _Answer(Struct):
    seq: int = 0
    duplicate: bool = False
    error: Any = None


_decoder = msgspec.json.Decoder(_Answer)


async def store_atomically(bus: Client, messages: Sequence[Message], timeout_s: float) -> int:
    """Store all or none; the number of the last one, those before it having the numbers before.

    Raises
    ------
    ApiError
        If the bus refuses the batch: none is stored.
    nats.errors.Error
        If there is no answer: all may be stored, or none.
    """
    batch = uuid_utils.uuid7().hex
    for number, message in enumerate(messages[:-1], 1):
        headers = message.headers | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        await bus.publish(message.subject, message.payload, headers=headers)
    last = messages[-1]
    headers = last.headers | {
        "Nats-Batch-Id": batch,
        "Nats-Batch-Sequence": str(len(messages)),
        "Nats-Batch-Commit": "1",
    }
    answer = await bus.request(last.subject, last.payload, timeout=timeout_s, headers=headers)
    number = checked(answer.data)["seq"]
    assert isinstance(number, int)
    return number


class Pipeline:
    """Stores messages each by itself, without waiting for one before sending the next. One `store` at a time."""

    def __init__(self, bus: Client) -> None:
        self._bus = bus
        self._inbox = bus.new_inbox()
        self._subscription: Subscription | None = None
        self._round = 0
        self._answers: list[Answer | Exception | None] = []
        self._n_missing = 0
        self._changed = asyncio.Event()

    async def store(self, messages: Sequence[Message], timeout_s: float) -> list[Answer | Exception | None]:
        """What became of each, in order: stored, refused, or none if there was no answer in time.

        ``timeout_s`` is how long the bus may stay silent, not how long all may take.

        Raises
        ------
        nats.errors.Error
            If they cannot be sent: some may be stored.
        """
        if self._subscription is None:
            # Bounded by what is sent, and the client would drop answers at its own bound.
            self._subscription = await self._bus.subscribe(
                f"{self._inbox}.*", cb=self._take, pending_msgs_limit=0, pending_bytes_limit=0
            )
        # An answer that comes after its time names a round that is over.
        self._round += 1
        self._answers = [None] * len(messages)
        self._n_missing = len(messages)
        prefix = f"{self._inbox}.{self._round}-"
        for index, message in enumerate(messages):
            await self._bus.publish(
                message.subject, message.payload, reply=f"{prefix}{index}", headers=message.headers
            )
        while self._n_missing:
            self._changed.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                break
        self._round += 1
        return self._answers

    async def close(self) -> None:
        """Stop listening for answers."""
        if self._subscription is not None:
            with contextlib.suppress(nats.errors.Error):
                await self._subscription.unsubscribe()

    async def _take(self, message: Msg) -> None:
        of_round, _, index = message.subject.rpartition(".")[2].partition("-")
        if int(of_round) != self._round:
            return
        at = int(index)
        if self._answers[at] is None:
            self._answers[at] = _told(message)
            self._n_missing -= 1
        self._changed.set()


def _told(message: Msg) -> Answer | Exception:
    if message.headers and message.headers.get("Status") == "503":
        return nats.errors.NoRespondersError()
    try:
        answer = _decoder.decode(message.data)
        if answer.error is not None:
            checked(message.data)
    except (ApiError, msgspec.MsgspecError) as error:
        return error
    return Answer(answer.seq, answer.duplicate)
