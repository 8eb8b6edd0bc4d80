"""The log in PostgreSQL, read by polling its cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg

from eddyline_contracts.record import Batch, Record
from eddyline_eventlog.batching import MAX_BYTES, MAX_ROWS
from eddyline_eventlog.database import is_transient
from eddyline_eventlog.patience import Patience
from eddyline_eventlog.port import LogEndsBefore, LogUnavailable

POLL_INTERVAL_S = 0.05
_CURSOR = "SELECT sequence FROM log_cursor"
_IDENTITY = "SELECT log_id FROM log_cursor"
# Ends after the first row that passes the bound, so that a batch of large events is a small batch, and never empty.
# The size of a stored text is known without unpacking it.
_ROWS = """
SELECT sequence, event_id, type, received_at, recorded_at, payload
FROM (
    SELECT *,
           octet_length(payload::text) AS own,
           sum(octet_length(payload::text)) OVER (ORDER BY sequence ROWS UNBOUNDED PRECEDING) AS total
    FROM event_log
    WHERE sequence > $1 AND sequence <= $2
    ORDER BY sequence
    LIMIT $3
) AS piece
WHERE total - own <= $4
ORDER BY sequence
"""


class PostgresLog:
    """Follows the log through a pool of `eddyline_eventlog.database`."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        poll_interval_s: float = POLL_INTERVAL_S,
        max_rows: int = MAX_ROWS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._pool = pool
        self._poll_interval_s = poll_interval_s
        self._max_rows = max_rows
        self._max_bytes = max_bytes

    async def follow(self, after: int) -> AsyncGenerator[Batch, None]:
        """See `Log.follow`."""
        while True:
            batch = await self.next_batch(after)
            if batch is None:
                await asyncio.sleep(self._poll_interval_s)
            else:
                after = batch.last
                yield batch

    async def read(self, after: int, until: int) -> AsyncGenerator[Batch, None]:
        """See `Log.read`."""
        while after < until:
            batch = await self.next_batch(after, until)
            if batch is None:
                await asyncio.sleep(self._poll_interval_s)
            else:
                after = batch.last
                yield batch

    async def last(self) -> int:
        """See `Log.last`."""
        last: int = await self._told(_CURSOR)
        return last

    async def identity(self) -> str:
        """See `Log.identity`: made with the database's tables, and restored with them."""
        identity: str = await self._told(_IDENTITY)
        return identity

    async def _told(self, query: str) -> Any:
        try:
            return await self._pool.fetchval(query)
        except Exception as error:
            if is_transient(error):
                raise LogUnavailable(
                    f"the database does not answer: {error or type(error).__name__}"
                ) from error
            raise

    async def next_batch(self, after: int, until: int | None = None) -> Batch | None:
        """What comes next after this place, none if nothing has yet. Waits through outages.

        Raises
        ------
        LogEndsBefore
            If the log ends before ``after``.
        """
        patience = Patience("log database")
        while True:
            try:
                batch = await self._try(after, until)
            except Exception as error:
                if not is_transient(error) or self._pool.is_closing():
                    raise
                await patience.wait(error)
            else:
                patience.over()
                return batch

    async def _try(self, after: int, until: int | None) -> Batch | None:
        async with self._pool.acquire() as conn:
            # The cursor first: rows up to it were committed with it or before, so none of them can be missing below.
            cursor = await conn.fetchval(_CURSOR)
            if cursor < after:
                raise LogEndsBefore(after, cursor)
            last = cursor if until is None else min(cursor, until)
            if last <= after:
                return None
            rows = await conn.fetch(_ROWS, after, last, self._max_rows, self._max_bytes)
        records = [Record(*row) for row in rows]
        n_bytes = sum(len(record.payload) for record in records)
        if len(records) == self._max_rows or n_bytes > self._max_bytes:
            # There may be more; if not, the next batch is empty and ends at the cursor.
            last = records[-1].sequence
        return Batch(after, last, records)
