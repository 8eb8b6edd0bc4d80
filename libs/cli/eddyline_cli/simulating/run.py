"""A simulation on a running Eddyline: from the catalogue to the summary."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import msgspec
from rich.console import Console

from eddyline_cli.data_folder import RunState, read_state
from eddyline_cli.demo.freshness import freshness
from eddyline_cli.simulating.catalogue import make_catalogue
from eddyline_cli.simulating.live_figures import LiveFigures
from eddyline_cli.simulating.people import make_people
from eddyline_cli.simulating.phases import Phases
from eddyline_cli.simulating.summary import SimulationSummary, summarise
from eddyline_cli.simulating.target import Target
from eddyline_cli.simulating.traffic import Traffic
from eddyline_cli.simulating.watching import Watch

_LOOK_EVERY_S = 0.25


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated."""

    users: int = 400
    items: int = 2_000
    rate: float = 60.0
    """Lists a second."""
    seconds: float = 120.0
    shift_at: float | None = None
    """Seconds after the start."""
    seed: int = 1
    recommend: float = 0.0
    """Share of the people for whom ``/v1/recommend`` chooses."""


async def simulate(screen: Console, target: Target, options: Options) -> SimulationSummary:
    """Let people come, show how it stands, and measure.

    Raises
    ------
    ExceptionGroup
        Of what `Traffic.run` raises.
    """
    phases = Phases(options.seconds, options.shift_at)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        watch = Watch(session, target)
        figures: LiveFigures | None = None

        def waits(why: str) -> None:
            if figures is not None:
                figures.waits(why)

        traffic = Traffic(
            session,
            target,
            make_catalogue(options.items, options.seed),
            make_people(options.users, options.seed),
            phases,
            rate=options.rate,
            seed=options.seed,
            recommend=options.recommend,
            on_acknowledged=lambda ids: figures.answered() if figures is not None else None,
            on_wait=waits,
        )
        began = time.monotonic()
        figures = LiveFigures(screen, traffic, watch)
        with figures:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(watch.run())
                drawing = tasks.create_task(_draw(figures))
                await traffic.run()
                watching.cancel()
                drawing.cancel()
        seconds = time.monotonic() - began
        state = None if target.data is None else read_state(target.data)
        fresh = None if state is None else await freshness(session, state)
        found = summarise(traffic, fresh, seed=options.seed, seconds=seconds)
        return msgspec.structs.replace(found, restarts=_restarts(state))


async def _draw(figures: LiveFigures) -> None:
    while True:
        figures.show()
        await asyncio.sleep(_LOOK_EVERY_S)


def _restarts(state: RunState | None) -> int | None:
    return None if state is None else sum(process.restarts for process in state.processes.values())
