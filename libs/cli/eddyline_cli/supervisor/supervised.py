"""One process under supervision: its life as a small state machine, driven by `Supervisor`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from enum import StrEnum

from eddyline_cli.servers.processes import start
from eddyline_cli.supervisor.backoff import Backoff
from eddyline_cli.supervisor.spec import Spec


class Phase(StrEnum):
    """Where a process is in its life."""

    IDLE = "idle"
    """Not started yet."""
    RUNNING = "running"
    WAITING = "restarting"
    """Crashed; started again when its wait is over."""
    STOPPED = "stopped"


class Supervised:
    """A process, its restarts and its end.

    Starting and reaping happen on the thread that calls, which must be the main thread: the kernel ends a child
    when the thread that forked it is gone.
    """

    def __init__(self, spec: Spec, backoff: Backoff) -> None:
        self.spec = spec
        self.phase = Phase.IDLE
        self.restarts = 0
        self.last_exit: int | None = None
        """Exit code of the last life, negative for a signal."""
        self.due_at = 0.0
        """When it is started again (monotonic seconds), while it waits."""
        self._backoff = backoff
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    @property
    def name(self) -> str:
        """Its name in logs and tables."""
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self.phase is Phase.RUNNING else None

    def start(self) -> int:
        """Start it and return its process id."""
        self.spec.prepare()
        self.spec.log.parent.mkdir(parents=True, exist_ok=True)
        with self.spec.log.open("ab") as log:
            self._process = start(
                self.spec.command,
                log=log,
                death_signal=self.spec.stop_signal,
                environ=self.spec.environ,
            )
        self._started_at = time.monotonic()
        self.phase = Phase.RUNNING
        return self._process.pid

    def has_ended(self) -> bool:
        """Whether the running process has ended; its session is cleared and it is reaped then."""
        process = self._process
        if process is None or self.phase is not Phase.RUNNING:
            return False
        # Looked at before it is reaped: until then nobody else can get its number, so the signal to its session
        # reaches only what it left behind (a trainer's worker, say).
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self._end_session()
        self.last_exit = process.wait()
        return True

    def wait_for_restart(self) -> float:
        """After an unwanted end: set when to start again, and return the wait in seconds."""
        now = time.monotonic()
        wait = self._backoff.after(now - self._started_at)
        self.phase, self.due_at = Phase.WAITING, now + wait
        self.restarts += 1
        return wait

    def ask_to_stop(self) -> None:
        """Send the signal that ends it in good order."""
        if self._process is not None and self.phase is Phase.RUNNING:
            # Not by `Popen.send_signal`, which would reap it before its session is cleared.
            os.kill(self._process.pid, self.spec.stop_signal)

    def kill(self) -> None:
        """End it and its session by force."""
        if self._process is not None and self.phase is Phase.RUNNING:
            self._end_session()
            self.last_exit = self._process.wait()
        self.phase = Phase.STOPPED

    def set_stopped(self) -> None:
        """It has ended and stays so."""
        self.phase = Phase.STOPPED

    def _end_session(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def spelled(exit_code: int | None) -> str:
    """An exit code as people say it."""
    if exit_code is None:
        return "an unknown end"
    if exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"
