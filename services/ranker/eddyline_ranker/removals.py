"""What has left the catalogue since the model in service was made: for lists that are made without the feature-store.

The bundle's items were all in the catalogue at one place of the log, that of its cut; from there on item events are
read from the inbox, behind everything else, and of the bundle's items those are remembered that were removed. So memory
is bounded by the bundle, nothing is asked while somebody waits, and who has not heard everything yet says so. An item
that is upserted again is back only if that is surely later: the bus may bring an event a second time long after its
first, which the log then drops.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as BusError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import ItemUpserted, to_millis
from eddyline_contracts.limits import Refusal
from eddyline_contracts.record import EPOCH_SHIFT, sequence_of
from eddyline_contracts.subjects import EPOCH_METADATA, EVENT_ID, INBOX_STREAM, event_subject
from eddyline_ranker import metrics
from eddyline_ranker.bus_link import BusLink
from eddyline_ranker.champion import ChampionWatch
from eddyline_ranker.model import Model

log = logging.getLogger(__name__)

_ANSWER_S = 1.0
_LISTEN_S = 0.25
"""How long one request for more stays open: a new model is noticed within it."""
_CHECK_S = 2.0
"""How often a quiet inbox is asked whether it is quiet."""
_AT_ONCE, _PAUSE_S = 32, 0.01
"""A catalogue that is loaded anew takes an eighth of the loop's time at most: requests go first."""
_FORGOTTEN_S = 30.0


@dataclass(frozen=True, slots=True)
class Removed:
    """What is known of a model's items."""

    items: Set[str]
    """That were removed since it was made."""
    current: bool
    """Whether these are all; else all but what was removed since the bus was lost."""


@dataclass(slots=True)
class _Heard:
    """What the inbox tells of the items of one model."""

    model: Model
    through: int
    """Log position up to which everything is known."""
    removed: dict[str, int] = field(default_factory=dict)
    """When each was, in ms since the Unix epoch."""
    complete: bool = False
    """Whether the inbox's end was reached once."""
    current: bool = False
    """Whether nothing was waiting there when it was last looked at."""
    lost: bool = False
    """Whether some of what came after the model was made is not on the bus any more."""

    def hear(self, message: Msg) -> None:
        """The next item event."""
        raw = message.data
        # Most say nothing of it, and decoding them takes longer than all the rest.
        if not self.removed and b'"removed"' not in raw and b"\\u" not in raw:
            return
        try:
            event = decode_event(raw)
        except Refusal:
            # The log does not take it either.
            return
        if not isinstance(event, ItemUpserted) or event.item not in self.model.priors:
            return
        told = None if event.occurred_at is None else to_millis(event.occurred_at)
        if event.removed:
            self.removed[event.item] = _stored_at(message) if told is None else told
        elif event.item in self.removed and (
            _is_new(event, message) or (told is not None and told > self.removed[event.item])
        ):
            del self.removed[event.item]


class Removals:
    """Hears of removed items, and says which of a model's are."""

    def __init__(self, link: BusLink, champion: ChampionWatch) -> None:
        self._link = link
        self._champion = champion
        self._heard: _Heard | None = None
        metrics.REMOVALS.set_function(lambda: 0 if self._heard is None else len(self._heard.removed))
        metrics.REMOVALS_CURRENT.set_function(
            lambda: self._heard is not None and self._is_current(self._heard)
        )

    def since(self, model: Model) -> Removed | None:
        """What of its items was removed since it was made; None while that is not known."""
        heard = self._heard
        if heard is None or heard.model is not model or not heard.complete or heard.lost:
            return None
        return Removed(heard.removed.keys(), self._is_current(heard))

    async def run(self) -> None:
        """Follow the inbox until cancelled."""
        client = await self._link.first_connection()
        js = client.jetstream(timeout=_ANSWER_S)
        while True:
            model = self._champion.model
            if model is not None and self._link.up:
                if self._heard is None or self._heard.model is not model:
                    self._heard = _Heard(model, model.priors_sequence)
                try:
                    await self._follow(client, js, self._heard)
                except (TimeoutError, BusError, OSError) as error:
                    log.debug("the inbox cannot be read: %s", error or type(error).__name__)
            await asyncio.sleep(_LISTEN_S)

    def _is_current(self, heard: _Heard) -> bool:
        return heard.current and self._link.up

    async def _follow(self, client: Client, js: JetStreamContext, heard: _Heard) -> None:
        """Read on from where it is known, until the model or the connection is another one."""
        if heard.lost:
            return
        reconnects = client.stats["reconnects"]
        info = await js.stream_info(INBOX_STREAM)
        told = (info.config.metadata or {}).get(EPOCH_METADATA, "")
        if not told.isdigit():
            # The log writer has not taken the stream over yet.
            return
        epoch, (made_in, number) = int(told), divmod(heard.through, 1 << EPOCH_SHIFT)
        if made_in != epoch or info.state.first_seq > number + 1:
            heard.lost = True
            log.warning(
                "what was removed since the model was made is not on the bus any more: recommendations without the "
                "feature-store stay empty until the next model",
                extra={"model": heard.model.name, "made_at": heard.through},
            )
            return
        subscription = await js.pull_subscribe(
            event_subject("item"), stream=INBOX_STREAM, config=_from(number + 1)
        )
        try:
            reader = _Reader(js, subscription, heard, epoch)
            while (
                self._champion.model is heard.model
                and self._link.up
                and client.stats["reconnects"] == reconnects
                and await reader.read()
            ):
                pass
        finally:
            heard.current = False
            if not client.is_closed:
                await subscription.unsubscribe()


class _Reader:
    """Reads the item events of the inbox in their order."""

    def __init__(
        self, js: JetStreamContext, subscription: JetStreamContext.PullSubscription, heard: _Heard, epoch: int
    ) -> None:
        self._js = js
        self._subscription = subscription
        self._heard = heard
        self._epoch = epoch
        self._n_read = 0
        self._check_at = 0.0

    async def read(self) -> bool:
        """Wait a moment for more; tell whether to go on. Where one was lost on the way, another reader must."""
        heard = self._heard
        if not heard.current and time.monotonic() >= self._check_at and not await self._check():
            return False
        try:
            messages = await self._subscription.fetch(_AT_ONCE, timeout=_LISTEN_S)
        except TimeoutError:
            return time.monotonic() < self._check_at or await self._check()
        for message in messages:
            told = message.metadata
            self._n_read += 1
            if told.sequence.consumer != self._n_read:
                return False
            heard.hear(message)
            heard.through = max(heard.through, sequence_of(self._epoch, told.sequence.stream))
            heard.current = told.num_pending == 0
        heard.complete = heard.complete or heard.current
        await asyncio.sleep(_PAUSE_S)
        return True

    async def _check(self) -> bool:
        """Look whether all was read; tell whether to go on."""
        self._check_at = time.monotonic() + _CHECK_S
        heard = self._heard
        end = (await self._js.stream_info(INBOX_STREAM)).state.last_seq
        consumer = await self._subscription.consumer_info()
        if consumer.delivered is None or consumer.delivered.consumer_seq != self._n_read:
            return False
        heard.current = not consumer.num_pending
        if heard.current:
            heard.complete = True
            heard.through = max(heard.through, sequence_of(self._epoch, end))
        return True


def _from(number: int) -> ConsumerConfig:
    """A consumer that nobody has to delete, from this message of the stream on."""
    return ConsumerConfig(
        description="a ranker: which items were removed since its model was made",
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=number,
        ack_policy=AckPolicy.NONE,
        mem_storage=True,
        num_replicas=1,
        inactive_threshold=_FORGOTTEN_S,
    )


def _stored_at(message: Msg) -> int:
    """When the bus stored it, in ms since the Unix epoch."""
    return int(message.metadata.timestamp.timestamp() * 1_000)


def _is_new(event: ItemUpserted, message: Msg) -> bool:
    """Whether it cannot be one that came before: its name was made for this message alone."""
    if event.id is not None:
        return False
    headers: dict[str, Any] = message.headers or {}
    assigned = headers.get(EVENT_ID)
    if assigned is None:
        return True
    try:
        return UUID(assigned).version == 7
    except ValueError:
        # By an idempotency key: the same again for a request that is sent again.
        return False
