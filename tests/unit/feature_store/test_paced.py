"""What is read at a rate is all there, and takes as long as it should."""

from __future__ import annotations

import io
import os
from pathlib import Path

from eddyline_feature_store.paced import Paced


def test_all_is_read_at_no_more_than_the_rate_and_the_end_takes_no_time(tmp_path: Path) -> None:
    content, slept = os.urandom(100_001), list[float]()
    (tmp_path / "file").write_bytes(content)
    whole, chunk = bytearray(), bytearray(1_000)
    with io.FileIO(tmp_path / "file") as file:
        source = Paced(file, 10_000.0, slept.append)
        while n := source.readinto(chunk):
            whole += chunk[:n]
    assert whole == content
    assert len(slept) == 101
    assert abs(sum(slept) - 10.0001) < 1e-6
