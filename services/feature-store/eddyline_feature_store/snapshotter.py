"""When snapshots are taken, and by which of the replicas.

All replicas follow the same log, so a snapshot by any of them serves all, and it falls due for all at the same moment.
Each says that it will take it, with a number drawn by lot; a moment later the one with the lowest does, and the others
count it as taken. Should that one fail, they lose nothing but some events to fold again until the next one is due.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as BusError

from eddyline_contracts.subjects import snapshot_subject
from eddyline_feature_store import metrics
from eddyline_feature_store.forked import ForkedBytes, ForkFailed
from eddyline_feature_store.live_fold import LiveFold
from eddyline_feature_store.snapshots import Snapshots

log = logging.getLogger(__name__)

_RETRY_S = 10.0
_STOP_TIMEOUT_S = 20.0
_ANSWER_TIMEOUT_S = 5
_HEAR_S = 0.1
"""Long against the way of a word from one replica to another."""


class Snapshotter:
    """Takes snapshots of the live state as it moves on."""

    def __init__(self, client: Client, snapshots: Snapshots, fold: LiveFold, *, snapshot_events: int) -> None:
        self._client = client
        self._snapshots = snapshots
        self._fold = fold
        self._snapshot_events = snapshot_events
        self._subject = snapshot_subject(fold.state.view.id)
        self._others: dict[int, int] = {}
        """The lots of other replicas that will take a snapshot, or have begun one: lot → log position."""
        self._lot = -1
        """Our own, to know it when we hear it."""

    async def run(self) -> None:
        """Take one whenever enough was applied, until cancelled."""
        subscription = await self._client.subscribe(self._subject, cb=self._heard)
        try:
            while True:
                await self._fold.snapshot_due.wait()
                if not await self._try():
                    await asyncio.sleep(_RETRY_S)
        finally:
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def last_one(self) -> None:
        """Take one at a clean stop, if anything changed and the bus is there."""
        if self._fold.unsaved == 0 or not self._snapshots.reachable:
            return
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await self._take(urgent=True)
        except (ForkFailed, TimeoutError, BusError, OSError) as error:
            log.warning("no snapshot at the end: %s", error or type(error).__name__)

    async def _try(self) -> bool:
        try:
            # Replicas share the bucket: what another has just stored, or is storing, need not be stored again.
            if self._is_recent(await self._snapshots.newest_sequence()) or not await self._is_ours():
                self._fold.snapshot_taken(self._fold.unsaved)
                return True
            await self._take()
        except (ForkFailed, TimeoutError, BusError, OSError) as error:
            metrics.SNAPSHOT_FAILURES.inc()
            log.warning("no snapshot: %s", error or type(error).__name__)
            return False
        return True

    async def _is_ours(self) -> bool:
        """Whether it falls to this replica to take the snapshot that is due."""
        # A round to the server and back: what the others have said before is heard then, however busy the machine.
        await self._client.flush(_ANSWER_TIMEOUT_S)
        if self._rivals():
            return False
        self._lot = secrets.randbits(63)
        await self._client.publish(self._subject, f"{self._lot} {self._fold.state.sequence}".encode())
        await asyncio.sleep(_HEAR_S)
        await self._client.flush(_ANSWER_TIMEOUT_S)
        return min([self._lot, *self._rivals()]) == self._lot

    def _rivals(self) -> list[int]:
        """The lots of the others on a snapshot that serves as well as one of here; old ones are forgotten."""
        self._others = {lot: place for lot, place in self._others.items() if self._is_recent(place)}
        return list(self._others)

    def _is_recent(self, sequence: int) -> bool:
        """Whether a snapshot of this place is as good as one of here. Another replica may be a little ahead."""
        far = self._snapshot_events // 2
        return abs(sequence - self._fold.state.sequence) < far

    async def _heard(self, message: Msg) -> None:
        try:
            lot, place = map(int, message.data.split())
        except ValueError:
            log.warning("not a lot and a place: %r", message.data[:60], extra={"subject": self._subject})
            return
        if lot != self._lot:
            self._others[lot] = place

    async def _take(self, *, urgent: bool = False) -> None:
        started = time.perf_counter()
        sequence, n_events = self._fold.state.sequence, self._fold.unsaved
        forked = ForkedBytes(self._fold.state.snapshot, urgent=urgent)
        pause = time.perf_counter() - started
        try:
            n_bytes = await self._snapshots.store(await forked.whole(), sequence, urgent=urgent)
        finally:
            forked.abandon()
        self._fold.snapshot_taken(n_events)
        took = time.perf_counter() - started
        metrics.SNAPSHOT_SECONDS.set(took)
        metrics.SNAPSHOT_PAUSE_SECONDS.set(pause)
        metrics.SNAPSHOT_BYTES.set(n_bytes)
        metrics.SNAPSHOT_SEQUENCE.set(sequence)
        told = {
            "sequence": sequence,
            "bytes": n_bytes,
            "seconds": round(took, 3),
            "pause_ms": round(pause * 1e3, 2),
        }
        log.info("snapshot", extra=told)
