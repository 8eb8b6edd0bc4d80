"""A learner hosted by its own process, as a trainer hosts it: read ahead, fold behind, cycle at each cut."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lightgbm.basic import LightGBMError

from eddyline_contracts.bundle import Bundle
from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.comparison import Decision
from eddyline_learning.cycle import Cut, Learner
from eddyline_learning.drift import load_detectors
from eddyline_learning.onnx_export import ExportError
from eddyline_learning.verification import InexactModel

_FOLD_EVERY = 500


@dataclass(frozen=True, slots=True)
class CycleSeen:
    """What came of a cut."""

    cut: Cut
    outcome: str
    """``made``, ``nothing_due``, ``failed``, or ``held: …`` with the reason."""
    strategy: str | None
    n_trees: int
    """Of the model that was made; 0 where none was."""
    champion: str | None
    decisions: list[Decision]
    seconds: float
    """It took, with the fold."""
    cpu_seconds: float
    """The same by the CPU's clock."""


class Hosted:
    """The learner, and the cycles that it went through."""

    def __init__(self, view: View) -> None:
        load_detectors(view.learning.policy)
        self.learner = Learner(view, State(view))
        self.cycles: list[CycleSeen] = []
        self.on_made: Callable[[Bundle], None] = lambda _: None
        """Is given each model that a cycle made, once the cycle is over."""
        self._kept: deque[Logged] = deque()

    def read(self, events: Sequence[Logged]) -> None:
        """Go on with the next events; slow where a model is made."""
        done = 0
        while done < len(events):
            n_read = self.learner.ahead(events[done:])
            self._kept.extend(events[done : done + n_read])
            done += n_read
            if self.learner.cut is not None:
                self._cycle(self.learner.cut)
        if len(self._kept) > _FOLD_EVERY:
            self.move_fold()

    def move_fold(self) -> None:
        """As far as it may go."""
        until, events = self.learner.fold_until, []
        while self._kept and self._kept[0].sequence <= until:
            events.append(self._kept.popleft())
        self.learner.behind(events)
        self.learner.collect()

    def _cycle(self, cut: Cut) -> None:
        learner, began, cpu_began = self.learner, time.perf_counter(), time.process_time()
        self.move_fold()
        decisions, outcome, made = learner.judge(), "nothing_due", None
        plan = learner.plan
        if cut.held is not None:
            outcome = f"held: {cut.held}"
        if plan is not None:
            try:
                made, outcome = learner.make(time.perf_counter), "made"
            except (InexactModel, ExportError, LightGBMError):
                outcome = "failed"
        if made is None:
            learner.pass_over()
        else:
            learner.adopt(made)
            decisions = learner.decisions
        told = None if made is None else made.made
        self.cycles.append(
            CycleSeen(
                cut=cut,
                outcome=outcome,
                strategy=None if plan is None else plan.strategy,
                n_trees=0 if told is None else told.n_trees,
                champion=learner.champion_name,
                decisions=decisions,
                seconds=time.perf_counter() - began,
                cpu_seconds=time.process_time() - cpu_began,
            )
        )
        if made is not None:
            self.on_made(made.bundle)
