"""The cycle over a log: events become examples, and at places that the log decides a model is made of them.

Its host reads the log and calls, in turn: `Learner.ahead` with the next events; when it stops at a cut, `behind` with
the events up to `fold_until` once more, `collect`, `make` (unless the cut's model is there already) and `adopt`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eddyline_contracts.bundle import Bundle
from eddyline_contracts.record import Logged
from eddyline_features.view import View
from eddyline_learning.challenger import Challenger, Priors, make_challenger, measure
from eddyline_learning.examples import Examples
from eddyline_learning.fold import Fold
from eddyline_learning.joining import JoinLimits
from eddyline_learning.labels import Labelling
from eddyline_learning.schedule import Schedule
from eddyline_learning.store import ExampleStore


@dataclass(frozen=True, slots=True)
class Cut:
    """A place of the log where a model is due."""

    number: int
    """1 for the first."""
    sequence: int
    """The newest event that anything of the model may depend on."""


class Learner:
    """Everything that a trainer knows, as a function of the log it has read."""

    def __init__(self, view: View, fold: Fold, limits: JoinLimits | None = None) -> None:
        labelling = Labelling(view.learning.objective, view.actions)
        self.view = view
        self.examples = Examples(fold, labelling, view.label_window_ms, limits)
        self.store = ExampleStore(len(view.columns), view.learning.max_examples)
        self.sequence = 0
        """The newest event that was read ahead."""
        self.cut: Cut | None = None
        """Where it stopped, until `make` or `adopt`."""
        self.champion: Bundle | None = None
        """The model of the cut before."""
        self._fold = fold
        self._schedule = Schedule(view.learning.min_slates, view.learning.growth)
        self._n_cuts = 0
        self._n_since_champion = 0

    def ahead(self, events: Sequence[Logged]) -> int:
        """Read on until a cut is reached; returns how many of the events were read."""
        if self.cut is not None:
            return 0
        joiner = self.examples.joiner
        for index, logged in enumerate(events):
            joiner.apply(logged)
            if self._schedule.is_due(joiner.n_positive):
                self.sequence = logged.sequence
                self._n_cuts += 1
                self.cut = Cut(self._n_cuts, logged.sequence)
                return index + 1
        if events:
            self.sequence = events[-1].sequence
        return len(events)

    @property
    def fold_sequence(self) -> int:
        """Where the fold stands."""
        return self.examples.fold_sequence

    @property
    def fold_until(self) -> int:
        """How far the fold may move."""
        return self.examples.fold_until

    def behind(self, events: Sequence[Logged]) -> None:
        """Move the fold over the events after `fold_sequence`; none beyond `fold_until`."""
        self.examples.behind(events)

    def collect(self) -> int:
        """Store the examples that are complete; the fold must stand at `fold_until`. Returns how many."""
        examples = self.examples.drain()
        for example in examples:
            self.store.append(example)
        self._n_since_champion += len(examples)
        return len(examples)

    def make(self, now: Callable[[], float], should_stop: Callable[[], bool] = lambda: False) -> Challenger:
        """Make the model that is due; slow. See `make_challenger`."""
        assert self.cut is not None
        metrics = {}
        if self.champion is not None:
            metrics = measure(self.champion, self.store.table(newest=self._n_since_champion))
        return make_challenger(
            self.view,
            self.store.table(),
            Priors.of(self._fold),
            cut=self.cut.sequence,
            parent=None if self.champion is None else self.champion.model,
            metrics=metrics,
            now=now,
            should_stop=should_stop,
        )

    def adopt(self, model: Bundle) -> None:
        """Go on from the cut with this model as champion."""
        assert self.cut is not None
        self.champion = model
        self._n_since_champion = 0
        self.pass_over()

    def pass_over(self) -> None:
        """Go on from the cut as it is: its model could not be made."""
        self.cut = None
        self._schedule.made(self.examples.joiner.n_positive, len(self.store))
