"""A history gone through once under protocol ``next-item``: the learner, cycles and gate of the product."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.judging import Models
from eddyline_learning.labels import RANK, RATING
from eddyline_learning.next_item.folds import LateFold, UnslatedFold
from eddyline_learning.next_item.meetings import Measured, ranked
from eddyline_learning.next_item.source import Source
from eddyline_learning.pending import PendingSlate
from eddyline_learning.prequential import Cycle, Meter, Prequential
from eddyline_learning.warmup import Warmup

LABEL_WINDOW_MS = 1_000
"""The right item of a pseudo-slate is known with the interaction that it stands before: nothing is waited for."""


def ordering(view: View) -> View:
    """The view as this protocol learns by it: what comes next is an order, also where it would learn values."""
    learning = view.learning
    if learning.objective == RATING:
        learning = dataclasses.replace(learning, objective=RANK)
    window = min(view.label_window_ms, LABEL_WINDOW_MS)
    return dataclasses.replace(view, learning=learning, label_window_ms=window)


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What came of it."""

    measured: Measured
    unscored: dict[str, int]
    """Interactions that nobody was to foresee, by the reason, those of the warm-up included."""
    cycles: list[Cycle]


class _Judging:
    """As `Judging`: where the models have the right item."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.n_scored = 0

    def warm(self, slate: PendingSlate) -> None:
        """As `Judging`."""
        self._source.by_slate.pop(slate.id, None)

    def judge(self, slate: PendingSlate, models: Models) -> None:
        """As `Judging`."""
        meeting, right, _ = self._source.by_slate.pop(slate.id)
        assert slate.vectors is not None
        champion, frozen = ranked(np.stack(models.scores(slate.vectors)), right)
        meeting.champion, meeting.frozen = int(champion), int(frozen)
        self.n_scored += 1

    def settle(self) -> None:
        """As `Judging`."""


class NextItem:
    """As `Prequential`, for interactions.

    Parameters
    ----------
    repeats, sync_ms
        See `Source`.
    """

    def __init__(
        self,
        view: View,
        warmup: Warmup,
        *,
        repeats: bool,
        sync_ms: int,
        now: Callable[[], float],
        cpu: Callable[[], float],
        meter: Callable[[], Meter],
    ) -> None:
        view = ordering(view)
        seed = view.learning.seed
        source = self._source = Source(view, repeats=repeats, sync_ms=sync_ms, seed=seed)
        state = State(view)
        self._judging = _Judging(source)
        self._run = Prequential(
            view,
            LateFold(state, source.originals, sync_ms) if sync_ms else UnslatedFold(state, source.originals),
            warmup,
            seed=seed,
            now=now,
            cpu=cpu,
            meter=meter,
            judging=self._judging,
            # A model serves from the first sync after its cut on.
            asked_at=(lambda slate: source.by_slate[slate.id][2] + 1)
            if sync_ms
            else (lambda slate: slate.sequence),
        )

    @property
    def n_scored(self) -> int:
        """Interactions that models have ranked so far."""
        return self._judging.n_scored

    def read(self, events: Sequence[Logged]) -> None:
        """Go on with the next events of the log; see `Prequential.read`."""
        self._run.read(self._source.read(events))

    def finish(self, ks: Sequence[int]) -> Foreseen:
        """The history has ended; see `Prequential.finish`."""
        found = self._run.finish()
        cycles = [dataclasses.replace(cycle, cut=cycle.cut // 2) for cycle in found.cycles]
        return Foreseen(
            measured=self._source.meetings.measured_after(self._run.warm_at, ks),
            unscored=dict(self._source.unscored),
            cycles=cycles,
        )
