"""The bundle on disk is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from eddyline_contracts.bundle import CorruptBundle, encode_bundle
from eddyline_ranker.bundle_file import read_bundle, write_bundle
from tests.support.bundles import a_bundle


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state" / "champion.bundle"
    for seed in (1, 2):
        bundle = a_bundle("v-1", ["a"], seed=seed)
        write_bundle(path, encode_bundle(bundle))
        assert read_bundle(path)[0] == bundle
    assert [found.name for found in path.parent.iterdir()] == ["champion.bundle"]


def test_a_write_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "champion.bundle"
    write_bundle(path, encode_bundle(a_bundle("v-1", ["a"])))
    with pytest.raises(TypeError):
        write_bundle(path, None)  # type: ignore[arg-type]
    assert read_bundle(path)[0] == a_bundle("v-1", ["a"])
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_file_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "champion.bundle"
    raw = bytearray(encode_bundle(a_bundle("v-1", ["a"])))
    raw[-1] ^= 1
    write_bundle(path, bytes(raw))
    with pytest.raises(CorruptBundle):
        read_bundle(path)
