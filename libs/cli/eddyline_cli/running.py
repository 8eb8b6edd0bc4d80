"""A whole Eddyline for the length of a block: what `up` and `demo` share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp

from eddyline_cli.changing.changeover import Changeover
from eddyline_cli.data_folder import ProcessState, RunState, forget_state, write_state
from eddyline_cli.fleet import Fleet
from eddyline_cli.servers.processes import ServerFailed
from eddyline_cli.supervisor.supervisor import Say, StartFailed, Supervisor
from eddyline_cli.supervisor.watchdog import Watchdog
from eddyline_eventlog.migrate import migrate
from eddyline_features.view import View
from eddyline_runtime.alongside import end
from eddyline_runtime.clock import system_clock

_SERVERS_DEADLINE_S = 60.0


@asynccontextmanager
async def running(
    fleet: Fleet, *, view: View, declaration: str, lock: int, say: Say, deadline_s: float = 86_400.0
) -> AsyncIterator[Changeover]:
    """Start everything, yield when all is ready, stop everything in order at the end.

    Parameters
    ----------
    view, declaration
        What the configuration declares, and its text.
    lock
        File descriptor of the lock on the data folder; the guard holds it until the last process is gone.
    deadline_s
        How long services may take to be ready; a large log takes its time to fold.

    Raises
    ------
    StartFailed
        If something does not come up; what did is stopped again.
    """
    started_at = system_clock()
    watchdog = Watchdog(lock)
    phase = "starting"

    def write_down() -> None:
        try:
            write_state(fleet.data, _state_of(fleet, supervisor, changeover, phase, started_at))
        except OSError as error:
            # Other commands see less; everything runs on.
            say(f"the state cannot be written down: {error}")

    supervisor = Supervisor(watchdog, say=say, on_change=write_down)
    tasks = [asyncio.create_task(supervisor.watch())]
    try:
        async with aiohttp.ClientSession() as session:
            changeover = Changeover(
                fleet, supervisor, session, view=view, declaration=declaration, say=say, on_change=write_down
            )
            try:
                await _start(fleet, supervisor, changeover, say, deadline_s)
                phase = "ready"
                write_down()
                tasks.append(asyncio.create_task(changeover.run()))
                yield changeover
            finally:
                phase = "stopping"
                await end(tasks)
                await supervisor.stop(fleet.stop_order)
    finally:
        forget_state(fleet.data)
        watchdog.close()


async def _start(
    fleet: Fleet, supervisor: Supervisor, changeover: Changeover, say: Say, deadline_s: float
) -> None:
    if fleet.servers:
        say(f"starting {' and '.join(fleet.servers)}")
        try:
            supervisor.start(fleet.server_specs())
        except ServerFailed as error:
            raise StartFailed(str(error)) from error
        await supervisor.ready(fleet.servers, deadline_s=_SERVERS_DEADLINE_S)
    if fleet.nats_url is not None:
        await _find_bus(fleet.nats_url)
    await _tables(fleet)
    specs = await changeover.begin()
    names = [spec.name for spec in specs]
    say(f"starting {', '.join(names)}")
    supervisor.start(specs)
    await supervisor.ready(names, deadline_s=deadline_s)


async def _find_bus(urls: str) -> None:
    """Services would wait for a bus for ever; a wrong address should be told at once."""
    for url in urls.split(","):
        parts = urlsplit(url.strip())
        try:
            async with asyncio.timeout(5):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port or 4222)
            writer.close()
            return
        except (OSError, TimeoutError):
            continue
    raise StartFailed(f"no nats-server answers at EDDYLINE_NATS_URL={urls}: start it, or unset the variable")


async def _tables(fleet: Fleet) -> None:
    try:
        await migrate(fleet.database)
    except Exception as error:
        where = "the embedded PostgreSQL" if fleet.database_url is None else "EDDYLINE_DATABASE_URL"
        raise StartFailed(
            f"the tables cannot be made or brought up to date in {where}: {type(error).__name__}: {error}\n"
            "`eddyline doctor` looks at the database; its address and rights must be right, its tables not newer"
        ) from error


def _state_of(
    fleet: Fleet, supervisor: Supervisor, changeover: Changeover, phase: str, started_at: int
) -> RunState:
    return RunState(
        pid=os.getpid(),
        phase=phase,
        started_at=started_at,
        config=str(fleet.config),
        view=changeover.view,
        declared=changeover.declared,
        former_view=changeover.former,
        nats_url=fleet.bus,
        database_url=fleet.database,
        processes={
            name: ProcessState(
                pid=process.pid or 0,
                url=process.spec.url,
                phase=process.phase.value,
                restarts=process.restarts,
                last_exit=process.last_exit,
                log=str(process.spec.log),
            )
            for name, process in supervisor.processes.items()
        },
    )
