"""Bring a database to the newest tables; safe when several services start at once.

Alembic writes the SQL (its offline mode), asyncpg runs it: one driver everywhere, and one transaction under a lock.
Alembic is imported only where there is something to do: it and SQLAlchemy take a third of a second, which every start
of three services would wait for.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)
_LOCK = 0x0EDD_0001
_FOLDER = Path(__file__).with_name("migrations")
NEWEST = "0003"
"""The version that the last of the migrations leads to."""


class UnusableDatabase(RuntimeError):
    """The database cannot hold the log; the text says why and what to do."""


async def migrate(url: str) -> None:
    """Apply what is missing to the database at ``url`` (``postgresql://…``). Doing it twice changes nothing.

    Raises
    ------
    UnusableDatabase
        If its encoding is not UTF-8, or its tables are of a newer version than this code.
    """
    # Bounds a server that hangs; a service that waits for its turn at the lock is bounded by it, too.
    conn = await asyncpg.connect(url, timeout=10, command_timeout=60)
    try:
        encoding = await conn.fetchval("SHOW server_encoding")
        if encoding != "UTF8":
            raise UnusableDatabase(
                f"the database is encoded in {encoding}; the log needs UTF8: "
                "create it with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`"
            )
        async with conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            current = await _current(conn)
            if current != NEWEST:
                await conn.execute(_sql_from(current))
                log.info("database migrated", extra={"was": current, "now": await _current(conn)})
    finally:
        await conn.close(timeout=5)


async def _current(conn: asyncpg.Connection) -> str | None:
    if await conn.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    version: str | None = await conn.fetchval("SELECT version_num FROM alembic_version")
    return version


@dataclass(frozen=True)
class Tables:
    """Of which version a database's tables are."""

    current: str | None
    """None when there are none."""
    newest: str | None
    known: bool
    """Whether this code knows that version; a newer code may have been here."""


async def tables_of(conn: asyncpg.Connection) -> Tables:
    """Look, and change nothing."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config())
    current = await _current(conn)
    versions = {script.revision for script in scripts.walk_revisions()}
    return Tables(current, scripts.get_current_head(), current is None or current in versions)


def _config(buffer: io.StringIO | None = None) -> Config:
    from alembic.config import Config

    config = Config(output_buffer=buffer or io.StringIO())
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _sql_from(current: str | None) -> str:
    """The statements that lead from version ``current`` to the newest."""
    from alembic import command
    from alembic.util.exc import CommandError

    buffer = io.StringIO()
    try:
        command.upgrade(_config(buffer), f"{current}:{NEWEST}" if current else NEWEST, sql=True)
    except CommandError as error:
        raise UnusableDatabase(
            f"the tables are of version {current}, which this code does not know: upgrade this service ({error})"
        ) from error
    return buffer.getvalue()
