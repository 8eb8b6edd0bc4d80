"""The demo on a running Eddyline: from the first event to the summary."""

from __future__ import annotations

import math
import time
from functools import partial

import aiohttp
import asyncpg
from rich.console import Console

from eddyline_cli.data_folder import RunState
from eddyline_cli.demo.freshness import Freshness, freshness
from eddyline_cli.demo.history import measure
from eddyline_cli.demo.live import LiveLine
from eddyline_cli.demo.pacing import Pacing
from eddyline_cli.demo.prequential import ITEM_RATE, RANKER, SHOWN, Prequential
from eddyline_cli.demo.replay import Replay
from eddyline_cli.demo.settling import promotions_in, settled
from eddyline_cli.demo.summary import Baselines, Events, Summary
from eddyline_cli.demo.timings import percentiles
from eddyline_cli.report import SEQUENCE
from eddyline_cli.screen import say_on
from eddyline_cli.sending.ingest_client import IngestClient
from eddyline_cli.sending.log_position import LogPosition
from eddyline_cli.supervisor.probes import ask_health
from eddyline_features.view import View

_OWN_TYPES = ["model_promoted", "model_rolled_back", "model_added", "item_embedded"]
"""Events that Eddyline itself writes."""


async def run(screen: Console, state: RunState, path: str, view: View) -> Summary:
    """Send the file through the services at ``state`` and measure."""
    size = measure(path)
    say_on(screen, f"{path}: {size.lines:,} events, of which {size.slates:,} slates")
    urls = {name: process.url for name, process in state.processes.items()}
    async with aiohttp.ClientSession() as session:
        trainer_at = partial(_trainer_at, session, urls["trainer"])
        pacing = Pacing(trainer_at, most_behind=max(2_000, size.lines // 8))
        ingest = IngestClient(session, urls["ingest"], on_wait=lambda why: say_on(screen, f"waiting: {why}"))
        began = time.monotonic()
        with LiveLine(screen, size) as line:
            replay = Replay(
                session, ingest, urls["ranker"], Prequential(view), pacing, lambda: line.show(replay)
            )
            await replay.send(path)
        await LogPosition(session, urls["log-writer"]).reached(replay.tally.sequence)
        seconds = time.monotonic() - began
        await settled(
            session,
            urls["trainer"],
            urls["ranker"],
            trainer_at,
            state.database_url,
            replay.tally.sequence,
        )
        fresh = await freshness(session, state)
    logged, promotions = await _count(state.database_url)
    return _summary(replay, pacing, fresh, logged=logged, promotions=promotions, seconds=seconds)


def _summary(
    replay: Replay, pacing: Pacing, fresh: Freshness, *, logged: int, promotions: int, seconds: float
) -> Summary:
    tally, measured = replay.tally, replay.measured
    judged = replay.judged.last_fifth()
    return Summary(
        events=Events(accepted=tally.accepted, logged=logged, refused=tally.refused),
        slates=replay.judged.n_slates,
        promotions=promotions,
        ndcg=_rounded(judged[RANKER].mean),
        ndcg_se=_rounded(judged[RANKER].se),
        judged_slates=judged[RANKER].n,
        baselines=Baselines(
            shown_order=_rounded(judged[SHOWN].mean), item_rate=_rounded(judged[ITEM_RATE].mean)
        ),
        event_to_slate_ms=percentiles(measured.event_to_slate_ms),
        freshness=fresh,
        rank_ms=percentiles(measured.rank_ms),
        degraded=dict(measured.degraded),
        waited_for_trainer_seconds=round(pacing.paused_s, 1),
        restarts=0,
        seconds=round(seconds, 1),
    )


async def _count(database_url: str) -> tuple[int, int]:
    """Events of clients in the log, and promotions there."""
    conn = await asyncpg.connect(database_url, timeout=10, command_timeout=60)
    try:
        logged: int = await conn.fetchval("SELECT count(*) FROM event_log WHERE type <> ALL($1)", _OWN_TYPES)
        return logged, await promotions_in(conn)
    finally:
        await conn.close()


async def _trainer_at(session: aiohttp.ClientSession, url: str) -> int | None:
    told = await ask_health(session, url)
    place = (told or {}).get("details", {}).get(SEQUENCE)
    return place if isinstance(place, int) else None


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
