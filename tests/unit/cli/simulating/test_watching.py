"""What the services say while people are simulated, read from metrics as the trainer writes them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import aiohttp
from aiohttp import web
from prometheus_client import generate_latest
from rich.console import Console

from eddyline_cli.data_folder import ProcessState, RunState, write_state
from eddyline_cli.simulating.catalogue import make_catalogue
from eddyline_cli.simulating.live_figures import LiveFigures
from eddyline_cli.simulating.people import make_people
from eddyline_cli.simulating.phases import Phases
from eddyline_cli.simulating.target import Target
from eddyline_cli.simulating.traffic import Traffic
from eddyline_cli.simulating.watching import Watch
from eddyline_runtime.web_app import serving
from eddyline_trainer.metrics import BREAKER_OPEN


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest())


async def test_that_nothing_is_learnt_since_clicks_have_stalled_is_told(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/metrics", _metrics)
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        trainer = ProcessState(pid=os.getpid(), url=url, phase="ready", restarts=0, last_exit=None, log="")
        state = RunState(
            pid=os.getpid(),
            phase="ready",
            started_at=0,
            config="",
            view="shop-1",
            nats_url="",
            database_url="",
            processes={"trainer": trainer},
        )
        write_state(tmp_path, state)
        target = Target(data=tmp_path)
        watch = Watch(session, target)
        traffic = Traffic(
            session, target, make_catalogue(2, 1), make_people(1, 1), Phases(1.0, None), rate=1.0, seed=1
        )
        figures = LiveFigures(Console(file=io.StringIO()), traffic, watch)
        for stalled in (True, False):
            BREAKER_OPEN.set(stalled)
            await watch.look()
            assert watch.holds is stalled
            assert ("clicks have stalled: nothing is learnt" in figures._line()) is stalled
