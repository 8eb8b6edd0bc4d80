"""Writing the log: one writer at a time, each batch and the cursor's move in one statement.

The writer's connection is the lock: whoever holds it may write, and loses both at once. A fence guards the gap in
which the server has not yet noticed that an old connection is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import asyncpg
from msgspec import Struct

from eddyline_contracts.record import Record
from eddyline_eventlog.admission import Admitted
from eddyline_eventlog.database import CONNECT_TIMEOUT_S, connect, is_transient
from eddyline_eventlog.port import LogUnavailable

_LOCK = 0x0EDD_0002
_APPEND = """
WITH moved AS (
    UPDATE log_cursor SET sequence = $2, recorded_ns = $3 WHERE sequence = $1 AND fence = $4 RETURNING one
), fresh AS (
    INSERT INTO event_ids (event_id, sequence)
    SELECT event_id, sequence FROM moved, unnest($5::bigint[], $6::text[]) AS given (sequence, event_id)
    ON CONFLICT DO NOTHING
    RETURNING sequence
), kept AS (
    INSERT INTO event_log
        (sequence, event_id, type, received_at, recorded_at, payload, features_sequence)
    SELECT given.*
    FROM unnest($5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::json[], $11::bigint[])
        AS given (sequence, event_id, type, received_at, recorded_at, payload, features_sequence)
    JOIN fresh USING (sequence)
)
SELECT (SELECT count(*) FROM moved) AS moved, ARRAY(SELECT sequence FROM fresh) AS fresh
"""

_TAKE_OVER = (
    "UPDATE log_cursor SET fence = fence + 1 RETURNING fence, sequence, epoch, stream_created, recorded_ns"
)
_ADOPT = "UPDATE log_cursor SET epoch = $1, stream_created = $2 WHERE fence = $3"


class WriterReplaced(Exception):
    """Another writer has taken over: nothing was written, and this one has to stop."""


class Unstorable(Exception):
    """The database refuses a value of the batch: nothing was written."""


class Cursor(Struct, frozen=True):
    """How far the log is decided, and by which inbox stream."""

    sequence: int
    epoch: int
    stream_created: str | None
    recorded_ns: int | None
    """JetStream's time of the message at ``sequence``, in ns since the Unix epoch."""


class Appender:
    """The active writer. Get one from `acquire`; it is of no use after `LogUnavailable` or `WriterReplaced`."""

    def __init__(self, conn: asyncpg.Connection, fence: int, cursor: Cursor) -> None:
        self._conn = conn
        self._fence = fence
        self._turn = asyncio.Lock()
        self._closed = asyncio.Event()
        conn.add_termination_listener(lambda _: self._closed.set())
        self.cursor = cursor

    @classmethod
    async def acquire(cls, url: str, *, name: str = "log-writer") -> Appender | None:
        """Become the one writer, or none if there is one already. The tables must be there.

        Raises
        ------
        LogUnavailable
            If the database does not take part now.
        """
        with _told():
            conn = await connect(url, name=name)
        try:
            with _told():
                # An answered commit must survive a crash of the server, whatever its default is.
                await conn.execute("SET synchronous_commit = on")
                if not await conn.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                    await conn.close(timeout=CONNECT_TIMEOUT_S)
                    return None
                row = await conn.fetchrow(_TAKE_OVER)
            return cls(conn, row["fence"], Cursor(*list(row)[1:]))
        except BaseException:
            conn.terminate()
            raise

    async def watch(self, *, every_s: float = 1.0) -> NoReturn:
        """Return never; raise as soon as this writer may not write any more.

        Raises
        ------
        LogUnavailable
            When the connection, and with it the lock, is gone.
        WriterReplaced
            When another writer is active.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await self._closed.wait()
            if self._closed.is_set():
                raise LogUnavailable("the connection to the database, and with it the lock, is gone")
            async with self._turn:
                with _told():
                    fence = await self._conn.fetchval("SELECT fence FROM log_cursor")
            if fence != self._fence:
                raise WriterReplaced("another log writer is active")

    async def close(self) -> None:
        """Give the lock back."""
        try:
            await self._conn.close(timeout=CONNECT_TIMEOUT_S)
        except Exception:
            self._conn.terminate()

    async def adopt(self, epoch: int, stream_created: str) -> None:
        """Say which inbox stream the next batches are of.

        Raises
        ------
        LogUnavailable, WriterReplaced
            If this writer may not write any more.
        """
        async with self._turn:
            with _told():
                done = await self._conn.execute(_ADOPT, epoch, stream_created, self._fence)
        if done != "UPDATE 1":
            raise WriterReplaced("another log writer is active")
        self.cursor = Cursor(self.cursor.sequence, epoch, stream_created, self.cursor.recorded_ns)

    async def append(self, last: int, recorded_ns: int, admitted: Sequence[Admitted]) -> list[Record]:
        """Commit everything in ``(cursor.sequence, last]`` at once and return the records that were new.

        ``admitted`` are in order of sequence; those whose id the log has are dropped. All or nothing.

        Raises
        ------
        LogUnavailable
            If the answer is lost: the batch may or may not be there, and only the next `acquire` tells.
        WriterReplaced
            If another writer is active by now: nothing was written.
        Unstorable
            If the database refuses a value: nothing was written. `faults` tells which; the appender stays usable.
        """
        kept = _first_of_each(admitted)
        records = [one.record for one in kept]
        async with self._turn:
            try:
                with _told():
                    row = await self._conn.fetchrow(
                        _APPEND,
                        self.cursor.sequence,
                        last,
                        recorded_ns,
                        self._fence,
                        [record.sequence for record in records],
                        [record.event_id for record in records],
                        [record.type for record in records],
                        [record.received_at for record in records],
                        [record.recorded_at for record in records],
                        [record.payload for record in records],
                        [one.features_sequence for one in kept],
                    )
            except _REFUSED as error:
                raise Unstorable(str(error)) from error
        if row["moved"] != 1:
            raise WriterReplaced("another log writer has moved the cursor")
        self.cursor = Cursor(last, self.cursor.epoch, self.cursor.stream_created, recorded_ns)
        fresh = set(row["fresh"])
        return records if len(fresh) == len(records) else [r for r in records if r.sequence in fresh]

    async def faults(self, admitted: Sequence[Admitted]) -> dict[int, str]:
        """Why the database refuses values of a batch: the reason by sequence, for those that it refuses."""
        found: dict[int, str] = {}
        for one in admitted:
            record = one.record
            async with self._turn:
                try:
                    with _told():
                        await self._conn.execute(
                            "SELECT $1::text, $2::bigint, $3::bigint, $4::json, $5::bigint",
                            record.event_id,
                            record.received_at,
                            record.recorded_at,
                            record.payload,
                            one.features_sequence,
                        )
                except _REFUSED as error:
                    found[record.sequence] = str(error)
        return found


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say `LogUnavailable` for whatever only means that the database is away."""
    try:
        yield
    except Exception as error:
        if not is_transient(error):
            raise
        raise LogUnavailable(f"the database does not answer: {error or type(error).__name__}") from error


_REFUSED: tuple[Any, ...] = (
    asyncpg.exceptions.DataError,
    asyncpg.exceptions.StatementTooComplexError,
    # The driver's own, for a number that does not fit.
    asyncpg.exceptions._base.DataError,
)


def _first_of_each(admitted: Sequence[Admitted]) -> Sequence[Admitted]:
    if len({one.record.event_id for one in admitted}) == len(admitted):
        return admitted
    by_id: dict[str, Admitted] = {}
    for one in admitted:
        by_id.setdefault(one.record.event_id, one)
    return list(by_id.values())
