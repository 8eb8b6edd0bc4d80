"""One event of the log in PostgreSQL by its id."""

from __future__ import annotations

import asyncpg

from eddyline_contracts.limits import MAX_ID_CHARS
from eddyline_contracts.record import Record

_FIND = """
SELECT sequence, event_id, type, received_at, recorded_at, payload
FROM event_log WHERE sequence = (SELECT sequence FROM event_ids WHERE event_id = $1)
"""


async def find_record(pool: asyncpg.Pool, event_id: str) -> Record | None:
    """The event of this id, if the log has it. Does not wait through an outage of the database."""
    # No event is called so, and the database takes no such text.
    if len(event_id) > MAX_ID_CHARS or any(char == "\0" or "\ud800" <= char <= "\udfff" for char in event_id):
        return None
    row = await pool.fetchrow(_FIND, event_id)
    return None if row is None else Record(*row)
