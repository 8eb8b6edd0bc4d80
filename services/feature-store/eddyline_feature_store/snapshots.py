"""Snapshots in the object bucket: two places a view, the older of which is overwritten.

A snapshot only saves folding the log anew. One that is damaged, foreign or of another log is passed over with a word
in the log, never an obstacle to starting.
"""

from __future__ import annotations

import asyncio
import io
import logging
import math
import os
from dataclasses import dataclass

from nats.aio.client import Client
from nats.errors import Error as BusError
from nats.js import api
from nats.js.errors import BadRequestError, NotFoundError, ObjectNotFoundError
from nats.js.object_store import ObjectStore

from eddyline_contracts.subjects import SNAPSHOTS_BUCKET
from eddyline_feature_store.leftovers import sweep
from eddyline_feature_store.paced import Paced
from eddyline_features.state import SnapshotError, State
from eddyline_features.view import View

log = logging.getLogger(__name__)

_ANSWER_TIMEOUT_S = 5.0
_TRANSFER_TIMEOUT_S = 900.0
_CHUNK_BYTES = 64 * 1024
_BYTES_PER_S = 16 * 1024 * 1024
_STORED_WITHIN_S = 20.0
"""A large one is sent faster, so that the next is not due before it is stored."""
_LOG_ID = "Eddyline-Log-Id"
"""Header of a snapshot: which log it was folded from."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a snapshot lies, and of which position of which log; -1 where there is none."""

    name: str
    sequence: int
    size: int
    log_id: str


class Snapshots:
    """Reads and writes the snapshots of one view of one log, which ``log_id`` tells from any other."""

    def __init__(self, client: Client, view: View, log_id: str) -> None:
        self._client = client
        self._view = view
        self._log_id = log_id
        self._names = (f"{view.id}/a", f"{view.id}/b")

    @property
    def reachable(self) -> bool:
        """Whether the bus is there now."""
        return self._client.is_connected

    async def newest_state(self, last: int) -> State | None:
        """The state of the newest usable snapshot; none if there is no such.

        ``last`` is where the log ends: a snapshot beyond it is of a history that is gone.
        """
        try:
            store = await self._bucket()
            places = await self._places(store)
        except (TimeoutError, BusError, OSError) as error:
            log.warning("snapshots cannot be looked at: %s", error or type(error).__name__)
            return None
        for place in sorted(places, key=lambda place: -place.sequence):
            if place.sequence < 0:
                continue
            if place.log_id != self._log_id:
                log.warning(
                    "the snapshot is of another log: it is not used",
                    extra={"snapshot": place.name, "log": place.log_id, "this_log": self._log_id},
                )
                continue
            if place.sequence > last:
                log.warning(
                    "the snapshot is ahead of the log, which was restored or replaced: it is not used",
                    extra={"snapshot": place.sequence, "log": last},
                )
                continue
            try:
                raw = await self._fetch(store, place)
                state = await asyncio.to_thread(State.restore, self._view, raw)
            except (SnapshotError, TimeoutError, BusError, OSError) as error:
                log.warning(
                    "a snapshot is not usable: %s",
                    error or type(error).__name__,
                    extra={"snapshot": place.name},
                )
                continue
            if state.sequence > last:
                log.warning(
                    "the snapshot is ahead of what it says: it is not used", extra={"snapshot": place.name}
                )
                continue
            log.info("restored", extra={"sequence": state.sequence, "bytes": place.size})
            return state
        return None

    async def newest_sequence(self) -> int:
        """Position of the newest snapshot of this log; -1 if there is none."""
        return max(self._position(place) for place in await self._places(await self._bucket()))

    async def store(self, source: io.FileIO, sequence: int, *, urgent: bool = False) -> int:
        """Store what can be read from ``source`` over the older snapshot or one of another log; its size.

        Unless it is ``urgent`` it is sent in small pieces with pauses between them: in one go it would hold up answers
        here, and the inbox's own writes to the same disk.
        """
        store = await self._bucket()
        older = min(await self._places(store), key=self._position)
        options = api.ObjectMetaOptions(max_chunk_size=_CHUNK_BYTES)
        meta = api.ObjectMeta(
            name=older.name, description=str(sequence), headers={_LOG_ID: [self._log_id]}, options=options
        )
        slowly = max(_BYTES_PER_S, os.fstat(source.fileno()).st_size / _STORED_WITHIN_S)
        paced = Paced(source, math.inf if urgent else slowly)
        async with asyncio.timeout(_TRANSFER_TIMEOUT_S):
            info = await store.put(older.name, paced, meta)
        await sweep(self._client.jetstream(timeout=_ANSWER_TIMEOUT_S), store)
        return info.size or 0

    async def _bucket(self) -> ObjectStore:
        js = self._client.jetstream(timeout=_ANSWER_TIMEOUT_S)
        try:
            return await js.object_store(SNAPSHOTS_BUCKET)
        except NotFoundError:
            log.info("making the bucket for snapshots", extra={"bucket": SNAPSHOTS_BUCKET})
        try:
            return await js.create_object_store(
                SNAPSHOTS_BUCKET, config=api.ObjectStoreConfig(description="written by the feature-store")
            )
        except BadRequestError:
            # Another replica was faster.
            return await js.object_store(SNAPSHOTS_BUCKET)

    async def _places(self, store: ObjectStore) -> list[_Place]:
        places = []
        for name in self._names:
            sequence = size = -1
            log_id = ""
            try:
                info = await store.get_info(name)
                sequence, size = int(info.description or -1), info.size or 0
                log_id = ((info.headers or {}).get(_LOG_ID) or [""])[0]
            except (ObjectNotFoundError, ValueError):
                pass
            places.append(_Place(name, sequence, size, log_id))
        return places

    def _position(self, place: _Place) -> int:
        """In this log; -1 for what is of another, since places of two logs do not compare."""
        return place.sequence if place.log_id == self._log_id else -1

    async def _fetch(self, store: ObjectStore, place: _Place) -> bytes:
        # Into a buffer: by itself the client appends to a growing bytes, which is quadratic.
        whole = io.BytesIO()
        async with asyncio.timeout(_TRANSFER_TIMEOUT_S):
            await store.get(place.name, writeinto=whole)
        return whole.getvalue()
