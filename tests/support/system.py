"""A whole Eddyline as its users run it: `eddyline up` as a process, on free ports, in a temporary folder."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from eddyline_cli.servers.processes import start
from tests.support.waiting import wait_until

EDDYLINE = str(Path(sys.executable).with_name("eddyline"))


class System:
    """Handles of a running system."""

    def __init__(self, data: Path, process: subprocess.Popen[bytes], client: aiohttp.ClientSession) -> None:
        self.data = data
        self.process = process
        self.client = client

    @property
    def state(self) -> dict[str, Any]:
        """What `eddyline up` wrote down: urls and processes."""
        told: dict[str, Any] = json.loads((self.data / "state.json").read_text())
        return told

    def url(self, name: str) -> str:
        """Address of a process by its name."""
        url: str = self.state["processes"][name]["url"]
        return url

    def pid(self, name: str) -> int:
        """Its process id now."""
        pid: int = self.state["processes"][name]["pid"]
        return pid

    @property
    def database_url(self) -> str:
        url: str = self.state["database_url"]
        return url

    @property
    def nats_url(self) -> str:
        url: str = self.state["nats_url"]
        return url

    def kill(self, name: str) -> int:
        """``kill -9`` and the pid that it had."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    async def replaced(
        self, name: str, old_pid: int, *, health: str = "ready", deadline_s: float = 90.0
    ) -> None:
        """Wait until the supervisor has started it anew and it is well."""
        await wait_until(lambda: self.pid(name) not in (0, old_pid), deadline_s)
        if self.url(name).startswith("http"):
            await wait_until(lambda: self.ready(name, health), deadline_s)

    async def ready(self, name: str, health: str = "ready") -> bool:
        """Whether a service says that it is ``ready`` (or ``live``)."""
        try:
            async with self.client.get(f"{self.url(name)}/health/{health}") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, KeyError):
            # One that was needed for a while only may be gone.
            return False

    async def logged(self) -> int:
        """Rows of the log."""
        import asyncpg

        conn = await asyncpg.connect(self.database_url)
        try:
            count: int = await conn.fetchval("SELECT count(*) FROM event_log")
            return count
        finally:
            await conn.close()


@asynccontextmanager
async def a_system(folder: Path, config: Path, *options: str, **environ: str) -> AsyncIterator[System]:
    """Start everything, wait until it is ready, and stop it at the end."""
    data = folder / ".eddyline"
    log = folder / "up.log"
    with log.open("wb") as sink:
        process = start(
            [EDDYLINE, "up", "--config", str(config), "--data", str(data), "--free-ports", *options],
            log=sink,
            cwd=folder,
            environ={**os.environ, **environ},
        )
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as client:
            system = System(data, process, client)

            async def everything_is_ready() -> bool:
                assert process.poll() is None, log.read_text()
                if not (data / "state.json").exists():
                    return False
                names = [n for n, p in system.state["processes"].items() if str(p["url"]).startswith("http")]
                return bool(names) and all(await asyncio.gather(*map(system.ready, names)))

            await wait_until(everything_is_ready, 60)
            yield system
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
