"""One Eddyline at a time in a data folder: a lock that the kernel gives back whatever happens to its holder.

The guard (see `guard`) inherits the lock, so that it is held until the last process of a killed run is gone. Two
nats-servers on one store folder would damage it without complaint.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


class AlreadyRunning(RuntimeError):
    """Another Eddyline holds the data folder."""

    def __init__(self, data: Path, pid: int | None) -> None:
        self.pid = pid
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"Eddyline is already running in {data} ({who}).\n"
            f"See what it does with `eddyline status --data {data}`, have it take up a changed eddyline.yaml with "
            f"`eddyline reload --data {data}`, stop it with `eddyline down --data {data}`, "
            "or give this one a folder and ports of its own: `eddyline up --data DIR --port-base 7540`."
        )


@contextmanager
def locked(data: Path, *, patience_s: float = 15.0) -> Iterator[int]:
    """Hold the data folder; yields the lock's file descriptor, for the guard to inherit.

    Waits up to ``patience_s`` when the holder was killed and its processes are just being ended.

    Raises
    ------
    AlreadyRunning
        If somebody else holds it.
    """
    descriptor = _take(data, time.monotonic() + patience_s)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(data: Path, until: float) -> int:
    while True:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_there(descriptor, data / "lock"):
                return descriptor
            os.close(descriptor)
            continue
        except OSError:
            os.close(descriptor)
            pid = _named(data)
            if (pid is not None and is_alive(pid)) or time.monotonic() > until:
                raise AlreadyRunning(data, pid) from None
        time.sleep(0.05)


def _is_still_there(descriptor: int, path: Path) -> bool:
    """`eddyline reset` deletes the folder while it holds the lock: a lock on a deleted file guards nothing."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def holder(data: Path) -> int | None:
    """Process id of the Eddyline that runs in this folder; 0 while a killed one is being cleared away, or None."""
    try:
        descriptor = os.open(data / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        pid = _named(data)
        return pid if pid is not None and is_alive(pid) else 0
    finally:
        os.close(descriptor)
    return None


def _named(data: Path) -> int | None:
    try:
        return int((data / "lock").read_text())
    except (OSError, ValueError):
        return None


def is_alive(pid: int) -> bool:
    """Whether the process exists and is no zombie (an orphan stays one for a moment)."""
    try:
        return bool(psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD))
    except psutil.NoSuchProcess:
        return False
