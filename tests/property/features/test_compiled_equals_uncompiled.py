"""The same functions compiled and as plain Python give the same bits: the uncompiled ones are the oracle."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from tests.property.features.digest import digests
from tests.support.data import shared_data

ROOT = Path(__file__).parents[3]


def uncompiled(*arguments: str) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.property.features.digest", *arguments],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_random_histories_give_the_same_bits_compiled_and_uncompiled() -> None:
    assert not numba.config.DISABLE_JIT
    assert uncompiled() == digests(None)


@pytest.mark.data
def test_real_slates_give_the_same_bits_compiled_and_uncompiled() -> None:
    events = shared_data("ranklens/events.jsonl.gz")
    assert uncompiled(str(events)) == digests(events)
