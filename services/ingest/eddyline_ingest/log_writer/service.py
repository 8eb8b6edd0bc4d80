"""The log writer put together: health first, so that it can be asked while it waits for bus and database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from eddyline_ingest.log_writer.settings import LogWriterSettings
from eddyline_ingest.log_writer.writer import DATABASE, INBOX, LogWriter
from eddyline_runtime.alongside import alongside
from eddyline_runtime.bus import connected
from eddyline_runtime.health import Readiness
from eddyline_runtime.openapi import Api
from eddyline_runtime.web_app import make_app, serving

BUS = "bus"
API = Api(
    title="Eddyline log writer",
    description="Takes events out of the inbox in their order, each once, and writes them into the log. One is active, "
    "others stand by. It has no calls of its own.",
    default_port=LogWriterSettings.port,
)


@dataclass
class RunningLogWriter:
    """What a started log writer tells its starter."""

    url: str
    writer: LogWriter | None = None
    """Once the bus is there."""


@asynccontextmanager
async def running(settings: LogWriterSettings) -> AsyncIterator[RunningLogWriter]:
    """Run the log writer; it waits for bus and database by itself."""
    readiness = Readiness(BUS, DATABASE, INBOX)
    state = RunningLogWriter("")

    def details() -> dict[str, Any]:
        writer = state.writer
        return {} if writer is None else {"role": writer.role}

    async def write() -> None:
        async with connected(settings.nats_url, "log-writer") as bus:
            readiness.set(BUS)
            state.writer = LogWriter(settings, bus, readiness)
            await state.writer.run()

    app = make_app(
        API,
        readiness=readiness,
        details=details,
    )
    async with serving(app, settings.host, settings.port) as url, alongside(write()):
        state.url = url
        yield state
