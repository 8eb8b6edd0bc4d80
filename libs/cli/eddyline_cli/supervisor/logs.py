"""A log file for each process, bounded: a service that complains for weeks must not fill the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MAX_BYTES = 16 * 1024 * 1024


def bound(log: Path, max_bytes: int = MAX_BYTES) -> bool:
    """Move a log that has grown beyond ``max_bytes`` to ``<name>.1`` and go on with an empty one.

    The file is copied and cut, not renamed: the process keeps writing to the file that it opened (for appending, so
    that it goes on at the new end). Lines written between copy and cut are lost; there is no pipe that could stall
    the process instead.
    """
    try:
        if log.stat().st_size <= max_bytes:
            return False
        with log.open("r+b") as file, log.with_name(log.name + ".1").open("wb") as older:
            shutil.copyfileobj(file, older)
            os.ftruncate(file.fileno(), 0)
    except FileNotFoundError:
        return False
    return True


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return "(no log was written)"
    return "\n".join(text.splitlines()[-lines:])
