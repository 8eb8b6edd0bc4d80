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
    3: [
        "d46809cf83a376f4a1c224a0460d8ac24596ed38bef0af699c40b66230dfd71e",
        "f43e38664f5cd63231cad6d7c3f0a1e44b14c4f7365a1a856bff8f4b6b1f6776",
        "27341e9b8a0135b00a8022f1660505026ffbd447e951bcc8a048dc6e43bc220f",
        "cc1353940ecd9fb16426d453ada9d96598fe936b51413a6f3e4f7562d7df552a",
        "cfb9c5a7c6f749925c7eebb2d41612dd32d8a6bfa33f9876b5111d90751eb424",
        "191616b7ce3180db15f2f6888b2d1e13321e69850ee35a76f139ac0988823c96",
        "83631db34fc55b4b78c3464af60fe4c913e2216a90ce2bcd694b97fee9447fd9",
        "3a3d508ee19d7f064387bf43ab7ba87cd72590cdc1a35cbd4ead9325da402a12",
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
