"""Simulated people at a system that is killed as a whole and started again: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from pathlib import Path

import aiohttp
import asyncpg

from eddyline_cli.servers.processes import start
from eddyline_cli.simulating.catalogue import make_catalogue
from eddyline_cli.simulating.people import make_people
from eddyline_cli.simulating.phases import Phases
from eddyline_cli.simulating.target import Target
from eddyline_cli.simulating.traffic import Traffic
from tests.support.system import EDDYLINE, System, a_system
from tests.support.waiting import wait_until

SHOP = Path(__file__).parents[2] / "examples" / "simulated-shop.yaml"
KILLS, SEED = 2, 5


async def logged(database_url: str) -> list[str]:
    conn = await asyncpg.connect(database_url)
    try:
        return [row[0] for row in await conn.fetch("SELECT event_id FROM event_log")]
    finally:
        await conn.close()


def started_again(system: System, folder: Path) -> subprocess.Popen[bytes]:
    """On the same data; at other ports, which the simulation has to find."""
    command = [
        EDDYLINE,
        "up",
        "--config",
        str(SHOP),
        "--data",
        str(system.data),
        "--free-ports",
        "--frozen-ranker",
    ]
    with (folder / "again.log").open("wb") as sink:
        return start(command, log=sink, cwd=folder, environ=dict(os.environ))


async def test_whatever_was_acknowledged_is_logged_once_however_often_everything_is_killed(
    tmp_path: Path,
) -> None:
    rng = random.Random(SEED)
    acknowledged: list[str] = []
    async with a_system(tmp_path, SHOP, "--frozen-ranker") as system, aiohttp.ClientSession() as session:
        traffic = Traffic(
            session,
            Target(data=system.data),
            make_catalogue(1_500, SEED),
            make_people(60, SEED),
            Phases(600.0, 3.0),
            rate=40.0,
            seed=SEED,
            recommend=0.5,
            on_acknowledged=acknowledged.extend,
        )
        people = asyncio.create_task(traffic.run())
        try:
            for _ in range(KILLS):
                # Somewhere in the midst of things: the catalogue is being sent, or people click.
                target = len(acknowledged) + rng.randint(1, 250)
                await wait_until(lambda target=target: len(acknowledged) >= target or people.done(), 60)
                os.kill(system.process.pid, signal.SIGKILL)
                system.process.wait()
                system.process = started_again(system, tmp_path)
                target = len(acknowledged) + 100
                await wait_until(lambda target=target: len(acknowledged) >= target or people.done(), 60)
            assert not people.done(), people
            # No more people; what they did is sent to the end.
            traffic.phases = Phases(traffic.seconds, 3.0)
            await asyncio.wait_for(people, 60)
            assert traffic.repeated > 0
            # Both kinds of lists were shown, each to people of its own.
            ordered, chosen = traffic.outcomes.shown, traffic.outcomes.recommended
            assert ordered
            assert chosen
            assert not {each.user for each in ordered} & {each.user for each in chosen}
            assert len(acknowledged) == len(set(acknowledged)) == traffic.acknowledged
            assert sum("-click-" in event_id for event_id in acknowledged) > 50

            async def all_logged() -> bool:
                ids = await logged(system.database_url)
                assert len(ids) == len(set(ids))
                return set(acknowledged) <= set(ids)

            await wait_until(all_logged, 30)
            system.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(system.process.wait, 60) == 0
        finally:
            people.cancel()
            if system.process.poll() is None:
                system.process.send_signal(signal.SIGTERM)
                system.process.wait(60)
