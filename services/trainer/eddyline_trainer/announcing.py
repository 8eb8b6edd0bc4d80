"""The bus made to agree with the registry: the champion's bundle, its key, and the event that tells of it.

Looked at on a slow beat and after every promotion, step by step in this order, each harmless to repeat: so a trainer
that died between two steps, and a bus that lost its memory, end in the same state. The key comes after the bundle
that it names, and the event is sent until the log has it.
"""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec
from nats.aio.client import Client
from nats.errors import Error as BusError
from nats.js import api
from nats.js.client import JetStreamContext
from nats.js.errors import KeyNotFoundError, NotFoundError, ObjectNotFoundError
from nats.js.kv import KeyValue
from nats.js.object_store import ObjectStore

from eddyline_contracts.subjects import (
    BUNDLES_BUCKET,
    CHAMPION_KEY,
    MODELS_BUCKET,
    MSG_ID,
    event_subject,
    message_id,
)
from eddyline_trainer import metrics
from eddyline_trainer.library import Library
from eddyline_trainer.papers import ModelPapers

log = logging.getLogger(__name__)
_ANSWER_TIMEOUT_S = 2.0
_TRANSFER_TIMEOUT_S = 60.0
KEPT_BUNDLES = 8
"""So many of the models promoted last stay in the bucket: a ranker may be fetching the one before."""
_TOLD_OF = 100
"""So many promotions at most can happen while the bus is away and still be told of."""


class Announcer:
    """Tells the bus what the registry says."""

    def __init__(self, client: Client, library: Library, *, every_ms: int) -> None:
        self._client = client
        self._library = library
        self._every_s = every_ms / 1_000
        self._poked = asyncio.Event()
        self._logged: set[str] = set()
        self._replayed = False
        self._promoted_at: float | None = None
        metrics.MODEL_AGE.set_function(self._age)

    def poke(self) -> None:
        """Look soon: something was promoted or added."""
        self._poked.set()

    def seen_in_log(self, event_id: str) -> None:
        """The log has this event that tells of a model."""
        self._logged.add(event_id)

    def replayed(self) -> None:
        """What the log had when this process started has been seen: what is missing from it now must be sent."""
        self._replayed = True
        self.poke()

    async def run(self) -> None:
        """Look and tell until cancelled."""
        failing = False
        while True:
            try:
                await self._look()
            except (TimeoutError, BusError, OSError) as error:
                metrics.ANNOUNCE_FAILURES.inc()
                if not failing:
                    log.warning(
                        "the bus cannot be told of the champion: %s", str(error) or type(error).__name__
                    )
                failing = True
            else:
                metrics.BUS_CHECKS.inc()
                failing = False
            try:
                async with asyncio.timeout(self._every_s):
                    await self._poked.wait()
            except TimeoutError:
                pass
            self._poked.clear()

    async def _look(self) -> None:
        promoted = await self._library.promoted(_TOLD_OF)
        js = self._client.jetstream(timeout=_ANSWER_TIMEOUT_S)
        if promoted:
            champion = promoted[0]
            assert champion.promoted_at is not None
            self._promoted_at = champion.promoted_at / 1_000
            metrics.MODEL_SEQUENCE.set(champion.last_sequence)
            await self._bundle(js, champion, kept={p.model for p in promoted[:KEPT_BUNDLES]})
            await self._key(js, champion)
        if self._replayed:
            for event_id, event_type, payload in await self._library.events(_TOLD_OF):
                await self._event(js, event_id, event_type, payload)

    async def _bundle(self, js: JetStreamContext, champion: ModelPapers, *, kept: set[str]) -> None:
        store = await _bundles(js)
        try:
            await store.get_info(champion.model)
            return
        except ObjectNotFoundError:
            pass
        raw = await self._library.bundle(champion.model)
        async with asyncio.timeout(_TRANSFER_TIMEOUT_S):
            await store.put(champion.model, raw)
        metrics.ANNOUNCED.labels("bundle").inc()
        for info in await store.list(ignore_deletes=True):
            if info.name not in kept:
                await store.delete(str(info.name))

    async def _key(self, js: JetStreamContext, champion: ModelPapers) -> None:
        bucket = await _keys(js)
        value = msgspec.json.encode(champion.as_champion)
        try:
            if (await bucket.get(CHAMPION_KEY)).value == value:
                return
        except KeyNotFoundError:
            pass
        await bucket.put(CHAMPION_KEY, value)
        metrics.ANNOUNCED.labels("key").inc()
        log.info("champion", extra={"model": champion.model, "view": champion.view})

    async def _event(self, js: JetStreamContext, event_id: str, event_type: str, payload: bytes) -> None:
        if event_id in self._logged:
            return
        headers = {MSG_ID: message_id(event_id)}
        await js.publish(event_subject(event_type), payload, headers=headers)
        metrics.ANNOUNCED.labels("event").inc()

    def _age(self) -> float:
        return -1.0 if self._promoted_at is None else time.time() - self._promoted_at


async def _bundles(js: JetStreamContext) -> ObjectStore:
    try:
        return await js.object_store(BUNDLES_BUCKET)
    except NotFoundError:
        return await js.create_object_store(
            BUNDLES_BUCKET, config=api.ObjectStoreConfig(description="written by the trainer")
        )


async def _keys(js: JetStreamContext) -> KeyValue:
    try:
        return await js.key_value(MODELS_BUCKET)
    except NotFoundError:
        return await js.create_key_value(
            config=api.KeyValueConfig(bucket=MODELS_BUCKET, description="written by the trainer")
        )
