"""Ways to go on learning: each is told of every batch after it was scored, and has a booster for the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features.view import Learning, Policy
from eddyline_learning.boosters import Columns, Fitted, train
from eddyline_learning.challenger import COMPACT, EXTEND, REBUILD, REFIT, REFIT_EXTEND, Made
from eddyline_learning.policy import PolicyState, Situation
from eddyline_learning.store import Table
from eddyline_learning.strategies.extend import best_length, extend
from eddyline_learning.strategies.refit import refit

WINDOW_ROWS = 20_000
NEVER = 10**9
OURS, AVERAGED = "the same + ADWIN + growth 1.5", "three of these, averaged"


@dataclass(frozen=True)
class Past:
    """What has happened so far: S slates, of which the last ``n_new`` came with the newest batch."""

    table: Table
    n_new: int
    goodness: Sequence[float]
    """Of the booster that is in service, on each of the newest slates."""

    def newest(self, n_slates: int) -> Table:
        """The last so many slates."""
        return part(self.table, max(0, self.table.n_slates - n_slates), self.table.n_slates)

    def within(self, n_rows: int) -> int:
        """How many of the newest slates fit into so many rows."""
        sizes = np.cumsum(self.table.sizes[::-1])
        return max(1, int(np.searchsorted(sizes, n_rows, side="right")))

    def window(self) -> Table:
        """The newest `WINDOW_ROWS` rows."""
        return self.newest(self.within(WINDOW_ROWS))

    def replayed(self, n_rows: int, seed: int, among: int | None = None) -> Table:
        """The newest batch, and older slates at random of so many rows: of all, or among so many of the newest."""
        n_older = self.table.n_slates - self.n_new
        left_out = 0 if among is None else min(n_older, self.table.n_slates - among)
        drawn = left_out + np.random.default_rng(seed).permutation(n_older - left_out)
        enough = int(np.searchsorted(np.cumsum(self.table.sizes[drawn]), n_rows)) + 1
        chosen = np.append(np.sort(drawn[:enough]), np.arange(n_older, self.table.n_slates))
        rows = np.repeat(np.isin(np.arange(self.table.n_slates), chosen), self.table.sizes)
        table = self.table
        return Table(
            table.vectors[rows],
            table.labels[rows],
            table.positions[rows],
            table.sizes[chosen],
            table.sequences[chosen],
        )


def part(table: Table, first: int, last: int) -> Table:
    """Slates from ``first`` to before ``last``."""
    ends = np.concatenate([[0], np.cumsum(table.sizes)])
    rows = slice(int(ends[first]), int(ends[last]))
    return Table(
        table.vectors[rows],
        table.labels[rows],
        table.positions[rows],
        table.sizes[first:last],
        table.sequences[first:last],
    )


Step = Callable[[Fitted, Past, int], Fitted]
"""From a booster to the next one; the last is the number of the batch."""


class Contender:
    """A booster that goes on by a step."""

    def __init__(self, warm: Table, columns: Columns, settings: Learning, step: Step) -> None:
        self.fitted = train(part_of_rows(warm, WINDOW_ROWS), columns, settings)
        self._step = step

    def learn(self, past: Past, number: int) -> None:
        """Take in the newest batch."""
        self.fitted = self._step(self.fitted, past, number)


class Averaged:
    """Several contenders whose scores are averaged; each goes on by itself."""

    def __init__(self, parts: Sequence[Contender]) -> None:
        self._parts = parts

    @property
    def fitted(self) -> Averaged:
        """As a contender has it: what scores."""
        return self

    @property
    def n_trees(self) -> int:
        """Of each of them, at most."""
        return max(one.fitted.n_trees for one in self._parts)

    def raw_scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """The mean of theirs, shape (N,)."""
        found: NDArray[np.float64] = np.mean([one.fitted.raw_scores(vectors) for one in self._parts], axis=0)
        return found

    def learn(self, past: Past, number: int) -> None:
        """Take in the newest batch."""
        for one in self._parts:
            one.learn(past, number)


def contenders(columns: Columns, settings: Learning) -> dict[str, Callable[[Table], Contender | Averaged]]:
    """All that are compared, by name, each to be made of what it warms up with."""

    def making(step: Step) -> Callable[[Table], Contender]:
        return lambda warm: Contender(warm, columns, settings, step)

    def three(warm: Table) -> Averaged:
        others = [
            # Without a share of the columns a seed decides nothing, and three would be one.
            dataclasses.replace(settings, seed=1_000 * settings.seed + k, feature_fraction=0.7)
            for k in range(3)
        ]
        return Averaged([Contender(warm, columns, one, steps(columns, one)[OURS]) for one in others])

    return {name: making(step) for name, step in steps(columns, settings).items()} | {AVERAGED: three}


def part_of_rows(table: Table, n_rows: int) -> Table:
    """The newest slates of so many rows."""
    return Past(table, 0, []).newest(Past(table, 0, []).within(n_rows))


def steps(columns: Columns, settings: Learning) -> dict[str, Step]:
    """All that are compared, by name."""

    def keep(before: Fitted, past: Past, number: int) -> Fitted:
        return before

    def retrain(before: Fitted, past: Past, number: int) -> Fitted:
        return train(past.window(), columns, settings)

    def on_newest(before: Fitted, past: Past, number: int) -> Fitted:
        return extend(before, past.newest(past.n_new), columns, settings)

    def on_replayed(before: Fitted, past: Past, number: int) -> Fitted:
        return extend(before, past.replayed(settings.replay, number), columns, settings)

    def refitted(before: Fitted, past: Past, number: int) -> Fitted:
        return refit(before, past.newest(past.n_new), columns, settings)

    def refitted_by_replay(before: Fitted, past: Past, number: int) -> Fitted:
        return refit(before, past.replayed(settings.replay, number), columns, settings)

    def rebuilt_at_times(before: Fitted, past: Past, number: int) -> Fitted:
        if number % 20 == 0:
            return retrain(before, past, number)
        return refitted(before, past, number)

    def policy(told: Policy, growth: float = NEVER) -> Step:
        return ByPolicy(columns, dataclasses.replace(settings, growth=growth, policy=told)).step

    quiet = dataclasses.replace(settings.policy, compact_rows=WINDOW_ROWS, drift="none")
    adwin = dataclasses.replace(quiet, drift="adwin")
    return {
        "static": keep,
        "full retrain on 20 k every batch": retrain,
        "extend, newest 1 k only": on_newest,
        "extend, 8 k replayed": on_replayed,
        "refit on the newest": refitted,
        "refit on 8 k replayed": refitted_by_replay,
        "refit + rebuild every 20": rebuilt_at_times,
        "tail with rollback + compaction": policy(dataclasses.replace(quiet, cycle=EXTEND)),
        "refit + tail with rollback + compaction": policy(quiet),
        "the same + drift guard (ADWIN)": policy(adwin),
        "the same + drift guard (Page-Hinkley)": policy(dataclasses.replace(quiet, drift="page_hinkley")),
        OURS: policy(adwin, 1.5),
    }


class ByPolicy:
    """As a trainer does it, without the gate: whatever was made serves."""

    def __init__(self, columns: Columns, settings: Learning) -> None:
        self._columns, self._settings = columns, settings
        self._policy = PolicyState(settings)
        self._n_seen = 0
        self.n_drifts = 0

    def step(self, before: Fitted, past: Past, number: int) -> Fitted:
        """See `Step`."""
        n, settings = past.table.n_slates, self._settings
        now = Situation(n, n, n, number)
        if self._n_seen == 0:
            # The booster that is there was the first.
            earlier = n - past.n_new
            first = self._policy.due(Situation(earlier, earlier, earlier, 0), None, past.within)
            assert first is not None
            self._policy.made(first, Situation(earlier, earlier, earlier, 0))
            self._n_seen = earlier
        self._policy.observe([1.0 - good for good in past.goodness], n)
        self.n_drifts = self._policy.n_drifts
        tail = max(0, before.n_trees - settings.trees)
        serving: Any = _Serving(Made("", None, before.n_trees, tail, 0, self._n_seen, before.bias))
        plan = self._policy.due(now, serving, past.within)
        assert plan is not None
        self._n_seen = n
        if plan.strategy in (REBUILD, COMPACT):
            table = past.table if plan.newest is None else past.newest(plan.newest)
            made = train(table, self._columns, settings)
        else:
            newest = past.newest(past.n_new)
            made = before.first(best_length(before, newest, settings))
            if plan.strategy in (REFIT, REFIT_EXTEND):
                made = refit(made, newest, self._columns, settings)
            if plan.strategy in (EXTEND, REFIT_EXTEND):
                made = extend(
                    made, past.replayed(settings.replay, number, plan.newest), self._columns, settings
                )
        self._policy.made(plan, now)
        self._policy.passed()
        return made


@dataclass(frozen=True)
class _Serving:
    made: Made
    booster: str = "its trees"
