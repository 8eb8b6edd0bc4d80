"""A database of its own for each test, cloned from a migrated template in milliseconds."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from eddyline_cli.servers.postgres import PostgresServer
from eddyline_eventlog.migrate import migrate

_numbers = itertools.count()
_TEMPLATE = "eddyline_template"


def url_of(server: PostgresServer, name: str) -> str:
    """Address of a database on this server."""
    return server.url.rsplit("/", 1)[0] + "/" + name


async def make_template(server: PostgresServer) -> None:
    """Create the template and migrate it."""
    conn = await asyncpg.connect(server.url)
    await conn.execute(f"CREATE DATABASE {_TEMPLATE}")
    await conn.close()
    await migrate(url_of(server, _TEMPLATE))


@asynccontextmanager
async def a_database(server: PostgresServer) -> AsyncIterator[str]:
    """Yield the address of a fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    conn = await asyncpg.connect(server.url)
    try:
        await conn.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        yield url_of(server, name)
        await conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await conn.close()
