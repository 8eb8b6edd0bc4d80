"""The database that the migrations build is the one that the tables declare."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from eddyline_cli.servers.postgres import PostgresServer
from eddyline_eventlog.migrate import NEWEST, UnusableDatabase, migrate, tables_of
from eddyline_eventlog.tables import metadata
from tests.support.databases import a_database, url_of

_dialect = create_engine("postgresql+asyncpg://").dialect
_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, co.collname,
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'alembic_version'
ORDER BY c.relname, a.attnum
"""
_INDEXES = """
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1
"""
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2
"""


async def _shape(conn: asyncpg.Connection) -> dict[str, list[Any]]:
    return {
        name: [tuple(row) for row in await conn.fetch(query)]
        for name, query in (("columns", _COLUMNS), ("indexes", _INDEXES), ("constraints", _CONSTRAINTS))
    }


async def test_migrations_build_what_the_tables_declare(
    postgres_server: PostgresServer, database_url: str
) -> None:
    migrated = await asyncpg.connect(database_url)
    admin = await asyncpg.connect(postgres_server.url)
    await admin.execute("CREATE DATABASE declared TEMPLATE template0 ENCODING 'UTF8'")
    declared = await asyncpg.connect(url_of(postgres_server, "declared"))
    for table in metadata.sorted_tables:
        await declared.execute(str(CreateTable(table).compile(dialect=_dialect)))
        for index in table.indexes:
            await declared.execute(str(CreateIndex(index).compile(dialect=_dialect)))
    shape = await _shape(declared)
    assert await _shape(migrated) == shape
    assert len(shape["columns"]) > 20
    tables = await tables_of(migrated)
    assert (tables.current, tables.newest, tables.known) == (NEWEST, NEWEST, True)
    await declared.close()
    await migrated.close()
    await admin.execute("DROP DATABASE declared")
    await admin.close()


async def test_services_that_start_at_once_migrate_once(postgres_server: PostgresServer) -> None:
    admin = await asyncpg.connect(postgres_server.url)
    await admin.execute("CREATE DATABASE crowded TEMPLATE template0 ENCODING 'UTF8'")
    url = url_of(postgres_server, "crowded")
    await asyncio.gather(*(migrate(url) for _ in range(5)))
    conn = await asyncpg.connect(url)
    assert await conn.fetchval("SELECT count(*) FROM log_cursor") == 1
    assert uuid.UUID(await conn.fetchval("SELECT log_id FROM log_cursor")).version == 4
    await conn.close()
    await admin.execute("DROP DATABASE crowded")
    await admin.close()


async def test_tables_of_a_newer_version_are_refused_with_the_remedy(postgres_server: PostgresServer) -> None:
    async with a_database(postgres_server) as url:
        conn = await asyncpg.connect(url)
        await conn.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(UnusableDatabase, match=r"version 9999.*upgrade this service"):
            await migrate(url)
        await conn.close()


async def test_a_database_of_another_encoding_is_refused_with_the_remedy(
    postgres_server: PostgresServer,
) -> None:
    admin = await asyncpg.connect(postgres_server.url)
    await admin.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(UnusableDatabase, match=r"LATIN1.*UTF8"):
        await migrate(url_of(postgres_server, "latin"))
    await admin.execute("DROP DATABASE latin")
    await admin.close()
