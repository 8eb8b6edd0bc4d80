"""Real servers for the tests: one PostgreSQL for the run with a database per test, one nats-server per test."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_cli.servers.postgres import PostgresServer, start_postgres
from tests.support.long_files import long_first
from tests.support.quick_folder import a_quick_folder

for _name in [name for name in os.environ if name.startswith("EDDYLINE_") and name != "EDDYLINE_TEST_DATA"]:
    del os.environ[_name]
# A system in the tests is seven processes. Where the environment forbids to keep compiled modules (as images of Python
# do), each of them compiles all that it imports anew: half of the time that its start takes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest start first."""
    long_first(items)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server for the whole run, with a migrated template database."""
    from tests.support.databases import make_template

    with a_quick_folder(tmp_path_factory.mktemp("postgres")) as folder:
        server = start_postgres(folder, durable=False)
        asyncio.run(make_template(server))
        yield server
        server.stop()


@pytest.fixture
async def database_url(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """A database of this test's own."""
    from tests.support.databases import a_database

    async with a_database(postgres_server) as url:
        yield url


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A nats-server of this test's own (it starts in 20 ms)."""
    server = start_nats(tmp_path / "nats")
    yield server
    server.stop()
