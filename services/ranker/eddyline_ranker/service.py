"""The ranker put together: the bus in the background, a model from disk, HTTP last."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from eddyline_features.exploration import thompson
from eddyline_features.view import load_view
from eddyline_ranker import metarank_door, predict_routes, recommend_routes
from eddyline_ranker.batch import recommend_batch
from eddyline_ranker.books import Books
from eddyline_ranker.bus_link import BusLink
from eddyline_ranker.champion import CONDITION, ChampionWatch
from eddyline_ranker.explaining import Explaining
from eddyline_ranker.features_client import FeaturesClient
from eddyline_ranker.judging import Judge
from eddyline_ranker.outbox import Outbox
from eddyline_ranker.predicting import Predictor
from eddyline_ranker.ranker import Ranker
from eddyline_ranker.recommender import Recommender
from eddyline_ranker.remembered import RememberedAnswers
from eddyline_ranker.removals import Removals
from eddyline_ranker.routes import API as RANK_API
from eddyline_ranker.routes import EXPLAINING, MAX_REQUEST_BYTES, RANKER, REMEMBERED, rank
from eddyline_ranker.settings import RankerSettings
from eddyline_ranker.texts_asked import TextsAsked
from eddyline_runtime.alongside import alongside
from eddyline_runtime.clock import system_clock
from eddyline_runtime.health import Readiness
from eddyline_runtime.web_app import make_app, serving

API = replace(
    RANK_API,
    operations=[
        *RANK_API.operations,
        *recommend_routes.OPERATIONS,
        *predict_routes.OPERATIONS,
        *metarank_door.OPERATIONS,
    ],
)


@dataclass(frozen=True)
class RunningRanker:
    """What a started ranker tells its starter."""

    url: str
    champion: ChampionWatch
    outbox: Outbox


@asynccontextmanager
async def running(settings: RankerSettings) -> AsyncIterator[RunningRanker]:
    """Run the ranker while the block runs.

    Nothing is waited for: without bus, features or model it answers too, and says what is missing.
    """
    view = load_view(settings.config.read_text())
    readiness = Readiness(CONDITION)
    link = BusLink(settings.nats_url, "ranker")
    features = FeaturesClient(
        link, timeout_ms=settings.features_timeout_ms, retrieval_timeout_ms=settings.retrieval_timeout_ms
    )
    outbox = Outbox(link, limit=settings.outbox_slates)
    champion = ChampionWatch(
        link,
        features,
        readiness,
        state_dir=settings.state_dir,
        poll_ms=settings.champion_poll_ms,
        keep_first=settings.keep_first_model,
        declared=view,
    )
    removals = Removals(link, champion, view=view.id)
    if view.exploration.needs_deviations:
        thompson.load()
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="score")
    explainer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="explain")
    judge, books = Judge(executor), Books(outbox, settings.skew_share)
    texts = TextsAsked(link, view, timeout_ms=settings.encoder_timeout_ms)
    ranker = Ranker(
        champion,
        features,
        judge,
        books,
        texts,
        view=view.id,
        max_wait_ms=settings.max_wait_ms,
        exploration=view.exploration,
        clock=system_clock,
    )
    recommender = Recommender(
        champion,
        features,
        judge,
        books,
        texts,
        removals,
        view=view,
        max_wait_ms=settings.max_wait_ms,
        clock=system_clock,
    )

    def details() -> dict[str, Any]:
        model = champion.model
        return {
            "bus": link.up,
            "model": None if model is None else model.name,
            "view": view.id if model is None else model.view,
            "declared_view": view.id,
            "slates_waiting": len(outbox),
        }

    app = make_app(
        API,
        readiness=readiness,
        details=details,
        max_body_bytes=MAX_REQUEST_BYTES,
    )
    app[RANKER] = ranker
    app[EXPLAINING] = Explaining(view, explainer)
    app[REMEMBERED] = RememberedAnswers(settings.remembered_answers)
    app[recommend_routes.DOOR] = recommend_routes.Door(recommender, app[EXPLAINING], app[REMEMBERED], view)
    app[predict_routes.PREDICTOR] = Predictor(
        champion, features, judge, view=view, max_wait_ms=settings.max_wait_ms
    )
    app[metarank_door.DOOR] = metarank_door.Door(
        metarank_door.models_of(settings.metarank_models), view, champion
    )
    app.router.add_post("/v1/rank", rank)
    app.router.add_post("/v1/recommend", recommend_routes.recommend)
    app.router.add_post("/v1/recommend:batch", recommend_batch)
    app.router.add_post("/v1/predict", predict_routes.predict)
    app.router.add_post("/rank/{model}", metarank_door.rank)

    await champion.load_from_disk()
    with executor, explainer:
        async with alongside(link.run(), features.run(), outbox.run(), champion.run(), removals.run()):
            async with serving(app, settings.host, settings.port) as url:
                # What lives from here to the end need not be walked by every collection while requests wait.
                gc.collect()
                gc.freeze()
                yield RunningRanker(url, champion, outbox)
            await outbox.flush(settings.flush_ms / 1_000)
