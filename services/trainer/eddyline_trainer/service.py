"""Composition root of the trainer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from eddyline_eventlog.database import database
from eddyline_eventlog.patience import Patience
from eddyline_eventlog.port import Log, LogUnavailable
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_features.view import load_view
from eddyline_learning.explaining.sentences import Speaker
from eddyline_runtime.alongside import alongside
from eddyline_runtime.bus import connected
from eddyline_runtime.clock import system_clock
from eddyline_runtime.health import Readiness
from eddyline_runtime.web_app import make_app, serving
from eddyline_trainer import metrics
from eddyline_trainer.announcing import Announcer
from eddyline_trainer.desk import Desk
from eddyline_trainer.library import Library
from eddyline_trainer.registry import Registry
from eddyline_trainer.routes import API, DESK, add, columns, examples, models, promote, roll_back
from eddyline_trainer.sandbox import Limits
from eddyline_trainer.settings import TrainerSettings
from eddyline_trainer.skew_watch import told
from eddyline_trainer.slate_route import SLATES, look_at_slate
from eddyline_trainer.slates import Slates
from eddyline_trainer.training import Training
from eddyline_trainer.turn import STANDBY, Turn
from eddyline_trainer.worker import Worker

CONDITION = "caught_up"
_LAG_EVERY_S = 5.0


@dataclass(frozen=True)
class RunningTrainer:
    """What a started trainer tells its starter."""

    url: str
    training: Training


@asynccontextmanager
async def running(settings: TrainerSettings) -> AsyncIterator[RunningTrainer]:
    """Run the trainer on the log in PostgreSQL; waits for the database and the bus to be there.

    It stands by while another trainer works, and is ready meanwhile: there is nothing to wait for.
    """
    declaration = settings.config.read_text()
    view = load_view(declaration)
    readiness = Readiness(CONDITION)
    turn = Turn(settings.database_url, lambda role: readiness.set(CONDITION, role == STANDBY))
    async with (
        connected(settings.nats_url, "trainer") as client,
        database(settings.database_url, name="trainer") as pool,
    ):
        source = PushedLog(PostgresLog(pool), client)
        registry, library = Registry(pool), Library(pool)
        announcer = Announcer(client, library, every_ms=settings.announce_every_ms)
        worker = Worker(settings.nice)
        training = Training(
            view,
            source,
            registry,
            library,
            announcer,
            worker,
            declaration=declaration,
            folder=settings.state_dir,
            explained_impressions=settings.explained_impressions,
            clock=system_clock,
        )
        limits = Limits(
            us=settings.added_model_us,
            seconds=settings.added_model_seconds,
            megabytes=settings.added_model_memory_mib,
        )
        desk = Desk(
            view.id, training, source, registry, library, announcer, turn, limits=limits, clock=system_clock
        )

        async def work() -> None:
            await turn.take()
            known = await registry.known_cuts(view.id, training.learning)
            target = await _end_of(source)
            async with alongside(announcer.run(), turn.hold()):
                await training.run(known, target=target)

        async def watch() -> None:
            await training.caught_up.wait()
            readiness.set(CONDITION)
            while True:
                with suppress(LogUnavailable):
                    metrics.LAG.set(max(0, await source.last() - training.sequence))
                await asyncio.sleep(_LAG_EVERY_S)

        slates = Slates(pool, source, library, training, Speaker(view.explanations), clock=system_clock)
        app = _app(training, desk, slates, readiness, turn, settings.added_model_bytes)
        try:
            async with (
                alongside(work(), watch()),
                serving(app, settings.host, settings.port) as url,
            ):
                yield RunningTrainer(url, training)
        finally:
            await worker.close()
            await turn.give_back()


async def _end_of(source: Log) -> int:
    patience = Patience("log")
    while True:
        try:
            last = await source.last()
        except LogUnavailable as error:
            await patience.wait(error)
        else:
            patience.over()
            return last


def _app(
    training: Training, desk: Desk, slates: Slates, readiness: Readiness, turn: Turn, max_bytes: int
) -> web.Application:
    def details() -> dict[str, Any]:
        return {
            "role": turn.role,
            "view": training.learner.view.id,
            "sequence": training.sequence,
            "target": training.target,
            "champion": training.learner.champion_name,
            "contenders": len(training.learner.contenders),
            "examples": {
                "slates": len(training.learner.store),
                "rows": training.learner.store.n_rows,
                "digest": training.learner.digest,
            },
            "skew": told(training.learner),
            "held": training.learner.held,
        }

    app = make_app(
        API,
        readiness=readiness,
        details=details,
        max_body_bytes=max_bytes,
    )
    app[DESK] = desk
    app[SLATES] = slates
    app.router.add_get("/v1/slates/{slate}", look_at_slate)
    app.router.add_get("/v1/models", models)
    app.router.add_post("/v1/models", add)
    app.router.add_get("/v1/columns", columns)
    app.router.add_get("/v1/examples", examples)
    app.router.add_post("/v1/models/rollback", roll_back)
    app.router.add_post("/v1/models/{model}/promote", promote)
    return app
