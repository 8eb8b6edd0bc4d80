"""Supervises stand-ins until SIGTERM, as a process of its own that a test can kill.

``python supervised_stand_ins.py FOLDER '["a", "b --child"]'``: each word list is a name and options of a stand-in.
Writes ``FOLDER/pids.json`` when all are ready.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp

from eddyline_cli.servers.processes import free_port
from eddyline_cli.supervisor.data_lock import locked
from eddyline_cli.supervisor.probes import health_probe
from eddyline_cli.supervisor.spec import Spec
from eddyline_cli.supervisor.supervisor import Supervisor
from eddyline_cli.supervisor.watchdog import Watchdog

STAND_IN = Path(__file__).with_name("stand_in.py")


def a_spec(
    folder: Path, name: str, *options: str, session: aiohttp.ClientSession, timeout_s: float = 5.0
) -> Spec:
    """A stand-in as a process to supervise; it notes its start and end in ``folder/notes``."""
    port = free_port()
    command = [
        sys.executable,
        str(STAND_IN),
        str(port),
        "--name",
        name,
        "--notes",
        str(folder / "notes"),
        *options,
    ]
    url = f"http://127.0.0.1:{port}"
    return Spec(
        name=name,
        command=command,
        log=folder / f"{name}.log",
        probe=health_probe(session, url),
        url=url,
        stop_timeout_s=timeout_s,
    )


async def _main(folder: Path, told: list[str], lock: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    watchdog = Watchdog(lock, grace_s=1.0)
    supervisor = Supervisor(watchdog, say=lambda line: print(line, flush=True))
    async with aiohttp.ClientSession() as session:
        specs = [a_spec(folder, *line.split(), session=session) for line in told]
        supervisor.start(specs)
        watching = asyncio.create_task(supervisor.watch())
        await supervisor.ready([s.name for s in specs], deadline_s=20)
        pids = {name: process.pid for name, process in supervisor.processes.items()}
        (folder / "pids.json.new").write_text(json.dumps({**pids, "guard": watchdog.pid}))
        (folder / "pids.json.new").rename(folder / "pids.json")
        await stop.wait()
        watching.cancel()
        await supervisor.stop([[s.name] for s in specs])
    watchdog.close()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    with locked(place) as descriptor:
        asyncio.run(_main(place, json.loads(sys.argv[2]), descriptor))
