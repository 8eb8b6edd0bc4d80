"""Real servers and services to measure, each a process of its own, gone when the block is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_cli.servers.postgres import PostgresServer, start_postgres
from eddyline_cli.servers.processes import free_port, start, stop

_READY_S = 120.0


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    pid: int


@dataclass(frozen=True)
class Servers:
    """A nats-server and a PostgreSQL that sync to disk, and a folder."""

    folder: Path
    nats: NatsServer
    postgres: PostgresServer
    environ: Mapping[str, str]
    """What services have to be told."""

    @contextmanager
    def service(self, module: str, *, until: str = "ready", **environ: str) -> Iterator[Service]:
        """Run ``python -m module`` once it is ``ready`` (or ``live``)."""
        port, state = free_port(), self.folder / module
        told = {**self.environ, "EDDYLINE_PORT": str(port), "EDDYLINE_STATE_DIR": str(state), **environ}
        log = self.folder / f"{module}.log"
        with a_process([sys.executable, "-m", module], log, told) as process:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/health/{until}", process, log)
            yield Service(url, process.pid)


@contextmanager
def servers(config: str | None = None) -> Iterator[Servers]:
    """Start both servers; ``config`` is the eddyline.yaml of the services."""
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        # PostgreSQL may have to run as another user, who must be able to reach its data.
        folder.chmod(0o711)
        nats, postgres = start_nats(folder / "nats"), start_postgres(folder / "postgres")
        stack.callback(postgres.stop)
        stack.callback(nats.stop)
        environ = {"EDDYLINE_NATS_URL": nats.url, "EDDYLINE_DATABASE_URL": postgres.url}
        if config is not None:
            path = folder / "eddyline.yaml"
            path.write_text(config)
            environ["EDDYLINE_CONFIG"] = str(path)
        yield Servers(folder, nats, postgres, environ)


@contextmanager
def a_process(
    arguments: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process."""
    with log.open("ab") as sink:
        process = start(arguments, log=sink, environ={**os.environ, **(environ or {})})
    try:
        yield process
    finally:
        # One that was stopped for a while could not hear that it should end.
        process.send_signal(signal.SIGCONT)
        stop(process)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, body: bytes | None = None) -> None:
    """Wait until the process answers this well."""
    end = time.monotonic() + _READY_S
    while True:
        try:
            with urllib.request.urlopen(url, body, timeout=2):
                return
        except (OSError, urllib.error.HTTPError):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{url} does not answer:\n{log.read_text()[-3_000:]}") from None
            time.sleep(0.02)
