"""What has left the catalogue since the model in service was made: for lists that are made without the feature-store.

The bundle's items were all in the catalogue at one place of the log, that of its cut; from there on item events are
read from the inbox, behind everything else, and of the bundle's items those are remembered that were removed. So memory
is bounded by the bundle, nothing is asked while somebody waits, and who has not heard everything yet says so. An item
that is upserted again is back only if that is surely later: the bus may bring an event a second time long after its
first, which the log then drops.

Of a bundle that is older than what the inbox holds, the feature-store is asked, once, while it is there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Set
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as BusError
from nats.errors import NoRespondersError
from nats.js.client import JetStreamContext

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.departures import DeparturesAnswer, DeparturesRequest, decode_answer, encode
from eddyline_contracts.events import ItemUpserted, to_millis
from eddyline_contracts.limits import Refusal
from eddyline_contracts.subjects import EVENT_ID, departures_subject
from eddyline_ranker import metrics
from eddyline_ranker.bus_link import BusLink
from eddyline_ranker.champion import ChampionWatch
from eddyline_ranker.item_events import LISTEN_S, ItemEvents, NotOnTheBus
from eddyline_ranker.model import Model

log = logging.getLogger(__name__)

_ANSWER_S = 1.0
_ASKED_AT_ONCE = 1_000
"""Items of one question to the feature-store: half a megabyte at most."""
_ASK_AGAIN_S = 1.0


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
    """Whether some of what came after ``through`` is not on the bus any more."""

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
    """Hears of removed items, and says which of a model's are.

    Parameters
    ----------
    view
        The declared one: whose feature-store is asked where nobody serves the model's.
    """

    def __init__(self, link: BusLink, champion: ChampionWatch, *, view: str) -> None:
        self._link = link
        self._champion = champion
        self._view = view
        self._heard: _Heard | None = None
        metrics.REMOVALS.set_function(lambda: 0 if self._heard is None else len(self._heard.removed))
        metrics.REMOVALS_CURRENT.set_function(self._all_known)

    def since(self, model: Model) -> Removed | None:
        """What of its items was removed since it was made; None while that is not known."""
        heard = self._heard
        if heard is None or heard.model is not model or not heard.complete:
            return None
        return Removed(heard.removed.keys(), heard.current and self._link.up)

    async def run(self) -> None:
        """Follow the inbox until cancelled."""
        client = await self._link.first_connection()
        js = client.jetstream(timeout=_ANSWER_S)
        while True:
            pause = LISTEN_S
            model = self._champion.model
            if model is not None and self._link.up:
                if self._heard is None or self._heard.model is not model:
                    self._heard = _Heard(model, model.priors_sequence)
                heard = self._heard
                try:
                    if heard.lost:
                        await self._ask(client, heard)
                    await self._follow(client, js, heard)
                except NotOnTheBus:
                    pause = self._lose(heard)
                except (TimeoutError, BusError, OSError, msgspec.MsgspecError) as error:
                    log.debug("removals cannot be read: %s", error or type(error).__name__)
                    pause = _ASK_AGAIN_S if heard.lost else LISTEN_S
            await asyncio.sleep(pause)

    def _all_known(self) -> bool:
        model = self._champion.model
        known = None if model is None else self.since(model)
        return known is not None and known.current

    def _lose(self, heard: _Heard) -> float:
        if heard.lost:
            return _ASK_AGAIN_S
        heard.lost, heard.complete = True, False
        log.info(
            "what was removed since the model was made is not all on the bus any more: asking the feature-store",
            extra={"model": heard.model.name, "known_through": heard.through},
        )
        return 0.0

    async def _follow(self, client: Client, js: JetStreamContext, heard: _Heard) -> None:
        """Read on from where it is known, until the model or the connection is another one."""
        reconnects = client.stats["reconnects"]
        events = await ItemEvents.open(js, heard.through)
        if events is None:
            return
        heard.lost = False
        try:
            while (
                self._champion.model is heard.model
                and self._link.up
                and client.stats["reconnects"] == reconnects
            ):
                read = await events.read()
                if read is None:
                    return
                for message in read.messages:
                    heard.hear(message)
                heard.through, heard.current = read.through, read.at_end
                heard.complete = heard.complete or read.at_end
        finally:
            heard.current = False
            if not client.is_closed:
                await events.close()

    async def _ask(self, client: Client, heard: _Heard) -> None:
        """Ask the feature-store which of the model's items are gone; from the place that it tells on the bus is read.

        Raises
        ------
        TimeoutError, nats.errors.Error, msgspec.MsgspecError
            If it does not answer.
        """
        now = time.time_ns() // 1_000_000
        removed: dict[str, int] = {}
        through: int | None = None
        items = iter(heard.model.priors)
        while some := list(islice(items, _ASKED_AT_ONCE)):
            answer = await self._asked(client, heard.model.view, DeparturesRequest(some))
            removed.update(dict.fromkeys(answer.gone, now))
            through = answer.sequence if through is None else min(through, answer.sequence)
        if through is not None:
            heard.removed, heard.through = removed, through

    async def _asked(self, client: Client, view: str, request: DeparturesRequest) -> DeparturesAnswer:
        raw = encode(request)
        try:
            told = await client.request(departures_subject(view), raw, timeout=_ANSWER_S)
        except NoRespondersError:
            # Every view's state is of the same log.
            told = await client.request(departures_subject(self._view), raw, timeout=_ANSWER_S)
        answer = decode_answer(told.data)
        if answer.error is not None:
            raise BusError(answer.error)
        return answer


def _stored_at(message: Msg) -> int:
    """When the bus stored it, in ms since the Unix epoch."""
    return int(message.metadata.timestamp.timestamp() * 1_000)


def _is_new(event: ItemUpserted, message: Msg) -> bool:
    """Whether it cannot be one that came before: its name was made for this message alone."""
    if event.id is not None:
        return False
    assigned = (message.headers or {}).get(EVENT_ID)
    if assigned is None:
        return True
    try:
        return UUID(assigned).version == 7
    except ValueError:
        # By an idempotency key: the same again for a request that is sent again.
        return False
