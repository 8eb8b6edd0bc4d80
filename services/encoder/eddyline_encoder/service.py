"""The encoder put together: log, bus, what is unread, HTTP last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client

from eddyline_encoder.answering import Answering
from eddyline_encoder.following import Following
from eddyline_encoder.reading import Reading
from eddyline_encoder.settings import EncoderSettings
from eddyline_encoder.worker import Worker
from eddyline_encoding.choosing import Fixed, Source, source_of
from eddyline_encoding.encoder import EncoderUnusable
from eddyline_encoding.shelf import Shelf
from eddyline_eventlog.database import database
from eddyline_eventlog.patience import Patience
from eddyline_eventlog.port import Log, LogUnavailable
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_features.content_settings import Content
from eddyline_features.view import View, load_view
from eddyline_runtime.alongside import alongside
from eddyline_runtime.bus import connected
from eddyline_runtime.health import Readiness
from eddyline_runtime.openapi import Api
from eddyline_runtime.settings import SettingsError
from eddyline_runtime.web_app import make_app, serving

CONDITION = "caught_up"
API = Api(
    title="Eddyline encoder",
    description="Reads what items say through a text encoder, and logs what it read. It has no calls of its own: it "
    "follows the log.",
    default_port=EncoderSettings.port,
)


@dataclass(frozen=True)
class RunningEncoder:
    """What a started encoder tells its starter."""

    url: str
    reading: Reading
    worker: Worker
    """Where items are read."""


@asynccontextmanager
async def running(settings: EncoderSettings) -> AsyncIterator[RunningEncoder]:
    """Run the encoder on the log in PostgreSQL; waits for the database and the bus to be there.

    Raises
    ------
    SettingsError
        If the encoder that is named cannot be loaded.
    """
    async with (
        _encoder(settings) as (view, source, worker),
        connected(settings.nats_url, "encoder") as client,
        database(settings.database_url, name="encoder") as pool,
        _at_work(settings, view, source, worker, client, PushedLog(PostgresLog(pool), client)) as hosted,
    ):
        yield hosted


@asynccontextmanager
async def hosting(settings: EncoderSettings, client: Client, log: Log) -> AsyncIterator[RunningEncoder]:
    """Read the items of any log while the block runs, as `running`."""
    async with (
        _encoder(settings) as (view, source, worker),
        _at_work(settings, view, source, worker, client, log) as hosted,
    ):
        yield hosted


@asynccontextmanager
async def _encoder(settings: EncoderSettings) -> AsyncIterator[tuple[View, Source, Worker]]:
    """What is read, by what, and where: known before anybody is waited for."""
    view = load_view(settings.config.read_text())
    worker = Worker(settings.nice)
    try:
        try:
            source = await worker.do(source_of, settings.encoder, (view.content or Content()).dims)
        except EncoderUnusable as error:
            raise SettingsError(f"EDDYLINE_ENCODER={settings.encoder}: {error}") from error
        yield view, source, worker
    finally:
        await worker.close()


@asynccontextmanager
async def _at_work(
    settings: EncoderSettings, view: View, source: Source, worker: Worker, client: Client, log: Log
) -> AsyncIterator[RunningEncoder]:
    """Follow, read, answer.

    A view that has nothing to do with texts is no fault: its encoder follows the log, and what it reads costs little
    and is there when the view changes.
    """
    content = view.content or Content()
    shelf = Shelf(content.fields, view.limits.items)
    shelf.on_text = source.see
    following = Following(shelf, log, target=await _end_of(log))
    reading = Reading(
        following, source, client, worker, batch=settings.batch, cpu_percent=settings.cpu_percent
    )
    # A batch of texts takes long enough for everybody who asks meanwhile to go without an answer. Words are read in
    # no time, and their fit must be alone.
    urgent = Worker(0) if isinstance(source, Fixed) else worker
    answering = Answering(client, source, urgent)
    readiness = Readiness(CONDITION)

    async def get_ready() -> None:
        await following.caught_up.wait()
        await answering.open.wait()
        readiness.set(CONDITION)

    def details() -> dict[str, Any]:
        encoder = reading.encoder
        return {
            "view": view.id,
            "sequence": following.sequence,
            "encoder": None if encoder is None else encoder.id,
            "items": len(shelf),
            "unread": shelf.n_unread,
        }

    app = make_app(API, readiness=readiness, details=details)
    try:
        async with (
            alongside(following.run(), reading.run(), answering.run(), get_ready()),
            serving(app, settings.host, settings.port) as url,
        ):
            yield RunningEncoder(url, reading, worker)
    finally:
        await urgent.close()


async def _end_of(log: Log) -> int:
    patience = Patience("log")
    while True:
        try:
            last = await log.last()
        except LogUnavailable as error:
            await patience.wait(error)
        else:
            patience.over()
            return last
