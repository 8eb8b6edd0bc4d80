"""Connections to PostgreSQL that bring ``json`` as bytes and never wait for ever, and which errors pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg

from eddyline_eventlog.migrate import migrate
from eddyline_eventlog.patience import Patience

T = TypeVar("T")
CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 30.0

_TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # "Another operation is in progress": what the driver says of a connection that broke in the midst of one.
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)


def is_transient(error: BaseException) -> bool:
    """Whether the database may answer later as if nothing had been: lost, restarting, full, out of connections."""
    # The driver's own complaint about an argument is an InterfaceError too, and stays one however often it is tried.
    return isinstance(error, _TRANSIENT) and not isinstance(error, ValueError)


async def connect(url: str, *, name: str) -> asyncpg.Connection:
    """One connection, ready for the log's columns."""
    conn = await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        server_settings={"application_name": name},
    )
    await prepare(conn)
    return conn


async def prepare(conn: asyncpg.Connection) -> None:
    """Let ``json`` pass as the bytes that it is."""
    await conn.set_type_codec("json", schema="pg_catalog", encoder=_as_is, decoder=bytes, format="binary")


def _as_is(value: bytes) -> bytes:
    return value


@asynccontextmanager
async def database(
    url: str, *, name: str = "eddyline", max_connections: int = 4
) -> AsyncIterator[asyncpg.Pool]:
    """A pool on a database with the newest tables. Waits until the database is there.

    Raises
    ------
    UnusableDatabase
        If it is there but cannot be used.
    """
    await when_back(url, migrate)
    pool = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=max_connections,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        init=prepare,
        server_settings={"application_name": name},
    )
    await pool
    try:
        yield pool
    finally:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await pool.close()
        except TimeoutError:
            pool.terminate()


async def when_back(url: str, act: Callable[[str], Awaitable[T]]) -> T:
    """``await act(url)``, again and again until the database takes part."""
    patience = Patience("database")
    while True:
        try:
            done = await act(url)
        except Exception as error:
            if not is_transient(error):
                raise
            await patience.wait(error)
        else:
            patience.over()
            return done
