"""All budgets: ``python -m benchmarks [--json FILE] [--only AREA,…] [--seconds N]``.

Prints each figure with its budget, its floor measured in the same run, and whether the budget is met. A budget that is
missed is a figure, not an error: the exit code is 0 unless a benchmark broke. Each area runs in a process of its own,
so that none is measured among the leftovers of another.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import conditions
from benchmarks.area import SECONDS
from benchmarks.report import Figure, decode, encode, table

AREAS = {
    "fold": "features: apply, vectors, replay, cold start, memory",
    "log": "ingest and log writer, with their floors",
    "import_speed": "`eddyline import` into a whole system",
    "cycle": "from the last label to the model that serves",
    "store": "the feature-store under load: answers beside events, during snapshots, two replicas",
    "endurance": "two hundred cycles, then all their models in one ranker: trees, time, `/v1/rank`, memory",
    "recommend": "`/v1/recommend` of 100,000 items, and from a new user's first click to its neighbours",
    "rank": "`/v1/rank` at rest, during swaps, while the trainer trains",
}


def main() -> int:
    """Measure, print, and say which benchmark broke, if one did."""
    chosen = _arguments()
    before, began = conditions.load(), time.monotonic()
    figures: list[Figure] = []
    broken = []
    for area in chosen.only:
        print(f"{area}: {AREAS[area]} …", file=sys.stderr, flush=True)
        found = _measured(area, chosen.seconds)
        if found is None:
            broken.append(area)
        else:
            figures += found
    missed = [figure.name for figure in figures if figure.passed is False]
    print(f"{table(figures)}\n")
    print(f"{sum(figure.passed is True for figure in figures)} budgets met, {len(missed)} missed")
    print(conditions.machine())
    print(f"{before}; at the end: {conditions.load()}; {time.monotonic() - began:.0f} s in all")
    if chosen.json is not None:
        chosen.json.write_bytes(encode(figures))
    if broken:
        print(f"broken: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    areas = "\n".join(f"  {name:14} {what}" for name, what in AREAS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{__doc__}\nareas:\n{areas}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--only", type=_areas, default=list(AREAS), metavar="AREA,…", help="not all areas")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"of each measurement, about [{SECONDS:g}]"
    )
    return parser.parse_args()


def _areas(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in AREAS:
            raise argparse.ArgumentTypeError(f"there is no area {name}; there are: {', '.join(AREAS)}")
    return names


def _measured(area: str, seconds: float) -> list[Figure] | None:
    """What a process of the area found; None if it broke, which it has told why."""
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as folder:
        path = Path(folder) / "figures.json"
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{area}", "--json", path, "--seconds", str(seconds)],
            stdout=subprocess.DEVNULL,
        )
        return decode(path.read_bytes()) if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
