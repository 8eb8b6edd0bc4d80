"""Ingest put together: HTTP first, so that clients are told to come back while the bus is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from eddyline_ingest import feedback
from eddyline_ingest.doors import DOORS, Doors
from eddyline_ingest.inbox import BUS, INBOX, Inbox
from eddyline_ingest.publishing import Publisher
from eddyline_ingest.routes import API as EVENTS_API
from eddyline_ingest.routes import post_events
from eddyline_ingest.settings import IngestSettings
from eddyline_runtime.alongside import alongside
from eddyline_runtime.bus import connected
from eddyline_runtime.clock import Clock, system_clock
from eddyline_runtime.health import Readiness
from eddyline_runtime.web_app import make_app, serving

API = replace(EVENTS_API, operations=[*EVENTS_API.operations, *feedback.OPERATIONS])


@dataclass(frozen=True)
class RunningIngest:
    """What a started ingest tells its starter."""

    url: str


@asynccontextmanager
async def running(settings: IngestSettings, clock: Clock = system_clock) -> AsyncIterator[RunningIngest]:
    """Run ingest; it waits for the bus and the inbox by itself."""
    readiness = Readiness(BUS, INBOX)
    doors = Doors(clock)

    async def work() -> None:
        async with connected(settings.nats_url, "ingest") as bus:
            inbox = Inbox(bus, readiness)
            publisher = Publisher(
                bus, inbox, max_pending_bytes=settings.max_pending_bytes, patience_s=settings.patience_s
            )
            async with alongside(inbox.run(), publisher.run()):
                doors.open(bus, inbox, publisher)
                await asyncio.Event().wait()

    app = make_app(
        API,
        readiness=readiness,
        max_body_bytes=settings.max_body_bytes,
    )
    app[DOORS] = doors
    app.router.add_post("/v1/events", post_events)
    app.router.add_post("/feedback", feedback.post_feedback)
    # HTTP is left first: requests under way are answered before the bus goes.
    async with alongside(work()), serving(app, settings.host, settings.port) as url:
        yield RunningIngest(url)
