"""Texts of requests, read while somebody waits: what people ask for, as a vector.

Asked on the bus by whoever makes a slate, which then carries the vector: so a replay reads it, too, and runs no model.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from typing import NoReturn

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as BusError

from eddyline_contracts.subjects import embed_subject
from eddyline_encoder import metrics
from eddyline_encoder.worker import Worker
from eddyline_encoding.choosing import Source
from eddyline_encoding.facts import text_vector
from eddyline_runtime.bus import heard

log = logging.getLogger(__name__)
_KNOWN = 4_096
"""Texts whose vectors are kept: people ask for the same things."""
_MOST_BYTES = 4_096
_MOST_AT_ONCE = 64
"""Texts that wait to be read: whoever comes behind so many would have given up long before its turn."""
_QUEUE = "encoder"


class Answering:
    """Answers with ``<encoder>:<base64>``, or with nothing where a text cannot be read now.

    Parameters
    ----------
    worker
        Not one that is busy for long: somebody waits.
    """

    def __init__(self, client: Client, source: Source, worker: Worker) -> None:
        self._client = client
        self._source = source
        self._worker = worker
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._under_way: set[asyncio.Task[None]] = set()
        self._n_waiting = 0
        self.open = asyncio.Event()
        """Set once whoever asks is heard."""

    async def run(self) -> NoReturn:
        """Answer until cancelled."""
        subscription = await self._client.subscribe(embed_subject(), queue=_QUEUE, cb=self._take)
        try:
            with contextlib.suppress(TimeoutError, BusError):
                # Else the bus has it a moment later, or once it is back.
                await heard(self._client)
            self.open.set()
            await asyncio.Event().wait()
        finally:
            await subscription.unsubscribe()
        raise AssertionError

    async def _take(self, asked: Msg) -> None:
        # Not awaited: the bus hands out one message at a time.
        task = asyncio.create_task(self._answer(asked))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _answer(self, asked: Msg) -> None:
        try:
            told = await self.read(asked.data)
        except Exception:
            log.exception("a text of a request could not be read")
            told = ""
        if asked.reply:
            await asked.respond(told.encode())

    async def read(self, raw: bytes) -> str:
        """The vector of a text; empty where it cannot be read, or says nothing."""
        encoder = self._source.encoder
        try:
            text = raw.decode().strip()
        except UnicodeDecodeError:
            text = ""
        if encoder is None or not text or len(raw) > _MOST_BYTES:
            metrics.ANSWERS_REFUSED.inc()
            return ""
        key = encoder.id, text
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            metrics.ANSWERS_KNOWN.inc()
            return known
        if self._n_waiting >= _MOST_AT_ONCE:
            metrics.ANSWERS_REFUSED.inc()
            return ""
        self._n_waiting += 1
        try:
            (vector,) = await self._worker.do(encoder.embed, [text])
        finally:
            self._n_waiting -= 1
        told = text_vector(encoder.id, vector) if vector.any() else ""
        self._known[key] = told
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        metrics.ANSWERS_READ.inc()
        return told
