"""An area of benchmarks as a command of its own: ``python -m benchmarks.AREA [--json FILE] [--seconds N]``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks import conditions
from benchmarks.report import Figure, encode, table

SECONDS = 20.0
"""How long each measurement of an area takes, about; what is counted instead of timed grows and shrinks with it."""

Measure = Callable[[float], list[Figure]]


def alone(what: str | None, measure: Measure) -> None:
    """Measure one area, print its figures, and write them down if asked to."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of each measurement [{SECONDS:g}]")
    chosen = parser.parse_args()
    before = conditions.load()
    figures = measure(chosen.seconds)
    if chosen.json is not None:
        chosen.json.write_bytes(encode(figures))
    print(f"\n{table(figures)}\n\n{conditions.machine()}\n{before}; at the end: {conditions.load()}")
