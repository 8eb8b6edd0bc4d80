"""Deskdrop: articles by id only, over eight months. It judges time and company, on pseudo-slates."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from benchmarks.ablation.groups import read
from benchmarks.ablation.pseudo_slates import Act, Written, with_slates
from benchmarks.ablation.study import Study
from benchmarks.ablation.tables import PerSlate, Table, added, left_out
from eddyline_contracts.record import Logged
from eddyline_learning.warmup import Warmup

EVERY = 3
"""A slate before each third first meeting: enough to tell, in some minutes."""
BEGINS_DAY, SCORED_DAY = 30, 90
BASE = ("long half-lives",)
QUICK = ("short half-lives", "trend", "windows", "counts beside the others'")
"""Groups that know what happens just now: each stands in for the others."""

_DAY_MS = 86_400_000
GROUPED = read(Path(__file__).with_name("deskdrop.yaml"))


def tables(data: Path, n_seeds: int) -> Iterator[Table]:
    """``data`` is the folder of the shared data sets; scored is what comes after `SCORED_DAY`."""
    log, written, scored_from = prepared(data / "deskdrop" / "interactions.csv.gz")
    study = _Study(Study(log, lambda: Warmup(until=scored_from), GROUPED, range(1, n_seeds + 1)))
    share = f"{written.n_found:,} of {written.n_scored:,} have the item"
    table = left_out(f"Deskdrop ({share})", study, study.groups)
    slow = [name for name in study.groups if name not in QUICK]
    table.add(f"without {', '.join(QUICK)}", study.n_columns(slow), study.per_slate(slow))
    yield table
    yield added(f"Deskdrop, {' + '.join(BASE)}", study, BASE, study.groups)


class _Study:
    """See `Compared`."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self.groups = study.groups
        self.n_columns = study.n_columns

    def per_slate(self, groups: Collection[str]) -> PerSlate:
        # Where retrieval has missed the item nothing can be measured, and it counts as a miss.
        measured = self._study.measured(groups)
        return {name.upper(): np.nan_to_num(measured[name]) for name in ("hr@10", "mrr@10")}


def prepared(path: Path) -> tuple[list[Logged], Written, int]:
    """The log with pseudo-slates, what was written, and from when on slates are for scoring, ms since the epoch."""
    acts = read_acts(path)
    written = Written()
    begins, scored_from = (acts[0].at + day * _DAY_MS for day in (BEGINS_DAY, SCORED_DAY))
    log = with_slates(
        acts,
        len({act.item for act in acts}),
        begins=begins,
        scored_from=scored_from,
        every=EVERY,
        written=written,
    )
    return list(log), written, scored_from


def read_acts(path: Path) -> list[Act]:
    """All of the file, in its order."""
    with gzip.open(path, "rt", newline="") as file:
        return [
            Act(
                at=1_000 * int(row["timestamp"]),
                user=row["personId"],
                session=row["sessionId"],
                item=row["contentId"],
                action=row["eventType"],
                context={"region": row["userRegion"]} if row["userRegion"] else {},
            )
            for row in csv.DictReader(file)
        ]
