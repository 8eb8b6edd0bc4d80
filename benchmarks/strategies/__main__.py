"""What each way to go on learning is worth while the world changes.

    python -m benchmarks.strategies run STREAM… [--objective rank|click] [--seeds 1,2] [--out FOLDER]
    python -m benchmarks.strategies table [FOLDER]

Streams: none, abrupt, gradual, recurring (made up), ranklens, deskdrop. `run` writes one JSON file for each stream,
objective and seed, so that runs can be split; `table` puts them together as Markdown. A run takes one to three minutes,
in one thread. Times are of the CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from benchmarks import conditions
from benchmarks.data import ROOT
from benchmarks.strategies.running import run
from benchmarks.strategies.streams import MADE_UP, OBJECTIVES, PUBLIC, made_up, public
from benchmarks.strategies.tables import markdown
from eddyline_features.view import Learning, Policy

_OUT = ROOT / ".bench" / "strategies"


def main() -> None:
    """Run, or print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("act", choices=["run", "table"])
    parser.add_argument("streams", nargs="*", metavar="STREAM")
    parser.add_argument("--objective", choices=OBJECTIVES, action="append", help="[both]")
    parser.add_argument("--seeds", default="1,2", help="[1,2]")
    parser.add_argument("--refit-rows", type=int, default=Policy.refit_rows)
    parser.add_argument("--only", action="append", help="names of contenders [all]")
    parser.add_argument("--out", type=Path, default=_OUT)
    told = parser.parse_args()
    if told.act == "table":
        print(markdown(sorted((Path(told.streams[0]) if told.streams else told.out).glob("*.json"))))
        return
    unknown = set(told.streams) - {*MADE_UP, *PUBLIC}
    if unknown or not told.streams:
        parser.error(f"streams are {', '.join((*MADE_UP, *PUBLIC))}")
    data = Path(os.environ.get("EDDYLINE_TEST_DATA") or ROOT / ".." / "shared" / "data").resolve()
    told.out.mkdir(parents=True, exist_ok=True)
    for name in told.streams:
        for objective in told.objective or OBJECTIVES:
            for seed in map(int, told.seeds.split(",")):
                began = time.monotonic()
                stream = made_up(name, objective, seed) if name in MADE_UP else public(name, data, objective)
                leaves = 15 if name in MADE_UP else 31
                policy = Policy(refit_rows=told.refit_rows, drift_rows=2_000)
                settings = Learning(objective=objective, leaves=leaves, seed=seed, policy=policy)
                found = run(stream, settings, None if told.only is None else set(told.only))
                file = told.out / f"{name}-{objective}-{seed}.json"
                file.write_text(json.dumps({"stream": name, "objective": objective, "found": found}))
                print(f"{file}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"{conditions.machine()}\n{conditions.load()}", file=sys.stderr)


if __name__ == "__main__":
    main()
