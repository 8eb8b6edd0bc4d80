"""The folder of an Eddyline's data: what lies there, and what the running one writes down for other commands."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from eddyline_cli.supervisor.data_lock import holder

_T = TypeVar("_T")
MARK = "eddyline.json"
"""Marks the folder as ours, and remembers what it was last run with."""
STATE = "state.json"
RELOAD = signal.SIGUSR1
"""Tells a running `eddyline up` to read its configuration again."""
VIEWS = "views"
"""Folder of what declares the views that run: copies."""


class Mark(Struct, frozen=True, kw_only=True):
    """Remembered from run to run."""

    format: int = 1
    view: str | None = None
    """Id of the view that it was last run with."""


class ProcessState(Struct, frozen=True, kw_only=True):
    """One process of the running Eddyline."""

    pid: int
    """0 while it does not run."""
    url: str
    phase: str
    restarts: int
    last_exit: int | None
    log: str


class RunState(Struct, frozen=True, kw_only=True):
    """The running Eddyline."""

    pid: int
    phase: str
    """``starting``, ``ready`` or ``stopping``."""
    started_at: int
    """ms since the Unix epoch."""
    config: str
    view: str
    nats_url: str
    database_url: str
    processes: dict[str, ProcessState]
    declared: str = ""
    """`digest_of_text` of the configuration that it runs with."""
    former_view: str | None = None
    """Id of the view before, while its model still serves and its feature-store is kept for that."""

    def url(self, name: str) -> str | None:
        """Address of a process, if there is one of that name."""
        found = self.processes.get(name)
        return found.url if found else None


def digest_of_text(text: str) -> str:
    """Tells one text from another: 16 hex."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def keep_declaration(data: Path, view: str, text: str) -> Path:
    """Write down what declares a view, for the services: the file of the user may change under them."""
    path = data / VIEWS / f"{view}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_name(path.name + ".new")
    making.write_text(text)
    making.replace(path)
    return path


def read_mark(data: Path) -> Mark | None:
    """What the folder remembers; None when it is not ours."""
    return _read(data / MARK, Mark)


def write_mark(data: Path, mark: Mark) -> None:
    """Mark the folder."""
    _write(data / MARK, mark)


def read_state(data: Path) -> RunState | None:
    """What the running Eddyline wrote down; None when there is nothing."""
    return _read(data / STATE, RunState)


def state_of_running(data: Path) -> RunState | None:
    """As `read_state`, but None when nothing runs: a killed Eddyline leaves its state behind."""
    return read_state(data) if holder(data) is not None else None


def write_state(data: Path, state: RunState) -> None:
    """Replace what is written down, in one step: a reader sees the old or the new."""
    _write(data / STATE, state)


def forget_state(data: Path) -> None:
    """Nothing runs any more."""
    (data / STATE).unlink(missing_ok=True)


def _read(path: Path, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None


def _write(path: Path, value: Any) -> None:
    making = path.with_name(path.name + ".new")
    # The addresses may hold passwords.
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    making.replace(path)
