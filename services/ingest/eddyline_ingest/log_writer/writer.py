"""Becoming the one writer, staying it through outages, and stepping back when another one is active."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from nats.aio.client import Client

from eddyline_eventlog.appending import Appender, WriterReplaced
from eddyline_eventlog.database import when_back
from eddyline_eventlog.migrate import migrate
from eddyline_eventlog.patience import Patience
from eddyline_eventlog.port import LogUnavailable
from eddyline_ingest.jetstream import is_transient
from eddyline_ingest.log_writer import metrics
from eddyline_ingest.log_writer.adoption import adopt
from eddyline_ingest.log_writer.caring import care_for_inbox
from eddyline_ingest.log_writer.reader import InboxReader
from eddyline_ingest.log_writer.settings import LogWriterSettings
from eddyline_ingest.log_writer.streams import ensure_inbox, ensure_rejected, write_epoch
from eddyline_ingest.log_writer.writing import Writing
from eddyline_runtime.health import Readiness

log = logging.getLogger(__name__)
DATABASE, INBOX = "database", "inbox"
_STANDBY_S = 0.25


class LogWriter:
    """One of any number of writers, of which one is active."""

    def __init__(self, settings: LogWriterSettings, bus: Client, readiness: Readiness) -> None:
        self._settings = settings
        self._bus = bus
        self._readiness = readiness
        self.role = "starting"
        """``starting``, ``standby`` or ``active``."""

    async def run(self) -> NoReturn:
        """Write whenever this is the active one; never returns.

        Raises
        ------
        UnusableDatabase, UnusableInbox
            What no waiting can mend.
        """
        await when_back(self._settings.database_url, migrate)
        patience = Patience("database")
        while True:
            try:
                appender = await Appender.acquire(self._settings.database_url)
            except LogUnavailable as error:
                self._readiness.set(DATABASE, False)
                await patience.wait(error)
                continue
            patience.over()
            self._readiness.set(DATABASE)
            if appender is None:
                self._become("standby")
                # Nothing to wait for: the other one writes.
                self._readiness.set(INBOX)
                await asyncio.sleep(_STANDBY_S)
                continue
            self._become("active")
            metrics.CURSOR.set(appender.cursor.sequence)
            self._readiness.set(INBOX, False)
            try:
                await self._while_allowed(appender)
            except (LogUnavailable, WriterReplaced) as error:
                log.warning("stopped writing: %s", error)
            finally:
                metrics.ACTIVE.set(0)
                await appender.close()

    def _become(self, role: str) -> None:
        if self.role != role:
            log.info("this writer is %s", role)
        self.role = role
        metrics.ACTIVE.set(role == "active")

    async def _while_allowed(self, appender: Appender) -> None:
        """Write until the lock is gone, and then stop at once."""
        tasks = {
            asyncio.create_task(appender.watch()),
            asyncio.create_task(self._write(appender)),
            asyncio.create_task(care_for_inbox(self._bus, appender)),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _write(self, appender: Appender) -> NoReturn:
        patience = Patience("bus")
        while True:
            try:
                async with InboxReader(self._bus, batch=self._settings.batch_rows) as reader:
                    epoch = await self._open(reader, appender)
                    patience.over()
                    self._readiness.set(INBOX)
                    rows = self._settings.batch_rows
                    await Writing(self._bus, reader, appender, epoch, rows, self._make_rejected).run()
            except Exception as error:
                self._readiness.set(INBOX, False)
                if not is_transient(error):
                    raise
                await patience.wait(error)
            self._readiness.set(INBOX, False)

    async def _make_rejected(self) -> None:
        await ensure_rejected(self._bus, self._settings)

    async def _open(self, reader: InboxReader, appender: Appender) -> int:
        """Make the streams as they should be, settle the epoch, and start reading after the log's cursor."""
        await self._make_rejected()
        inbox = await ensure_inbox(self._bus, self._settings, appender.cursor)
        adoption = adopt(appender.cursor, inbox)
        # First the stream, which others read, then the log: a crash in between is met by `adopt`.
        await write_epoch(self._bus, adoption.epoch)
        await appender.adopt(adoption.epoch, inbox.created)
        await reader.open(adoption.after)
        log.info(
            "reading the inbox",
            extra={"epoch": adoption.epoch, "after": adoption.after, "why": adoption.why},
        )
        return adoption.epoch
