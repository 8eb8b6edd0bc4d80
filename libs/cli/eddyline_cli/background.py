"""An `eddyline up` as a process of its own: started, waited for, and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from eddyline_cli.data_folder import RunState, read_state
from eddyline_cli.refusals import Refused
from eddyline_cli.servers.processes import start
from eddyline_cli.supervisor.logs import tail

_POLL_S = 0.02
_STOP_S = 90.0


class Background:
    """A running `eddyline up`.

    Parameters
    ----------
    data
        Its data folder.
    arguments
        Of `eddyline up`, without ``--data``.
    outlives
        Whether it goes on when this process ends; otherwise it ends with this one, even if that is killed.
    environ
        Its environment; none means ours.
    """

    def __init__(
        self,
        data: Path,
        arguments: Sequence[str],
        *,
        outlives: bool,
        environ: dict[str, str] | None = None,
    ) -> None:
        self._data = data
        self.log = data / "logs" / "up.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", "eddyline_cli", "up", "--data", str(data), *arguments]
        with self.log.open("wb") as sink:
            if outlives:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env=environ,
                )
            else:
                self._process = start(command, log=sink, death_signal=signal.SIGTERM, environ=environ)

    def wait_ready(self, deadline_s: float = float("inf")) -> RunState:
        """Wait until everything is ready.

        Raises
        ------
        Refused
            If it ends first, with what it said, or the deadline passes.
        """
        end = time.monotonic() + deadline_s
        while True:
            state = read_state(self._data)
            if state is not None and state.pid == self._process.pid and state.phase == "ready":
                return state
            if self._process.poll() is not None:
                raise Refused(
                    f"it did not start:\n{tail(self.log, 40)}\nMend what it says; `eddyline doctor` looks further"
                )
            if time.monotonic() > end:
                raise Refused(
                    f"it was not ready after {deadline_s:.0f} s:\n{tail(self.log, 40)}\n"
                    "`eddyline doctor` looks what it waits for"
                )
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop it in order, and wait for its end."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
