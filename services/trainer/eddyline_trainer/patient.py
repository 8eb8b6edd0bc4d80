"""Work with the database that outlives its outages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from eddyline_eventlog.database import is_transient
from eddyline_eventlog.patience import Patience

T = TypeVar("T")


async def with_patience(pool: asyncpg.Pool, act: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Do this on a connection, again and again while the database is away; it must be all or nothing."""
    patience = Patience("registry of models")
    while True:
        try:
            async with pool.acquire() as conn:
                done = await act(conn)
        except Exception as error:
            if not is_transient(error) or pool.is_closing():
                raise
            await patience.wait(error)
        else:
            patience.over()
            return done
