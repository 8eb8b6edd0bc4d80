"""What `eddyline import` manages, end to end: ``python benchmarks/import_speed.py [EVENTS]``.

Everything runs as a user runs it (`eddyline up`: all five services follow and work) in a temporary folder on free
ports. Taken three times, each on a new folder: from the first byte that is read until the log in PostgreSQL has the
newest event, start of the command included; then the same file again, of which every event is a duplicate.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

from eddyline_cli.background import Background

ROOT = Path(__file__).parents[1]
EVENTS = ROOT / ".." / "shared" / "data" / "ranklens" / "events.jsonl.gz"
EDDYLINE = Path(sys.executable).with_name("eddyline")
RUNS = 3


def main() -> None:
    """Measure and print."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    runs = [_run(path) for _ in range(RUNS)]
    best = max(runs)
    print(f"{f'import of {path.name}, best of {RUNS}':58} {best[0]:>10,.0f} events/s   budget 5,000 events/s")
    print(f"{'the same again, all duplicates':58} {best[1]:>10,.0f} events/s   budget -")


def _run(path: Path) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)
        config = ROOT / "examples" / "ranklens.yaml"
        system = Background(data, ["--config", str(config), "--free-ports"], outlives=False)
        try:
            state = system.wait_ready(120)
            first = _import(path, data)
            n_logged = asyncio.run(_logged(state.database_url))
            again = _import(path, data)
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
    main()
