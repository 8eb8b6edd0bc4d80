"""The log's database as commands read it: a few connections that may write nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from eddyline_cli.refusals import Refused
from eddyline_cli.report import without_password
from eddyline_eventlog.database import CONNECT_TIMEOUT_S, prepare

_COMMAND_TIMEOUT_S = 300.0
"""To count a long log takes its time."""


@asynccontextmanager
async def read_only(url: str, *, command: str, otherwise: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to the database at this address.

    Parameters
    ----------
    command
        What it is told who reads.
    otherwise
        What else somebody may do who has no database: the end of "set EDDYLINE_DATABASE_URL, or …".

    Raises
    ------
    Refused
        If it does not answer, or what is read within is not in it.
    """
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=2,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=_COMMAND_TIMEOUT_S,
            init=prepare,
            server_settings={"application_name": command, "default_transaction_read_only": "on"},
        )
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Refused(
            f"no database to read at {without_password(url)}: {error or type(error).__name__}. Start it with "
            f"`eddyline up`, set EDDYLINE_DATABASE_URL, or {otherwise}"
        ) from error
    try:
        yield pool
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        raise Refused(
            f"there is no log of this version of Eddyline in {without_password(url)} ({error}): `eddyline up` makes "
            f"its tables; or {otherwise}"
        ) from error
    finally:
        pool.terminate()
