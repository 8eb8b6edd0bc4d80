"""The supervisor's end of the guard: starts it, tells it what runs, and starts another if it is killed."""

from __future__ import annotations

import contextlib
import subprocess
import sys

from eddyline_cli.supervisor import guard


class Watchdog:
    """Tells a guard process which sessions to end if we are killed."""

    def __init__(self, inherited: int | None = None, grace_s: float = guard.GRACE_S) -> None:
        self._inherited = () if inherited is None else (inherited,)
        self._grace_s = grace_s
        self._sessions: set[int] = set()
        self._process = self._started()

    def _started(self) -> subprocess.Popen[str]:
        assert guard.__file__ is not None
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(self._grace_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            pass_fds=self._inherited,
        )

    @property
    def pid(self) -> int:
        """Process id of the guard."""
        return self._process.pid

    def add(self, pid: int) -> None:
        """A process was started in a session of its own."""
        self._sessions.add(pid)
        self._tell(f"add {pid}")

    def drop(self, pid: int) -> None:
        """It has ended."""
        self._sessions.discard(pid)
        self._tell(f"drop {pid}")

    def revive(self) -> None:
        """Start another guard if ours is gone."""
        if self._process.poll() is None:
            return
        self._close()
        self._process = self._started()
        for pid in self._sessions:
            self._tell(f"add {pid}")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it was killed; `revive` tells the next one

    def _close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def close(self) -> None:
        """Everything has ended: let the guard go, and wait for it."""
        self._close()
        self._process.wait()
