"""What is to be run: one description per process."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What a probe found: ready when it waits for nothing."""

    waiting_for: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether the process can do its work."""
        return not self.waiting_for


Probe = Callable[[], Awaitable[Waiting]]
"""Asks a running process whether it is ready; never raises."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A process to run."""

    name: str
    command: Sequence[str]
    log: Path
    """Where its standard output and error go."""
    probe: Probe
    url: str = ""
    """Where people reach it; empty when it has no address."""
    environ: Mapping[str, str] | None = None
    """The whole environment; none means ours."""
    stop_signal: int = signal.SIGTERM
    stop_timeout_s: float = 12.0
    """How long it may take to end when asked; then it is killed."""
    prepare: Callable[[], None] = field(default=lambda: None)
    """Called before each start; may raise `ServerFailed`."""
