"""Predict, then learn, in the order of the log: protocol ``rerank``, and what the other protocols are made of.

Each slate is scored by vectors of the state just before it (a ranker's slate: of the state it names), by the model
that served at its place in the log: made, and promoted by the gate, of nothing that came later. Its own interactions
decide only, afterwards, how good the scores were. Pure: the same log, view and seed give the same figures.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from lightgbm.basic import LightGBMError

from eddyline_contracts.bundle import Bundle
from eddyline_contracts.record import Logged
from eddyline_features.view import View
from eddyline_learning.challenger import Challenger
from eddyline_learning.cold_start import Acquaintance
from eddyline_learning.cycle import Cut, Learner
from eddyline_learning.fold import Fold, Vectors
from eddyline_learning.importance import gain_shares
from eddyline_learning.item_rates import CountingFold, ItemRates
from eddyline_learning.judging import Judging, OrderJudging, ValuesOf
from eddyline_learning.labels import Labelling
from eddyline_learning.metrics import Floats
from eddyline_learning.onnx_export import ExportError
from eddyline_learning.pending import PendingSlate
from eddyline_learning.scored import ScoredSlates
from eddyline_learning.scoring import OnnxScorer
from eddyline_learning.verification import InexactModel
from eddyline_learning.warmup import Warmup

_FOLD_EVERY = 5_000
"""Events by which the fold may stay behind what it may reach, between two cuts."""
_IMPORTANT = 30
"""Columns of a model that are told of."""
_BECAME_EXAMPLES = ("used", "nothing_to_learn")


class NothingToLearn(ValueError):
    """No first model can be made of the warm-up."""


class Meter(Protocol):
    """Measures one cycle."""

    @property
    def wall(self) -> Mapping[str, float]:
        """Seconds by phase."""

    def phase(self, name: str) -> AbstractContextManager[None]:
        """All within is of this phase."""

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Count seconds that were measured elsewhere."""

    def cost(self, *, n_slates: int, n_examples: int) -> dict[str, Any]:
        """All that was used, for the record."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What happened at a cut."""

    cut: int
    """Its place in the log."""
    at_ms: int
    """What time it was there: of the newest slate or interaction, in ms since the Unix epoch."""
    outcome: str
    """``made``, ``nothing_due``, ``failed``, or ``held: …`` with the reason where the breaker opened."""
    strategy: str | None
    """How a challenger was to be made; None where none was due."""
    due: str | None
    """Why: by growth, drift, time, a full tail or new examples."""
    model: str | None
    """The challenger."""
    champion: str | None
    """Who serves from here on."""
    decisions: list[dict[str, Any]]
    """Of the gate, with their numbers."""
    n_slates: int
    """Examples held."""
    loss: float | None
    """Of the champion, on the slates since the cut before; None where there were none."""
    drifts: int
    """How often it was noticed to do worse than it used to, since the start of the log."""
    importance: dict[str, float]
    """Of the challenger: share of its columns in the gain, the largest first, the small ones left out."""
    seconds: dict[str, float]
    cost: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """One of the answer's ``cycles``."""
        return {
            "cut": self.cut,
            "at_ms": self.at_ms,
            "outcome": self.outcome,
            "strategy": self.strategy,
            "due": self.due,
            "model": self.model,
            "champion": self.champion,
            "decisions": self.decisions,
            "slates": self.n_slates,
            "loss": self.loss,
            "drifts": self.drifts,
            "importance": self.importance,
            "seconds": self.seconds,
            "cost": self.cost,
        }


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What came of it."""

    slates: ScoredSlates
    """Empty where another judging than `OrderJudging` was given: then that one has them."""
    unscored: dict[str, int]
    """Slates after the warm-up that could not be scored, by the reason."""
    cycles: list[Cycle]
    digest: str
    """Of the examples, as a trainer has them that has read the same log."""


class Prequential:
    """Reads a history once and scores what comes after the warm-up.

    Parameters
    ----------
    fold
        A fresh state of the view.
    seed
        Of the random order.
    now, cpu
        Give seconds, of the wall and of the CPU, to time phases by.
    meter
        A new one for each cycle.
    judging
        What becomes of the slates that are scored; how well they are ordered, where none is given.
    values_of
        Of the items of each slate, for `ScoredSlates.values`.
    asked_at
        The place of the log whose events had decided which model serves a slate; its own, where none is given.
    """

    def __init__(
        self,
        view: View,
        fold: Fold,
        warmup: Warmup,
        *,
        seed: int,
        now: Callable[[], float],
        cpu: Callable[[], float],
        meter: Callable[[], Meter],
        judging: Judging | None = None,
        values_of: ValuesOf = lambda items: (),
        asked_at: Callable[[PendingSlate], int] = lambda slate: slate.sequence,
    ) -> None:
        self._order = None
        if judging is None:
            objective, actions = view.learning.objective, view.actions
            counting = CountingFold(fold, ItemRates(objective, actions), Acquaintance())
            labelling = Labelling(objective, actions)
            fold, judging = counting, OrderJudging(labelling, counting.rates, counting.met, seed, values_of)
            self._order = judging
        self._judging = judging
        self._asked_at = asked_at
        self._learner = Learner(view, fold, on_taken=self._score, starts_by_itself=False)
        self._warmup = warmup
        self._warm_at: int | None = None
        self._now, self._cpu, self._meter = now, cpu, meter
        self._kept: deque[Logged] = deque()
        self._models: dict[str, OnnxScorer] = {}
        self._served_from: list[int] = []
        self._served: list[str] = []
        self._cycles: list[Cycle] = []
        self._before: Counter[str] = Counter()

    @property
    def n_scored(self) -> int:
        """Slates that were scored so far."""
        return self._judging.n_scored

    @property
    def warm_at(self) -> int:
        """The last place of the warm-up; 0 before its end."""
        return self._warm_at or 0

    def read(self, events: Sequence[Logged]) -> None:
        """Go on with the next events of the log; slow where a model is made.

        Raises
        ------
        NothingToLearn
            If the warm-up holds nothing that a first model could learn from.
        """
        done = 0
        while done < len(events):
            end = len(events)
            if self._warm_at is None:
                beyond = (i for i in range(done, end) if self._warmup.ends_before(events[i]))
                end = next(beyond, end)
            while done < end:
                n_read = self._learner.ahead(events[done:end])
                self._kept.extend(events[done : done + n_read])
                done += n_read
                if self._learner.cut is not None:
                    self._cycle(self._learner.cut)
            if self._warm_at is None and done < len(events):
                self._end_warmup(events[done])
        if len(self._kept) > _FOLD_EVERY:
            self._move_fold()

    def finish(self) -> Evaluation:
        """The history has ended: slates that never ripen are judged by the labels that they have.

        Raises
        ------
        NothingToLearn
            If it ended before the warm-up did.
        """
        if self._warm_at is None:
            raise NothingToLearn(
                "the warm-up takes all of it, so nothing is left to score: choose a shorter one"
            )
        self._move_fold()
        digest = self._learner.digest
        joiner = self._learner.examples.joiner
        # Not collected: these slates are judged, but a trainer would go on waiting for them.
        joiner.finish()
        self._learner.behind(list(self._kept))
        self._judging.settle()
        unscored = Counter(joiner.slates)
        unscored.subtract(self._before)
        return Evaluation(
            slates=ScoredSlates() if self._order is None else self._order.slates,
            unscored={why: n for why, n in unscored.items() if n > 0 and why not in _BECAME_EXAMPLES},
            cycles=self._cycles,
            digest=digest,
        )

    def _end_warmup(self, first: Logged) -> None:
        learner = self._learner
        self._warm_at = learner.sequence
        self._before = Counter(learner.examples.joiner.slates)
        learner.cut_here()
        assert learner.cut is not None
        self._cycle(learner.cut, first=True)
        if learner.champion is None:
            raise NothingToLearn(
                f"the warm-up ends before {first.id!r}, and until there no slate is ripe that has anything to learn "
                "from: choose a longer warm-up, or a shorter label_window"
            )

    def _cycle(self, cut: Cut, *, first: bool = False) -> None:
        learner, meter = self._learner, self._meter()
        with meter.phase("fold"):
            self._move_fold()
        with meter.phase("gate"):
            decisions = learner.judge()
        loss, n_drifts = learner.loss, learner.n_drifts
        plan = learner.plan
        made, outcome = self._make(meter)
        if made is None:
            learner.pass_over()
        else:
            learner.adopt(made)
            decisions = learner.decisions
            if first:
                learner.crown(made.bundle.model)
        self._serve(cut, learner.champion)
        self._cycles.append(
            Cycle(
                cut=cut.sequence,
                at_ms=max(0, learner.examples.joiner.mark.clock),
                outcome=outcome,
                strategy=None if plan is None else plan.strategy,
                due=None if plan is None else plan.reason,
                model=None if made is None else made.bundle.model,
                champion=None if learner.champion is None else learner.champion.model,
                decisions=[{"challenger": each.challenger, **each.as_json()} for each in decisions],
                n_slates=len(learner.store),
                loss=None if loss is None else loss.mean,
                drifts=n_drifts,
                importance={} if made is None else _importance(made),
                seconds=dict(meter.wall),
                cost=meter.cost(n_slates=len(learner.store), n_examples=learner.store.n_rows),
            )
        )

    def _make(self, meter: Meter) -> tuple[Challenger | None, str]:
        if self._learner.plan is None:
            cut = self._learner.cut
            return None, "nothing_due" if cut is None or cut.held is None else f"held: {cut.held}"
        try:
            made = self._learner.make(self._now, cpu=self._cpu)
        except (InexactModel, ExportError, LightGBMError):
            # As in a trainer: the next cut has other examples, and the champion stays.
            return None, "failed"
        for phase, seconds in made.seconds.items():
            meter.add(phase, seconds, made.cpu_seconds[phase])
        return made, "made"

    def _serve(self, cut: Cut, champion: Bundle | None) -> None:
        if champion is None or (self._served and self._served[-1] == champion.model):
            return
        if champion.model not in self._models:
            self._models[champion.model] = OnnxScorer(champion.onnx)
        self._served_from.append(cut.sequence)
        self._served.append(champion.model)

    def _move_fold(self) -> None:
        until, events = self._learner.fold_until, []
        while self._kept and self._kept[0].sequence <= until:
            events.append(self._kept.popleft())
        self._learner.behind(events)
        self._learner.collect()
        self._judging.settle()

    def _score(self, slate: PendingSlate) -> None:
        """Score a slate whose vectors have just been taken; the fold stands where it was ranked."""
        if self._warm_at is None or slate.sequence <= self._warm_at:
            self._judging.warm(slate)
            return
        # The champion of its moment: the newest model of a cut before it, whenever its vectors are taken.
        served = self._served[max(0, bisect_left(self._served_from, self._asked_at(slate)) - 1)]
        self._judging.judge(slate, _Models(self._models[served], self._models[self._served[0]]))


@dataclass(frozen=True, slots=True)
class _Models:
    """The two that score a slate: see `Models`."""

    _champion: OnnxScorer
    _frozen: OnnxScorer

    def scores(self, vectors: Vectors) -> tuple[Floats, Floats]:
        """See `Models`."""
        champion = self._champion.raw_scores(vectors)
        return champion, champion if self._frozen is self._champion else self._frozen.raw_scores(vectors)


def _importance(made: Challenger) -> dict[str, float]:
    shares = gain_shares(made.booster, made.bundle.features)
    return {name: round(share, 5) for name, share in list(shares.items())[:_IMPORTANT]}
