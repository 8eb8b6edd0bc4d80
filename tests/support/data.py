"""Where the shared data sets are, for tests that need real data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).parents[2] / ".." / "shared" / "data"


def shared_data(name: str) -> Path:
    """Path of a file or folder of the shared data, as ``ranklens/events.jsonl.gz``.

    Where it is absent the test is skipped and says why; under ``CI`` it fails, so that nothing is skipped unseen.
    """
    folder = Path(os.environ.get("EDDYLINE_TEST_DATA") or _DEFAULT)
    path = (folder / name).resolve()
    if not path.exists():
        reason = f"no shared data at {path}: set EDDYLINE_TEST_DATA to the folder that holds {name}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
