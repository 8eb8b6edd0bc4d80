"""A service as a process of its own, for tests that kill it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from eddyline_cli.servers.processes import free_port, start, stop
from tests.support.waiting import wait_until


class ServiceProcess:
    """A running ``python -m <package>``."""

    def __init__(self, package: str, folder: Path, environ: dict[str, str]) -> None:
        self._package = package
        self._log = folder / f"{package}.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environ = {**os.environ, "EDDYLINE_PORT": str(self.port), **environ}
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as sink:
            return start([sys.executable, "-m", self._package], log=sink, environ=self._environ)

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """Stop it without ending it, as a machine that hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        stop(self.process)
        return self.process.returncode

    def restart(self) -> None:
        """Start it anew on the same port."""
        self.process = self._start()

    @property
    def log(self) -> str:
        """What it said so far."""
        return self._log.read_text()

    @property
    def maps(self) -> str:
        """The files that lie in its memory, the compiled modules among them."""
        return Path(f"/proc/{self.process.pid}/maps").read_text()

    async def ready(self, deadline_s: float = 20.0) -> None:
        """Wait until it says so."""

        async def says_so() -> bool:
            assert self.process.poll() is None, self.log
            try:
                async with aiohttp.ClientSession() as http, http.get(self.url + "/health/ready") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await wait_until(says_so, deadline_s)


@asynccontextmanager
async def a_process(package: str, folder: Path, environ: dict[str, str]) -> AsyncIterator[ServiceProcess]:
    """Run a service as a process; it is ended with the block."""
    service = ServiceProcess(package, folder, environ)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.thaw()
            service.kill()
