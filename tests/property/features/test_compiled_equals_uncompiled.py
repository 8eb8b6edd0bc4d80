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
        "bfc8a5fb484504dde2f662b2b507803dd48b5ca1da0a4e928afeb759be2a377d",
        "9d5f75ec0004a83e664d8e279ffc5fa6db94e3289d3aba6b1fe276a483cc3ebc",
        "2bb06b25cf2c420ff0dcd9ae6c233ffe20c8ae9aafb30c63600866ba281377d9",
        "2dda1f4e30d4071a7ce25a9ddd7bb4cc7a56f8833bc7900d7000c63c0e5cb7b2",
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
