"""What each group of features is worth.

    python -m benchmarks.ablation [ranklens] [deskdrop] [simulator] [--seeds 3] [--json FILE]

Prints Markdown; progress goes to standard error. Runs for minutes, in one thread.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import conditions
from benchmarks.ablation import deskdrop, ranklens, simulator
from benchmarks.ablation.tables import Table, as_json
from benchmarks.data import ROOT

Tables = Callable[[Path, int], Iterator[Table]]
_KNOWN: dict[str, Tables] = {
    "ranklens": ranklens.tables,
    "deskdrop": deskdrop.tables,
    "simulator": lambda _, n_seeds: simulator.tables(n_seeds),
}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", metavar="|".join(_KNOWN), help="[all of them]")
    parser.add_argument("--seeds", type=int, default=3, help="of training, or worlds of the simulator [3]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables here")
    chosen = parser.parse_args()
    if chosen.seeds < 1:
        parser.error("--seeds: at least one is needed")
    unknown = [name for name in chosen.data if name not in _KNOWN]
    if unknown:
        parser.error(f"no such data: {', '.join(unknown)}; there are {', '.join(_KNOWN)}")
    folder = Path(os.environ.get("EDDYLINE_TEST_DATA") or ROOT / ".." / "shared" / "data").resolve()
    done = []
    for name in chosen.data or _KNOWN:
        for table in _KNOWN[name](folder, chosen.seeds):
            print(f"{table.markdown()}\n", flush=True)
            done.append(table)
    if chosen.json is not None:
        chosen.json.write_bytes(as_json(done))
    print(f"{conditions.machine()}\n{conditions.load()}", file=sys.stderr)


if __name__ == "__main__":
    main()
