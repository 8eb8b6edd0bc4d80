"""Standing back counts against processes of other sessions too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import os
from pathlib import Path
from eddyline_runtime.priority import stand_back
stand_back(7)
# The kernel shows an empty file where the session belongs to no autogroup, as in some containers.
print(os.nice(0), (Path("/proc/self/autogroup").read_text().split() or ["none"])[-1])
"""


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel has no autogroups")
def test_process_and_session_stand_back() -> None:
    def told(**options: bool) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True, **options
        )
        return done.stdout.split()

    assert told(start_new_session=True) == ["7", "7"]
    nice, of_session = told()
    assert nice == "7"
    assert of_session != "7", "the session is its leader's, not ours"
