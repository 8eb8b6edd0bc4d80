from __future__ import annotations

import asyncpg
import pytest

from eddyline_eventlog.database import is_transient


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.InterfaceError("connection is closed"),
        # Seen when the server was killed while a statement was being sent; it ended the log writer once.
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    ],
)
def test_a_database_that_went_away_is_waited_for(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error", [asyncpg.UndefinedTableError("no table"), asyncpg.DataError("bad"), ValueError()]
)
def test_a_fault_of_ours_is_not_waited_for(error: Exception) -> None:
    assert not is_transient(error)
