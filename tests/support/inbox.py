"""Ingest and the log writer, started in the test's own process, and what the bus and the log hold."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import aiohttp
import asyncpg
from nats.aio.client import Client

from eddyline_contracts.record import EPOCH_SHIFT, Record
from eddyline_contracts.subjects import EPOCH_METADATA, MSG_ID, ORIGIN, REASON, REASON_CODE, message_id
from eddyline_eventlog.database import connect
from eddyline_ingest import service as ingest_service
from eddyline_ingest.log_writer import service as log_writer_service
from eddyline_ingest.log_writer.service import RunningLogWriter
from eddyline_ingest.log_writer.settings import LogWriterSettings
from eddyline_ingest.settings import IngestSettings
from tests.support.waiting import wait_until


@asynccontextmanager
async def a_log_writer(nats_url: str, database_url: str, **settings: Any) -> AsyncIterator[RunningLogWriter]:
    """A log writer, yielded once it is ready: active, or standing by."""
    chosen = LogWriterSettings(port=0, nats_url=nats_url, database_url=database_url, **settings)
    async with log_writer_service.running(chosen) as running:
        await wait_until(lambda: is_ready(running.url))
        yield running


class Ingest:
    """A client of one ingest."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http

    async def post(self, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and decoded answer of ``POST /v1/events``; ``_`` in names of headers stands for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(f"{self.url}/v1/events", data=io.BytesIO(body), headers=named) as answer:
            return answer.status, json.loads(await answer.read())


@asynccontextmanager
async def an_ingest(nats_url: str, **settings: Any) -> AsyncIterator[Ingest]:
    """An ingest and a client of it, yielded once it takes events."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            ingest_service.running(IngestSettings(port=0, nats_url=nats_url, **settings))
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await wait_until(lambda: is_ready(running.url))
        yield Ingest(running.url, http)


async def is_ready(url: str) -> bool:
    """Whether a service says that it can do its work."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/health/ready") as answer:
        return answer.status == 200


async def metric(url: str, name: str) -> float:
    """Value of a metric of a service; 0 if it does not know it. ``name`` with its labels."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)


async def published(bus: Client, payload: bytes, *, event_id: str | None = None, **headers: str) -> int:
    """Publish straight into the inbox, as another service would; the message's number in the stream."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if event_id is not None:
        named[MSG_ID] = message_id(event_id)
    answer = await bus.request("events.any", payload, timeout=5, headers=named or None)
    told = json.loads(answer.data)
    assert "error" not in told, told
    return int(told["seq"])


async def inbox_epoch(bus: Client) -> str | None:
    """The epoch that the inbox stream is marked with, if there is a stream."""
    info = json.loads((await bus.request("$JS.API.STREAM.INFO.EVENTS", timeout=5)).data)
    epoch: str | None = info.get("config", {}).get("metadata", {}).get(EPOCH_METADATA)
    return epoch


@dataclass(frozen=True)
class Copy:
    """A message of REJECTED."""

    code: str
    reason: str
    origin: str
    payload: bytes
    headers: dict[str, str]


async def rejected(bus: Client) -> list[Copy]:
    """Everything in REJECTED, the oldest first."""
    js = bus.jetstream()
    copies = []
    info = await js.stream_info("REJECTED")
    for number in range(info.state.first_seq, info.state.last_seq + 1):
        message = await js.get_msg("REJECTED", number)
        headers = message.headers or {}
        copies.append(
            Copy(
                headers[REASON_CODE],
                unquote(headers[REASON]),
                unquote(headers[ORIGIN]),
                message.data or b"",
                headers,
            )
        )
    return copies


class Rows:
    """What the database holds; ``conn`` to change it behind everybody's back."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self.conn = conn

    async def all(self) -> list[Record]:
        """The log, in order."""
        rows = await self.conn.fetch(
            "SELECT sequence, event_id, type, received_at, recorded_at, payload FROM event_log ORDER BY sequence"
        )
        return [Record(*row) for row in rows]

    async def ids(self) -> list[str]:
        """Ids of the log's events, in order."""
        return [record.event_id for record in await self.all()]

    async def count(self) -> int:
        """Number of events in the log."""
        return int(await self.conn.fetchval("SELECT count(*) FROM event_log"))

    async def cursor(self) -> tuple[int, int]:
        """Epoch and number of the log's newest place."""
        sequence: int = await self.conn.fetchval("SELECT sequence FROM log_cursor")
        return divmod(sequence, 1 << EPOCH_SHIFT)

    async def reached(self, epoch: int, number: int, deadline_s: float = 10.0) -> None:
        """Wait until the log is decided up to this place."""

        async def is_there() -> bool:
            return await self.cursor() >= (epoch, number)

        await wait_until(is_there, deadline_s)


@asynccontextmanager
async def rows_of(database_url: str) -> AsyncIterator[Rows]:
    """Look into the database."""
    conn = await connect(database_url, name="test")
    try:
        yield Rows(conn)
    finally:
        await conn.close()
