"""The same functions compiled and as plain Python give the same bits: the uncompiled ones are the oracle."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from eddyline_features.view import FOLD_FORMAT
from tests.property.features.digest import digests
from tests.support.data import shared_data

ROOT = Path(__file__).parents[3]


FOLD = {
    2: [
        "f833d2f0928db1d3361d74c53535f1f832d61d46c6bc161bfc4314b47d3b0f48",
        "f1d7c972d02eaf9069dd5f7be3207f09cf9d66901ed0f6640c31f7fbf31a6ffe",
        "8550159a1acf13e0c06085e0df3110152e34c256ba1892beb917115f82c8389c",
        "28e9e17fc0b94899a3a7ac80444303e8e0bbb1f0f86f764879d97e79748d56b1",
    ]
}
"""What the fixed random histories give, by `FOLD_FORMAT`."""


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


def test_a_fold_that_gives_other_bits_has_another_format() -> None:
    """Or old snapshots and boosters would be used with the new fold: raise `FOLD_FORMAT` and add to `FOLD`."""
    assert digests(None) == FOLD[FOLD_FORMAT]


@pytest.mark.data
def test_real_slates_give_the_same_bits_compiled_and_uncompiled() -> None:
    events = shared_data("ranklens/events.jsonl.gz")
    assert uncompiled(str(events)) == digests(events)
