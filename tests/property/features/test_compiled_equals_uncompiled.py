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
    4: [
        "31e0883266f3c876a1bb0aeb5515037772dfb56c3cc2adbd9477cbe476485fca",
        "da48a2ada155a560f5628a4f2d69eb74f148a74a0249d4bdb272a67a6d2c0bfe",
        "2c7bf446e1a9f3deb98c67e59b56b6029ab3b22f6cd0fa27501e0def088654bc",
        "88f4ad1a229d25dd6da5ab32126a8a2d2d49ed0bd44faf72250d67ea079d583e",
        "21111bd960713df45fc21167d086863f201f4c688ec535290315a5a38c1e2d36",
        "21381f6cff6e12f45bc407bcb47a5bfce4aa30cf138d968cbba9b9713320546e",
        "6ec5eebee27ae70f06948bedeb3d5b234a3e607de6a7b70bab6d794bd4bf0794",
        "3ce4c99a756c18d888946a3671d4be28d64f3396c17ed2ebcad6de4f3024fc04",
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
