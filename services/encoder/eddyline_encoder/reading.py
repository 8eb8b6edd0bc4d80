"""What is unread is read, the newest first, within a CPU budget, and logged.

A vector is known to be in the log when the log says so; until then its item counts as being on its way. The inbox drops
what it has already, and so does the log writer, so nothing here has to be remembered over a restart.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import NoReturn

from nats.aio.client import Client
from nats.errors import Error as BusError

from eddyline_contracts.events import ItemEmbedded, encode
from eddyline_contracts.subjects import MSG_ID, event_subject, message_id
from eddyline_encoder import metrics
from eddyline_encoder.following import Following
from eddyline_encoder.on_their_way import MOST, ON_ITS_WAY_S, OnTheirWay
from eddyline_encoder.worker import Worker
from eddyline_encoding.choosing import Source
from eddyline_encoding.encoder import Encoder
from eddyline_encoding.facts import fact_id, facts_of
from eddyline_encoding.shelf import Unread
from eddyline_eventlog.patience import Patience

log = logging.getLogger(__name__)
_SUBJECT = event_subject("item_embedded")
_ACKNOWLEDGED_WITHIN_S = 2.0


class Reading:
    """Reads until it is cancelled."""

    def __init__(
        self,
        following: Following,
        source: Source,
        client: Client,
        worker: Worker,
        *,
        batch: int,
        cpu_percent: int,
    ) -> None:
        self._following = following
        self._source = source
        self._client = client
        self._worker = worker
        self._batch = batch
        self._rest = 100.0 / cpu_percent - 1.0
        self._on_their_way = OnTheirWay()
        self.n_read = 0

    @property
    def encoder(self) -> Encoder | None:
        """The one that reads now."""
        return self._source.encoder

    async def run(self) -> NoReturn:
        """Wait until the log is known, then read."""
        await self._following.caught_up.wait()
        while True:
            self._following.moved.clear()
            await self._settle()
            unread = self._next()
            if unread:
                await self._read(unread)
                continue
            try:
                async with asyncio.timeout(ON_ITS_WAY_S / 2):
                    await self._following.moved.wait()
            except TimeoutError:
                pass

    async def _settle(self) -> None:
        before = self._source.encoder
        await self._worker.do(self._source.settle)
        encoder = self._source.encoder
        if encoder is None:
            return
        if encoder is not before:
            metrics.FITS.inc()
        self._following.shelf.read_by(encoder.id)
        metrics.UNREAD.set(self._following.shelf.n_unread)

    def _next(self) -> list[Unread]:
        encoder = self._source.encoder
        if encoder is None:
            return []
        self._on_their_way.forget(time.monotonic())
        found: list[Unread] = []
        n_on_their_way = 0
        for unread in self._following.shelf.unread():
            if fact_id(unread.item, encoder.id, unread.digest, unread.replaces) not in self._on_their_way:
                found.append(unread)
            else:
                n_on_their_way += 1
            if len(found) == self._batch or n_on_their_way == MOST:
                break
        return found

    async def _read(self, unread: Sequence[Unread]) -> None:
        encoder = self._source.encoder
        assert encoder is not None
        began = time.perf_counter()
        facts = await self._worker.do(facts_of, encoder, unread)
        took = time.perf_counter() - began
        metrics.BATCH_SECONDS.observe(took)
        metrics.READ.inc(len(unread))
        self.n_read += len(unread)
        await self._log(facts)
        # Rested after every batch, even the last one: the next text may come at any moment.
        await asyncio.sleep(took * self._rest)

    async def _log(self, facts: Sequence[ItemEmbedded]) -> None:
        """Have all of them stored, however long that takes."""
        js = self._client.jetstream(timeout=_ACKNOWLEDGED_WITHIN_S)
        patience = Patience("inbox")
        waiting = list(facts)
        while waiting:
            done = await asyncio.gather(
                *(
                    js.publish(_SUBJECT, encode(fact), headers={MSG_ID: message_id(fact.id or "")})
                    for fact in waiting
                ),
                return_exceptions=True,
            )
            failed = []
            for fact, answer in zip(waiting, done, strict=True):
                if not isinstance(answer, BaseException):
                    self._on_their_way.add(fact.id or "", time.monotonic())
                    metrics.STORED.inc()
                elif isinstance(answer, (TimeoutError, BusError, OSError)):
                    failed.append(fact)
                else:
                    raise answer
            if failed:
                metrics.RETRIED.inc()
                await patience.wait(next(a for a in done if isinstance(a, BaseException)))
            waiting = failed
        patience.over()
