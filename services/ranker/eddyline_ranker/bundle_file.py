"""The last bundle on disk: whole or not there at all, whatever kills the process."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from eddyline_contracts.bundle import Bundle, decode_bundle


def write_bundle(path: Path, raw: bytes) -> None:
    """Put the bytes at ``path`` in one step: written beside it, synced, renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def read_bundle(path: Path) -> tuple[Bundle, float]:
    """The bundle and when it was written, in seconds since the Unix epoch.

    Raises
    ------
    FileNotFoundError
        If there is none.
    CorruptBundle
        If it is damaged.
    """
    return decode_bundle(path.read_bytes()), path.stat().st_mtime
