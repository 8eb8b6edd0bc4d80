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
        "b144bfa57de911a35f670c299578ad4bad8e516aa2c3b806bce1a88decc771dd",
        "7d5188f85808a3606833e8b1c512e411719df0edcc15cb83b7af99cf2281e629",
        "acc0dc23b317acec528cb6d2d777c633dfe1a2e90e5019f97453ce9c6987b0c8",
        "461b4d0dbaa678c8160b1848a32e1ec22b0196a2156d4f1d62873bfcc5fb6f85",
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
