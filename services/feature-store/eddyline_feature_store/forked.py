"""Bytes made by a copy of this process, so that making them stops nothing here.

The kernel copies pages only when one side writes them: a fork is milliseconds for a state whose encoding takes
seconds, and the copy stands still at one place in the log while the original moves on. While both live, each first
write to a page costs the original a fault; so the copy writes into memory that it leaves behind, instead of waiting
for whoever takes the bytes away, and is gone as soon as they are made.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
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
    """A child that writes what ``make()`` returns; `whole` has it all, and `abandon` ends whatever is left.

    Parameters
    ----------
    urgent
        Somebody waits for it. Else the child gives way to whoever waits for an answer of the original.
    """

    def __init__(self, make: Callable[[], bytes], *, urgent: bool = False) -> None:
        writing = os.memfd_create("snapshot")
        parent = os.getpid()
        with warnings.catch_warnings():
            # Newer Pythons warn of locks that other threads hold at a fork; the child takes none of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            _write_and_exit(make, writing, parent, urgent)
        self._waited_for = False
        self._bytes = io.FileIO(writing)

    async def whole(self) -> io.FileIO:
        """What the child made, to be read from its beginning until `abandon`, once the child has ended.

        Raises
        ------
        ForkFailed
            If it did not write all.
        """
        self._waited_for = True
        status = await asyncio.to_thread(self._wait)
        if status != 0:
            raise ForkFailed(f"the copy ended with {os.waitstatus_to_exitcode(status)}")
        self._bytes.seek(0)
        return self._bytes

    def abandon(self) -> None:
        """End the child if it still runs, and let go of what it made.

        Never raises, since it is called while something else is raised.
        """
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            if not self._waited_for:
                self._wait()
        self._bytes.close()

    def _wait(self) -> int:
        _, status = os.waitpid(self._pid, 0)
        # Its number may be given to another process from now on.
        self._pid = 0
        return status


def _write_and_exit(make: Callable[[], bytes], writing: int, parent: int, urgent: bool) -> None:
    """Runs in the child, and never returns into the code that it was copied from."""
    status = 1
    try:
        # The wakeup descriptor is shared: a signal to the child must not look like one to the parent.
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if not urgent:
            _give_way()
        # A collection would write to every object, and so copy every page.
        gc.disable()
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


def _give_way() -> None:
    """Compute as one that nobody waits for, with a tenth of a share.

    Not as one that runs on idle cores only: on a machine that is never idle there would be no snapshots.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(10)


def _keep_only(writing: int) -> None:
    """Close every other descriptor: a port or connection that the parent closes shall be closed."""
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > 2 and number != writing:
            try:
                os.close(number)
            except OSError:
                continue
