"""The simulated shop, where the taste of all turns into its opposite. It judges how features follow.

Once: models are made all the time, of the last quarter of a minute, as the shop's own view says; none has seen a turn
before. Again and again: one model that has seen some turns orders what comes after; it can know which features tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.ablation.groups import Grouped, read
from benchmarks.ablation.simulated_log import START_MS, world_log
from benchmarks.ablation.study import Measured, Study
from benchmarks.ablation.tables import PerSlate, Table, added, left_out
from eddyline_contracts.events import SlateServed
from eddyline_contracts.record import Logged
from eddyline_learning.scored import FROZEN, ITEM_RATE, RANDOM
from eddyline_learning.warmup import Warmup

Intervals = Sequence[tuple[float, float]]
"""In seconds since the start."""
BASE = ("item fields", "long half-lives")
QUICK = ("short half-lives", "trend", "windows")
"""Groups that know what happens just now: each stands in for the others."""
_ONCE = read(Path(__file__).with_name("simulator.yaml"), without_cycles=False)
_LEARNING = {**_ONCE.settings["learning"], "max_examples": 200_000, "trees": 100}
_AGAIN = Grouped({**_ONCE.settings, "learning": _LEARNING}, _ONCE.groups)


@dataclass(frozen=True)
class Scenario:
    """When the taste turns, and when lists are judged; seconds since the start."""

    grouped: Grouped
    turns_s: Sequence[float]
    warmup_s: float
    end_s: float
    windows: Mapping[str, Intervals]


def once() -> Scenario:
    """One turn, of which nobody knew that there would be."""
    windows = {
        "before": [(40.0, 80.0)],
        "15 s after": [(80.0, 95.0)],
        "25 s then": [(95.0, 120.0)],
        "long after": [(120.0, 160.0)],
    }
    return Scenario(_ONCE, [80.0], 20.0, 160.0, windows)


def again() -> Scenario:
    """A turn each 34 s, out of step with the buckets of windows; three of them are in what is learnt from."""
    turns, warmup, end = [34.0 * k for k in range(1, 9)], 136.0, 306.0
    since = [turn for turn in turns if turn >= warmup]
    windows = {
        "5 s after": [(turn, turn + 5) for turn in since],
        "5 to 15 s": [(turn + 5, turn + 15) for turn in since],
        "15 to 34 s": [(turn + 15, turn + 34) for turn in since],
    }
    return Scenario(_AGAIN, turns, warmup, end, windows)


def tables(n_worlds: int) -> Iterator[Table]:
    """Over so many worlds together: each has other items and other people."""
    worlds = _Worlds(once(), n_worlds)
    table = _without(worlds, "Simulator, one turn, models all the time")
    table.add("first model for ever", None, worlds.baseline(FROZEN))
    yield table
    worlds = _Worlds(again(), n_worlds)
    yield _without(worlds, "Simulator, a turn each 34 s, one model")
    yield added(f"The same, {' + '.join(BASE)}", worlds, BASE, worlds.groups)


def _without(worlds: _Worlds, title: str) -> Table:
    table = left_out(title, worlds, worlds.groups)
    slow = [name for name in worlds.groups if name not in QUICK]
    table.add(f"without {', '.join(QUICK)}", worlds.n_columns(slow), worlds.per_slate(slow))
    for name, who in (("item rate so far", ITEM_RATE), ("random", RANDOM)):
        table.add(name, None, worlds.baseline(who))
    return table


class _Worlds:
    """See `Compared`."""

    def __init__(self, scenario: Scenario, n_worlds: int) -> None:
        self._windows = scenario.windows
        self._logs = [
            list(world_log(world, turns_s=scenario.turns_s, end_s=scenario.end_s))
            for world in range(1, n_worlds + 1)
        ]
        until = START_MS + round(1_000 * scenario.warmup_s)
        self._studies = [Study(log, lambda: Warmup(until=until), scenario.grouped, [1]) for log in self._logs]
        self.groups = self._studies[0].groups
        self.n_columns = self._studies[0].n_columns

    def per_slate(self, groups: Collection[str]) -> PerSlate:
        return self._in_windows(lambda study: study.measured(groups))

    def baseline(self, who: str) -> PerSlate:
        """Of one of the orders beside the model's."""
        return self._in_windows(lambda study: study.baseline(who))

    def _in_windows(self, measured: Callable[[Study], Measured]) -> PerSlate:
        # Windows have different numbers of lists: each metric has slates of its own.
        found: dict[str, list[float]] = {title: [] for title in self._windows}
        for log, study in zip(self._logs, self._studies, strict=True):
            ndcg = measured(study)["ndcg@10"]
            for title, intervals in self._windows.items():
                judged = slates_in(log, intervals)
                found[title] += [
                    float(v) for name, v in zip(study.names, ndcg, strict=True) if name in judged
                ]
        return {title: np.array(values) for title, values in found.items()}


def slates_in(log: Sequence[Logged], intervals: Intervals) -> set[str]:
    """Ids of the lists that were shown in these."""
    spans = [(START_MS + round(1_000 * first), START_MS + round(1_000 * last)) for first, last in intervals]
    return {
        logged.id
        for logged in log
        if isinstance(logged.event, SlateServed)
        and any(first <= logged.occurred_at < last for first, last in spans)
    }
