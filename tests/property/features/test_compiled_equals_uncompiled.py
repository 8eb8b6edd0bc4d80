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
        "0ede5d7ca716b03d04018bce910a8c209803c579cd7d463908ff75b90e248684",
        "942030fe996b214ae176e62f6eebdb0dfb91c41125353b52dbcd43aef6c01fa2",
        "93c8f632f4acf0ed0e51c4e6c030a6cb92a182d8ce23467d58e1bd9828a38b20",
        "c07ea264ee014c70945ca1b56008cae9f49ad746c79fe48999f6ddb3eb0c7e71",
        "d7f3d25ad9229aa50cb0733eee1f2b2dfa6350a35714ac7135de5bd0f342d2c3",
        "d82cd7884ed6f1827281e7e4e8b737bbc8932704cc7777bfd63ef147f93f4448",
        "6d7ff3cb91391c841a26ec7535131fc220bc8391096c599df83a5b3234c78b8c",
        "fcadcb8971c4060241d816590a04d6160ad4ad3c2238baa81d41c21175909e0b",
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
