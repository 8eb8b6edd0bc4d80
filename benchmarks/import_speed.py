"""What `eddyline import` manages, end to end: ``python -m benchmarks.import_speed``.

Everything runs as a user runs it (`eddyline up`: all five services follow and work) in a temporary folder on free
ports: from the first byte that is read until the log in PostgreSQL has the newest event, start of the command included;
then the same file again, of which every event is a duplicate. The median of up to three runs, each on a new folder.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

from benchmarks.area import alone
from benchmarks.data import Data, find
from benchmarks.report import Figure, at_least
from eddyline_cli.background import Background

EDDYLINE = Path(sys.executable).with_name("eddyline")


def measure(seconds: float) -> list[Figure]:
    """Both rates."""
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as folder:
        data = find(Path(folder))
        runs = [_run(data) for _ in range(max(1, min(3, round(seconds / 6))))]
    first, again = (statistics.median(rates) for rates in zip(*runs, strict=True))
    return [
        at_least(f"eddyline import, {data.name}", first, "events/s", 5_000),
        at_least("the same again, all duplicates", again, "events/s", None),
    ]


def _run(data: Data) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        config = folder / "eddyline.yaml"
        config.write_text(data.view)
        system = Background(folder / "data", ["--config", str(config), "--free-ports"], outlives=False)
        try:
            state = system.wait_ready(120)
            first = _import(data.path, folder / "data")
            n_logged = asyncio.run(_logged(state.database_url))
            again = _import(data.path, folder / "data")
            assert asyncio.run(_logged(state.database_url)) == n_logged
        finally:
            system.stop()
        return n_logged / first, n_logged / again


def _import(path: Path, data: Path) -> float:
    began = time.perf_counter()
    subprocess.run(
        [EDDYLINE, "import", str(path), "--data", str(data)], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


async def _logged(url: str) -> int:
    conn = await asyncpg.connect(url)
    try:
        n: int = await conn.fetchval("SELECT count(*) FROM event_log WHERE type NOT LIKE 'model_%'")
        return n
    finally:
        await conn.close()


if __name__ == "__main__":
    alone(__doc__, measure)
