"""Bytes made by a copy of this process, so that making them stops nothing here.

The kernel copies pages only when one side writes them: a fork is milliseconds for a state whose encoding takes
seconds, and the copy stands still at one place in the log while the original moves on.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import io
import os
import signal
import traceback
import warnings
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ForkFailed(RuntimeError):
    """The copy ended without having written everything."""


class ForkedBytes:
    """A child that writes what ``make()`` returns; read `source` to its end, then `finish`."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        reading, writing = os.pipe()
        parent = os.getpid()
        with warnings.catch_warnings():
            # Newer Pythons warn of locks that other threads hold at a fork; the child takes none of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            _write_and_exit(make, writing, parent)
        os.close(writing)
        self._waited_for = False
        self.source = io.BufferedReader(io.FileIO(reading), 256 * 1024)

    async def finish(self) -> None:
        """Wait for the child.

        Raises
        ------
        ForkFailed
            If it did not write all.
        """
        self.source.close()
        self._waited_for = True
        status = await asyncio.to_thread(self._wait)
        if status != 0:
            raise ForkFailed(f"the copy ended with {os.waitstatus_to_exitcode(status)}")

    def abandon(self) -> None:
        """End the child if it still runs; never raises, since it is called while something else is raised."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            if not self._waited_for:
                self._wait()
        self.source.close()

    def _wait(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        # Its number may be given to another process from now on.
        self._pid = 0
        return status


def _write_and_exit(make: Callable[[], bytes], writing: int, parent: int) -> None:
    """Runs in the child, and never returns into the code that it was copied from."""
    status = 1
    try:
        # The wakeup descriptor is shared: a signal to the child must not look like one to the parent.
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # Whoever waits for an answer comes first.
        os.nice(10)
        _keep_only(writing)
        if os.getppid() == parent:
            with os.fdopen(writing, "wb") as sink:
                sink.write(make())
            status = 0
    except BaseException:
        # Straight to the descriptor: a lock of `sys.stderr` may have been held by a thread that is not here.
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _keep_only(writing: int) -> None:
    """Close every other descriptor: a port or connection that the parent closes shall be closed."""
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > 2 and number != writing:
            try:
                os.close(number)
            except OSError:
                continue
