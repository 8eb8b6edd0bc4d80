"""Evaluates a view with and without its groups, over the same slates, and compares them slate by slate."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Collection, Sequence

import numpy as np

from benchmarks.ablation.groups import Grouped
from benchmarks.ablation.taken import Given, Taking
from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_learning.fold import Fold
from eddyline_learning.metrics import Floats, order_metrics
from eddyline_learning.prequential import Prequential
from eddyline_learning.scored import CHAMPION, ScoredSlates
from eddyline_learning.warmup import Warmup
from eddyline_runtime.cost import Energy, Meter

K = 10
Measured = dict[str, Floats]
"""By metric, shape (S,): of each slate, NaN where it cannot be measured."""


class Study:
    """One log, a warm-up and a view of everything.

    Parameters
    ----------
    seeds
        Of training: a slate's figure is the mean over them.
    """

    def __init__(
        self, log: Sequence[Logged], warmup: Callable[[], Warmup], grouped: Grouped, seeds: Sequence[int]
    ) -> None:
        self._log, self._warmup, self._grouped, self._seeds = log, warmup, grouped, seeds
        self._taking: Taking | None = None
        self._known: dict[tuple[frozenset[str], int], ScoredSlates] = {}
        bare = {"kind": "number", "name": "nothing", "field": "item.nothing"}
        self._bare = Grouped({**grouped.settings}, {"": [bare]}).view([""], 1)

    @property
    def groups(self) -> list[str]:
        """Names of all groups."""
        return list(self._grouped.groups)

    @property
    def everything(self) -> frozenset[str]:
        """All groups."""
        return frozenset(self._grouped.groups)

    def slates(self, groups: Collection[str], seed: int) -> ScoredSlates:
        """What was scored with these groups; evaluated once."""
        key = frozenset(groups), seed
        if key not in self._known:
            if self._taking is None:
                # Whatever is asked first, the vectors of everything are what all else is made of.
                self._taking = Taking(State(self._grouped.view(self.everything, seed)))
                self._known[self.everything, seed] = self._evaluated(self.everything, seed, self._taking)
            if key not in self._known:
                columns = self._grouped.view(groups, seed).columns
                self._known[key] = self._evaluated(
                    key[0], seed, Given(State(self._bare), self._taking, columns)
                )
        return self._known[key]

    @property
    def names(self) -> list[str]:
        """Ids of the slates that are scored, in the order of `measured`."""
        return sorted(self.slates(self.everything, self._seeds[0]).ids)

    def measured(self, groups: Collection[str]) -> Measured:
        """Every metric of every slate, the mean over the seeds; slates in the order of their ids."""
        each = [_measure(self.slates(groups, seed), CHAMPION) for seed in self._seeds]
        return {metric: np.mean([one[metric] for one in each], axis=0) for metric in each[0]}

    def baseline(self, name: str) -> Measured:
        """The same of one of the orders that need no model."""
        return _measure(self.slates(self.everything, self._seeds[0]), name)

    def n_columns(self, groups: Collection[str]) -> int:
        """Columns of the view that has these groups."""
        return len(self._grouped.view(groups, 1).columns)

    def _evaluated(self, groups: frozenset[str], seed: int, fold: Fold) -> ScoredSlates:
        began = time.monotonic()
        view = self._grouped.view(groups, seed)
        evaluation = Prequential(
            view,
            fold,
            self._warmup(),
            seed=seed,
            now=time.perf_counter,
            cpu=time.process_time,
            meter=functools.partial(Meter, Energy()),
        )
        for first in range(0, len(self._log), 1_000):
            evaluation.read(self._log[first : first + 1_000])
        slates = evaluation.finish().slates
        _tell(f"{self._described(groups)}, seed {seed}: {time.monotonic() - began:.0f} s")
        return slates

    def _described(self, groups: frozenset[str]) -> str:
        without = self.everything - groups
        if not without:
            return "everything"
        few = f"without {', '.join(sorted(without))}"
        return few if len(without) <= len(groups) else ", ".join(sorted(groups))


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _measure(slates: ScoredSlates, who: str) -> Measured:
    order = sorted(range(len(slates)), key=lambda place: slates.ids[place])
    sizes = np.array([len(slates.labels[place]) for place in order], np.int32)
    scores = np.concatenate([slates.scores[who][place] for place in order])
    labels = np.concatenate([slates.labels[place] for place in order])
    return order_metrics(scores, labels, sizes, K)
