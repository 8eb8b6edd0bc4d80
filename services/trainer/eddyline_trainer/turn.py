"""One trainer at a time: whoever holds the database's lock makes models and champions, others stand by.

Two that work at once would take the champion's place from each other, above all where their views differ; so a trainer
with a changed view may be started while the old one still runs, and follows on when that one ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import NoReturn

import asyncpg

from eddyline_eventlog.database import CONNECT_TIMEOUT_S, connect, is_transient
from eddyline_eventlog.patience import Patience
from eddyline_trainer import metrics

log = logging.getLogger(__name__)
_LOCK = 0x0EDD_0003
_ASK_EVERY_S = 0.25
_CHECK_EVERY_S = 10.0
_CHECKED_WITHIN_S = 10.0
ACTIVE, STANDBY, WAITING = "active", "standby", "waiting"


class AnotherTrainer(Exception):
    """While the database was away another trainer got the turn: what this one knows may be behind."""


class Turn:
    """The lock, held by a connection of its own: who loses the connection loses the turn.

    A network that parts tells neither side. The server ends the connection some day, and somebody else gets the turn;
    so who has it asks from time to time whether the connection is still one.
    """

    def __init__(
        self,
        database_url: str,
        on_change: Callable[[str], None] = lambda role: None,
        *,
        check_every_s: float = _CHECK_EVERY_S,
        checked_within_s: float = _CHECKED_WITHIN_S,
    ) -> None:
        self.role = WAITING
        """`WAITING` for the database, `STANDBY` while another trainer works, or `ACTIVE`."""
        self._url = database_url
        self._on_change = on_change
        self._check_every_s = check_every_s
        self._checked_within_s = checked_within_s
        self._conn: asyncpg.Connection | None = None
        self._lost = asyncio.Event()

    async def take(self) -> None:
        """Wait for the turn, through outages and for as long as another trainer works."""
        patience = Patience("database")
        while True:
            try:
                if await self._try():
                    break
                patience.over()
                self._become(STANDBY)
                await asyncio.sleep(_ASK_EVERY_S)
            except Exception as error:
                if not is_transient(error):
                    raise
                await self._drop()
                await patience.wait(error)
        patience.over()
        self._become(ACTIVE)

    async def hold(self) -> NoReturn:
        """Keep it: return never. After an outage of the database it is taken again.

        Raises
        ------
        AnotherTrainer
            If somebody else was faster.
        """
        while True:
            await self._until_lost()
            await self._drop()
            patience = Patience("database")
            while True:
                try:
                    if not await self._try():
                        raise AnotherTrainer(
                            "another trainer took over while the database was away: this one starts anew, and stands by"
                        )
                    break
                except Exception as error:
                    if not is_transient(error):
                        raise
                    await self._drop()
                    await patience.wait(error)
            patience.over()

    async def give_back(self) -> None:
        """Let the next one have it; does nothing without it."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(Exception):
                await conn.close(timeout=CONNECT_TIMEOUT_S)

    async def _until_lost(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._check_every_s):
                    await self._lost.wait()
                return
            try:
                if self._conn is not None:
                    await self._conn.execute("SELECT 1", timeout=self._checked_within_s)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("the database does not answer on the trainer's lock: it is taken anew")
                return

    async def _try(self) -> bool:
        if self._conn is None or self._conn.is_closed():
            self._lost.clear()
            self._conn = await connect(self._url, name="trainer-turn")
            self._conn.add_termination_listener(self._hear)
        got: bool = await self._conn.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK)
        return got

    def _hear(self, conn: object) -> None:
        # The end of one that was given up before is no news.
        if conn is self._conn:
            self._lost.set()

    async def _drop(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.terminate()

    def _become(self, role: str) -> None:
        if role != self.role:
            self.role = role
            metrics.ACTIVE.set(role == ACTIVE)
            log.info("trainer is %s", role)
            self._on_change(role)
