"""The feature-store put together: log, bus, state from a snapshot, followers, HTTP last."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from nats.aio.client import Client

from eddyline_eventlog.database import database
from eddyline_eventlog.patience import Patience
from eddyline_eventlog.port import Log, LogUnavailable
from eddyline_eventlog.postgres import PostgresLog
from eddyline_eventlog.pushed import PushedLog
from eddyline_feature_store import metrics
from eddyline_feature_store.answering import Answering
from eddyline_feature_store.browsing import Browsing
from eddyline_feature_store.index_keeper import IndexKeeper
from eddyline_feature_store.live_fold import LiveFold
from eddyline_feature_store.routes import API, FOLD, item, user
from eddyline_feature_store.settings import FeatureStoreSettings
from eddyline_feature_store.snapshots import Snapshots
from eddyline_feature_store.snapshotter import Snapshotter
from eddyline_features.state import State
from eddyline_features.view import load_view
from eddyline_runtime.alongside import alongside
from eddyline_runtime.bus import connected
from eddyline_runtime.clock import Clock, system_clock
from eddyline_runtime.health import Readiness
from eddyline_runtime.web_app import make_app, serving

CONDITION = "caught_up"
_LAG_EVERY_S = 5.0


@dataclass(frozen=True)
class RunningFeatureStore:
    """What a started feature-store tells its starter."""

    url: str
    fold: LiveFold


@asynccontextmanager
async def running(settings: FeatureStoreSettings) -> AsyncIterator[RunningFeatureStore]:
    """Run the feature-store on the log in PostgreSQL; waits for the database and the bus to be there."""
    async with (
        connected(settings.nats_url, "feature-store") as client,
        database(settings.database_url, name="feature-store") as pool,
        hosting(settings, client, PushedLog(PostgresLog(pool), client)) as hosted,
    ):
        yield hosted


@asynccontextmanager
async def hosting(
    settings: FeatureStoreSettings, client: Client, log: Log, clock: Clock = system_clock
) -> AsyncIterator[RunningFeatureStore]:
    """Host the fold of any log while the block runs; leaving takes a last snapshot."""
    view = load_view(settings.config.read_text())
    log_id, target = await _known(log)
    snapshots = Snapshots(client, view, log_id)
    state = await snapshots.newest_state(target) or State(view)
    fold = LiveFold(state, log, target=target, snapshot_events=settings.snapshot_events, clock=clock)
    answering = Answering(
        client, fold, max_waiters=settings.max_waiters, max_wait_ms=settings.max_wait_ms, clock=clock
    )
    snapshotter = Snapshotter(client, snapshots, fold, snapshot_events=settings.snapshot_events)
    keeper = IndexKeeper(state, settings.exact_items)
    readiness = Readiness(CONDITION)

    async def get_ready() -> None:
        await fold.caught_up.wait()
        # What was built up to here stays; collections need not walk it while questions wait.
        gc.collect()
        gc.freeze()
        readiness.set(CONDITION)

    async def watch_lag() -> None:
        while True:
            with suppress(LogUnavailable):
                metrics.LAG.set(max(0, await log.last() - fold.state.sequence))
            await asyncio.sleep(_LAG_EVERY_S)

    browsing = Browsing(fold, max_wait_ms=settings.max_wait_ms)
    app = _app(fold, browsing, readiness, target)
    parts = (fold.run(), answering.run(), snapshotter.run(), keeper.run(), get_ready(), watch_lag())
    async with alongside(*parts), serving(app, settings.host, settings.port) as url:
        yield RunningFeatureStore(url, fold)
    await snapshotter.last_one()


async def _known(log: Log) -> tuple[str, int]:
    """Which log it is and where it ends, as soon as that can be known."""
    patience = Patience("log")
    while True:
        try:
            told = await log.identity(), await log.last()
        except LogUnavailable as error:
            await patience.wait(error)
        else:
            patience.over()
            return told


def _app(fold: LiveFold, browsing: Browsing, readiness: Readiness, target: int) -> web.Application:
    def details() -> dict[str, Any]:
        return {"view": fold.state.view.id, "sequence": fold.state.sequence, "target": target}

    app = make_app(
        API,
        readiness=readiness,
        details=details,
    )
    app[FOLD] = fold
    app.router.add_get("/v1/items/{item}", item)
    app.router.add_get("/v1/users/{user}", user)
    app.router.add_get("/v1/similar/{item}", browsing.similar)
    app.router.add_get("/v1/trending", browsing.trending)
    return app
