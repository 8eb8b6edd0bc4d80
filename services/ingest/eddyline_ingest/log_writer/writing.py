"""The active writer: takes the inbox piece by piece, commits each, and tells the followers.

Two tasks in a row, so that the next piece is decoded while the database commits the last: each piece goes through
refused copies → commit → acknowledge → push, and the next does not start before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass

import nats.errors
from nats.aio.client import Client

from eddyline_contracts.limits import Malformed
from eddyline_contracts.record import Batch, Record, encode_batch
from eddyline_contracts.subjects import COMMITTED
from eddyline_eventlog.appending import Appender, Unstorable
from eddyline_eventlog.batching import split
from eddyline_eventlog.patience import Patience
from eddyline_ingest.jetstream import is_transient
from eddyline_ingest.log_writer import metrics
from eddyline_ingest.log_writer.deciding import Decided, Refused, decide
from eddyline_ingest.log_writer.reader import InboxLost, InboxReader
from eddyline_ingest.rejected import Rejected, keep

log = logging.getLogger(__name__)
_BATCH_BYTES = 8 * 1024 * 1024
_PUSH_BYTES = 4 * 1024 * 1024
_PUSH_ROWS = 2_000
_ROOM = 64 * 1024
_LAST_COMMIT_S = 5.0


@dataclass(frozen=True)
class Writing:
    """Inbox → log, for one reader and one appender. Neither is used again after `run` has ended."""

    bus: Client
    reader: InboxReader
    appender: Appender
    epoch: int
    batch_rows: int
    make_rejected: Callable[[], Awaitable[None]]
    """Makes the stream for refused events, if it is not there."""

    async def run(self) -> None:
        """Go on until the reader is lost; everything that it gave is in the log then.

        Raises
        ------
        LogUnavailable, WriterReplaced
            As `Appender.append` does.
        """
        decided: asyncio.Queue[Decided | None] = asyncio.Queue(1)
        deciding = asyncio.create_task(self._decide(decided))
        try:
            while (piece := await decided.get()) is not None:
                await _to_its_end(self._commit(piece))
            await deciding
        finally:
            deciding.cancel()
            await asyncio.wait({deciding})

    async def _decide(self, decided: asyncio.Queue[Decided | None]) -> None:
        try:
            while True:
                messages = await self.reader.take(self.batch_rows, _BATCH_BYTES)
                await decided.put(decide(messages, self.epoch))
        except InboxLost as lost:
            log.warning("the inbox has to be opened again: %s", lost)
            await decided.put(None)
        except Exception:
            await decided.put(None)
            raise

    async def _commit(self, piece: Decided) -> None:
        started = time.monotonic()
        refused, admitted, previous = piece.refused, piece.admitted, self.appender.cursor.sequence
        last, recorded_ns = piece.last_sequence, piece.last.recorded_ns
        await self._keep(refused)
        try:
            records = await self.appender.append(last, recorded_ns, admitted)
        except Unstorable:
            # The decoder let something pass that the database does not take. Find it, so that the rest goes on.
            faults = await self.appender.faults(admitted)
            found = [
                Refused(one.record.sequence, "", one.record.payload, Malformed(faults[one.record.sequence]))
                for one in admitted
                if one.record.sequence in faults
            ]
            await self._keep(found)
            refused = [*refused, *found]
            admitted = [one for one in admitted if one.record.sequence not in faults]
            records = await self.appender.append(last, recorded_ns, admitted)
        await self.reader.acknowledge(piece.last)
        await self._push(Batch(previous, last, records))
        _measure(piece, records, len(admitted), refused, time.monotonic() - started)

    async def _keep(self, refused: Sequence[Refused]) -> None:
        if not refused:
            return
        copies = [Rejected(f"log-{one.sequence}", one.subject, one.payload, one.refusal) for one in refused]
        patience = Patience("bus")
        while True:
            try:
                try:
                    metrics.UNKEPT.inc(await keep(self.bus, copies))
                except nats.errors.NoRespondersError:
                    # Nobody takes them: the stream was deleted while this writer runs, or the bus is just starting.
                    await self.make_rejected()
                    metrics.UNKEPT.inc(await keep(self.bus, copies))
                patience.over()
                return
            except Exception as error:
                if not is_transient(error):
                    raise
                await patience.wait(error)

    async def _push(self, batch: Batch) -> None:
        most = min(_PUSH_BYTES, self.bus.max_payload - _ROOM)
        for piece in split(batch, max_rows=_PUSH_ROWS, max_bytes=most):
            raw = encode_batch(piece)
            if len(raw) > self.bus.max_payload or not self.bus.is_connected:
                # Followers find out by themselves, and read.
                return
            try:
                await self.bus.publish(COMMITTED, raw)
            except nats.errors.Error as error:
                log.warning("a committed batch could not be pushed: %s", error)
                return


async def _to_its_end(committing: Coroutine[None, None, None]) -> None:
    """Bring a commit that was begun to its end even when told to stop, so that it need not be done again."""
    task = asyncio.ensure_future(committing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        _, unfinished = await asyncio.wait({task}, timeout=_LAST_COMMIT_S)
        for one in unfinished:
            one.cancel()
        if not unfinished and not task.cancelled():
            task.exception()
        raise


def _measure(
    piece: Decided, records: list[Record], n_admitted: int, refused: Sequence[Refused], seconds: float
) -> None:
    metrics.ROWS.inc(len(records))
    metrics.DUPLICATES.inc(n_admitted - len(records))
    for code, n in Counter(one.refusal.code for one in refused).items():
        metrics.REFUSED.labels(code).inc(n)
    if refused:
        first = refused[0]
        log.warning(
            "refused events; `eddyline rejected` shows them",
            extra={
                "n_refused": len(refused),
                "sequence": first.sequence,
                "code": first.refusal.code,
                "reason": first.refusal.detail[:200],
            },
        )
    metrics.BATCH_SECONDS.observe(seconds)
    metrics.BATCH_ROWS.observe(n_admitted)
    if records:
        metrics.LATENCY_SECONDS.observe(max(0.0, time.time() - records[0].recorded_at / 1_000))
    metrics.CURSOR.set(piece.last_sequence)
