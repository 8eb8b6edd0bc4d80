"""Starting and ending server processes so that nothing outlives its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ServerFailed(RuntimeError):
    """A server did not come up; the text holds the end of its log."""


def dying_with_parent(number: int) -> Callable[[], None]:
    """For ``preexec_fn``: the kernel sends the child this signal when its parent is gone."""
    parent = os.getpid()

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:
            # The parent went away between fork and prctl: nobody would ever send the signal.
            os._exit(1)

    return prepare


def start(
    command: Sequence[str],
    *,
    log: IO[bytes] | int,
    death_signal: int = signal.SIGTERM,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own (Ctrl-C reaches only us) that ends when this one does.

    Call it from the main thread: to the kernel the parent is the thread that forked, so a process that a worker
    thread started is ended when that thread is.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=dying_with_parent(death_signal),
        env=None if environ is None else dict(environ),
        cwd=cwd,
    )


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, *, timeout_s: float = 10.0) -> None:
    """Ask a process to end; kill it if it does not in time."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something listens on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_ready(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, *, deadline_s: float = 20.0
) -> None:
    """Wait until ``ready()``.

    Raises
    ------
    ServerFailed
        If the process ends first, or the deadline passes.
    """
    end = time.monotonic() + deadline_s
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            state = "did not answer in time" if process.poll() is None else f"ended with {process.returncode}"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            stop(process, signal.SIGKILL)
            raise ServerFailed(f"{log.stem}: the server {state}\n{tail}")
        time.sleep(0.01)
