"""Outlives a killed supervisor just long enough to end what it started.

The kernel signals a supervisor's children when it is gone (see `eddyline_cli.servers.processes`), but a child may
hang while it ends, and grandchildren get no signal. This small process reads from a pipe whose other end only the
supervisor holds: when the pipe closes, the supervisor is gone, and every session named before is ended by force
after a grace.

Run as a plain script with nothing but the standard library, so that it costs little and starts at once.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_S = 8.0


def main() -> None:
    """Read ``add PID`` and ``drop PID`` lines until the pipe closes, then end the sessions that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sessions: set[int] = set()
    for line in sys.stdin:
        word, pid = line.split()
        (sessions.add if word == "add" else sessions.discard)(int(pid))
    end = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else GRACE_S)
    while sessions and time.monotonic() < end:
        sessions = {pid for pid in sessions if _lives(pid)}
        time.sleep(0.02)
    for pid in sorted(sessions):
        _signal(pid, signal.SIGKILL)


def _lives(session: int) -> bool:
    """Whether a member of the session's first process group is more than a zombie."""
    if not _signal(session, 0):
        return False
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:
                    state, _, group = stat.read().rpartition(b")")[2].split()[:3]
            except OSError:
                continue
            if int(group) == session and state not in (b"Z", b"X"):
                return True
    return False


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
