"""A folder in memory for the PostgreSQL of the tests: a database is hundreds of files, and made for each test anew."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30
"""Bytes that have to be free there; a run uses a tenth."""
_PREFIX = "eddyline-tests-"


@contextmanager
def a_quick_folder(otherwise: Path) -> Iterator[Path]:
    """A folder in memory while the block runs; ``otherwise`` where there is no room for one."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield otherwise
        return
    for left in _MEMORY.glob(f"{_PREFIX}*"):
        # Of a run that was killed.
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
