"""The item events of the inbox in their order, behind everything else that a ranker does.

An unnamed consumer in the bus's memory; whatever looks odd ends a reader, and the next one begins after what is known.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from eddyline_contracts.record import EPOCH_SHIFT, sequence_of
from eddyline_contracts.subjects import EPOCH_METADATA, INBOX_STREAM, event_subject

LISTEN_S = 0.25
"""How long one request for more stays open: whoever reads looks up so often."""
_CHECK_S = 2.0
"""How often a quiet inbox is asked whether it is quiet."""
_AT_ONCE, _PAUSE_S = 32, 0.01
"""A catalogue that is loaded anew takes an eighth of the loop's time at most: requests go first."""
_FORGOTTEN_S = 30.0


class NotOnTheBus(Exception):
    """Some of what came after a place of the log is not in the inbox any more, or never was in this one."""


@dataclass(slots=True)
class Events:
    """What was read."""

    messages: list[Msg]
    through: int
    """Log position up to which every item event was read."""
    at_end: bool
    """Whether there was nothing more."""


class ItemEvents:
    """Reads on by `read`, until `close`."""

    def __init__(
        self,
        js: JetStreamContext,
        subscription: JetStreamContext.PullSubscription,
        epoch: int,
        after: int,
    ) -> None:
        self._js = js
        self._subscription = subscription
        self._epoch = epoch
        self._through = after
        self._at_end = False
        self._n_read = 0
        self._check_at = 0.0

    @classmethod
    async def open(cls, js: JetStreamContext, after: int) -> ItemEvents | None:
        """Begin after this place of the log; None while the log writer has not taken the stream over.

        Raises
        ------
        NotOnTheBus
            If something may have come after it that is not there.
        nats.errors.Error
            If the bus does not answer.
        """
        info = await js.stream_info(INBOX_STREAM)
        told = (info.config.metadata or {}).get(EPOCH_METADATA, "")
        if not told.isdigit():
            return None
        epoch, number = divmod(after, 1 << EPOCH_SHIFT)
        if epoch != int(told) or info.state.first_seq > number + 1:
            raise NotOnTheBus
        config = ConsumerConfig(
            description="a ranker: which items were removed since its model was made",
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=number + 1,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=_FORGOTTEN_S,
        )
        subscription = await js.pull_subscribe(event_subject("item"), stream=INBOX_STREAM, config=config)
        return cls(js, subscription, epoch, after)

    async def close(self) -> None:
        """Read no more; the bus forgets the consumer by itself."""
        await self._subscription.unsubscribe()

    async def read(self) -> Events | None:
        """Wait a moment for more; None where one was lost on the way, and another reader must begin."""
        if not self._at_end and time.monotonic() >= self._check_at and not await self._looked():
            return None
        messages: list[Msg] = []
        try:
            messages = await self._subscription.fetch(_AT_ONCE, timeout=LISTEN_S)
        except TimeoutError:
            if time.monotonic() >= self._check_at and not await self._looked():
                return None
        for message in messages:
            told = message.metadata
            self._n_read += 1
            if told.sequence.consumer != self._n_read:
                return None
            self._through = max(self._through, sequence_of(self._epoch, told.sequence.stream))
            self._at_end = told.num_pending == 0
        if messages:
            await asyncio.sleep(_PAUSE_S)
        return Events(messages, self._through, self._at_end)

    async def _looked(self) -> bool:
        """Look whether all was read; tell whether nothing was lost."""
        self._check_at = time.monotonic() + _CHECK_S
        end = (await self._js.stream_info(INBOX_STREAM)).state.last_seq
        consumer = await self._subscription.consumer_info()
        if consumer.delivered is None or consumer.delivered.consumer_seq != self._n_read:
            return False
        self._at_end = not consumer.num_pending
        if self._at_end:
            self._through = max(self._through, sequence_of(self._epoch, end))
        return True
