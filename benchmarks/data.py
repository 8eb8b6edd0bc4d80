"""Events to measure on: RankLens where it is, else a made-up shop of about its size."""

from __future__ import annotations

import gzip
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmarks.made_up import VIEW, some_items, some_traffic
from eddyline_contracts.events import encode

ROOT = Path(__file__).parents[1]
_N_TRAFFIC = 25_000
_START_MS = 1_790_000_000_000


@dataclass(frozen=True)
class Data:
    """A file of events and its view."""

    name: str
    path: Path
    view: str
    """eddyline.yaml"""

    def lines(self) -> Iterator[bytes]:
        """An event each."""
        with gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb") as lines:
            yield from lines


def find(folder: Path) -> Data:
    """RankLens (below ``EDDYLINE_TEST_DATA``), or made-up events in a file of ``folder``; which, it says."""
    shared = Path(os.environ.get("EDDYLINE_TEST_DATA") or ROOT / ".." / "shared" / "data")
    path = (shared / "ranklens" / "events.jsonl.gz").resolve()
    if path.exists():
        return Data("RankLens", path, (ROOT / "examples" / "ranklens.yaml").read_text())
    print(
        f"there is no {path.name} of RankLens (EDDYLINE_TEST_DATA): made-up events instead", file=sys.stderr
    )
    path = folder / "events.jsonl"
    rng = random.Random(1)
    traffic = some_traffic(rng, "e", _N_TRAFFIC, size=24, first_ms=_START_MS)
    with path.open("wb") as file:
        file.writelines(encode(event) + b"\n" for event in chain(some_items(rng, _START_MS), traffic))
    return Data("made-up events", path, VIEW)
