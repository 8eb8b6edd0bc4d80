"""Slates on their way to the inbox: behind the answer, in memory, sent again until the inbox has stored them.

Sending again uses the same id, so a slate whose acknowledgement was lost counts once. The buffer is bounded: when it
is full the oldest slate is given up and counted, since a newer one is more likely to be clicked yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice

from nats.errors import Error as BusError
from nats.js.client import JetStreamContext

from eddyline_contracts.candidates import Answered
from eddyline_contracts.events import encode
from eddyline_contracts.limits import MAX_EVENT_BYTES
from eddyline_contracts.subjects import MSG_ID, event_subject, message_id
from eddyline_ranker import metrics
from eddyline_ranker.bus_link import BusLink
from eddyline_ranker.skew import rows_of
from eddyline_ranker.slate import Ranking, served

log = logging.getLogger(__name__)

_AT_ONCE = 64
_ACKNOWLEDGED_WITHIN_S = 2.0
_BACKOFF_S = (0.05, 1.0)
_ROOM_FOR_HEADERS = 1024
_WITH_VECTORS = 1_000
"""While more slates wait, none of them is kept with its vectors: they weigh ten times as much as all the rest."""
_SUBJECT = event_subject("slate")


@dataclass(slots=True)
class _Letter:
    """A slate that is not stored yet; encoded when it is first sent, not while a client waits."""

    ranking: Ranking
    occurred_at: int
    vectors: Answered | None = None
    """To go along with it; let go of once it is encoded."""
    raw: bytes | None = None
    sent: bool = False


class Outbox:
    """Takes slates and gets them stored."""

    def __init__(self, link: BusLink, *, limit: int) -> None:
        self._link = link
        self._limit = limit
        self._letters: OrderedDict[str, _Letter] = OrderedDict()
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        metrics.SLATES_WAITING.set_function(self.__len__)

    def __len__(self) -> int:
        """Slates that are not stored yet."""
        return len(self._letters)

    def add(self, ranking: Ranking, occurred_at: int, vectors: Answered | None = None) -> None:
        """Take a slate, and the vectors that it was ranked by if they are to be logged with it; returns at once."""
        if vectors is not None and len(self._letters) >= _WITH_VECTORS:
            metrics.SKEW_SLATES.labels("waiting").inc()
            vectors = None
        self._letters[ranking.slate] = _Letter(ranking, occurred_at, vectors)
        if len(self._letters) > self._limit:
            self._letters.popitem(last=False)
            metrics.SLATES_DROPPED.labels("full").inc()
        self._filled.set()
        self._emptied.clear()

    async def run(self) -> None:
        """Send what comes in until cancelled."""
        js = (await self._link.first_connection()).jetstream(timeout=_ACKNOWLEDGED_WITHIN_S)
        shortest, longest = _BACKOFF_S
        pause = shortest
        while True:
            await self._filled.wait()
            if await self._send_some(js):
                pause = shortest
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)

    async def flush(self, within_s: float) -> None:
        """Wait until all is stored, at most so long; what is left then is lost, and said."""
        try:
            async with asyncio.timeout(within_s):
                await self._emptied.wait()
        except TimeoutError:
            lost = len(self._letters)
            metrics.SLATES_DROPPED.labels("stopped").inc(lost)
            log.error(
                "slates were not stored before the end: their clicks will train nothing",
                extra={"slates": lost},
            )

    async def _send_some(self, js: JetStreamContext) -> bool:
        """Send the oldest slates; tell whether any has left the buffer."""
        if not self._link.up:
            return False
        batch = list(islice(self._letters.items(), _AT_ONCE))
        done = await asyncio.gather(*(self._send(js, slate, letter) for slate, letter in batch))
        for (slate, letter), stored in zip(batch, done, strict=True):
            # It may have been given up meanwhile, or replaced by a later one of the same id.
            if stored and self._letters.get(slate) is letter:
                del self._letters[slate]
        if not self._letters:
            self._filled.clear()
            self._emptied.set()
        return any(done)

    async def _send(self, js: JetStreamContext, slate: str, letter: _Letter) -> bool:
        if letter.raw is None:
            letter.raw = self._encoded(letter)
        if len(letter.raw) > self._most():
            metrics.SLATES_DROPPED.labels("too_large").inc()
            log.error(
                "a slate is larger than the bus takes (`max_payload` of the NATS server), or than an event may be",
                extra={"slate": slate, "bytes": len(letter.raw), "most": self._most()},
            )
            return True
        if letter.sent:
            metrics.SLATES_RETRIED.inc()
        letter.sent = True
        try:
            await js.publish(_SUBJECT, letter.raw, headers={MSG_ID: message_id(slate)})
        except (TimeoutError, BusError, OSError) as error:
            log.debug(
                "a slate was not acknowledged: %s", error or type(error).__name__, extra={"slate": slate}
            )
            return False
        metrics.SLATES_STORED.inc()
        return True

    def _encoded(self, letter: _Letter) -> bytes:
        vectors, letter.vectors = letter.vectors, None
        if vectors is not None:
            rows = rows_of(vectors)
            if rows is not None:
                raw = encode(served(letter.ranking, letter.occurred_at, rows))
                if len(raw) <= self._most():
                    metrics.SKEW_SLATES.labels("logged").inc()
                    return raw
            metrics.SKEW_SLATES.labels("too_large").inc()
        return encode(served(letter.ranking, letter.occurred_at))

    def _most(self) -> int:
        """Bytes of the largest slate that is taken now: the bus refuses a larger one each time it is sent."""
        client = self._link.client
        return (
            MAX_EVENT_BYTES
            if client is None
            else min(MAX_EVENT_BYTES, client.max_payload - _ROOM_FOR_HEADERS)
        )
