"""The cycle over a log: events become examples, and at places that the log decides models are compared and made.

Its host reads the log and calls, in turn: `Learner.ahead` with the next events; when it stops at a cut, `behind` with
the events up to `fold_until` once more, `collect`, `judge`, and then `make` and `adopt` if there is a `plan`, or else
`pass_over`. All that comes out is a function of the log, and of the models that its decisions by hand name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eddyline_contracts.bundle import Bundle
from eddyline_contracts.events import ModelAdded, ModelPromoted, ModelRolledBack
from eddyline_contracts.record import Logged
from eddyline_features.declarations.online import VALUE
from eddyline_features.view import View
from eddyline_learning.challenger import (
    Challenger,
    Plan,
    Priors,
    make_challenger,
    measure,
)
from eddyline_learning.comparison import Decision
from eddyline_learning.departed import Departed
from eddyline_learning.digest import ExamplesDigest
from eddyline_learning.examination import Examination
from eddyline_learning.examples import Example, Examples
from eddyline_learning.fold import Fold
from eddyline_learning.gate import PRIORS, Contest
from eddyline_learning.goodness import Judge
from eddyline_learning.joining import JoinLimits
from eddyline_learning.labels import RANK, Labelling
from eddyline_learning.lineup import Lineup
from eddyline_learning.pending import PendingSlate
from eddyline_learning.policy import Loss, PolicyState, Situation
from eddyline_learning.schedule import Beat
from eddyline_learning.skew import Skew
from eddyline_learning.store import ExampleStore
from eddyline_learning.waiting import Waiting

BY_HAND = {"by": "hand"}
"""The decision that an event tells of when a person promoted a model or rolled it back."""


@dataclass(frozen=True, slots=True)
class Order:
    """A change of champion that comes with the log: by hand, or by a trainer with other settings."""

    model: str
    pinned: bool = False
    """It stays until the next order."""
    returns: bool = False
    """It is a roll-back."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A place of the log where something is decided."""

    number: int
    """1 for the first."""
    sequence: int
    """The newest event that anything here may depend on."""
    order: Order | None = None
    """What the event at this place decides."""
    held: str | None = None
    """Clicks were found to have stalled here, and this is why: nothing is decided or made until they come back."""


@dataclass(frozen=True, slots=True)
class KnownCut:
    """What is remembered of a cut: enough to go on from it without comparing anything before it once more."""

    number: int
    sequence: int
    model: str | None
    """The challenger that was made there."""
    state: dict[str, Any] | None
    """`Learner.state` at its end; the last one's is needed only."""


class KnownDiffers(Exception):
    """What is remembered is of another log or another code: forget it, and read the log from its beginning."""


class Learner:
    """Everything that a trainer knows, as a function of the log it has read.

    Parameters
    ----------
    view, fold
        The fold is a fresh state of the view.
    folder
        Where the ring of examples is kept; in memory where none is given.
    fetch
        Gives a model by its name, for those that this learner has not made itself; None when it is not to be had.
    known
        The cuts from the first one on that are remembered, without a gap.
    starts_by_itself
        False: the first cut is where `cut_here` makes it.
    on_taken, take_barren
        See `Examples`.
    """

    def __init__(
        self,
        view: View,
        fold: Fold,
        limits: JoinLimits | None = None,
        *,
        folder: Path | None = None,
        fetch: Callable[[str], Challenger | None] = lambda _: None,
        known: Sequence[KnownCut] = (),
        starts_by_itself: bool = True,
        on_taken: Callable[[PendingSlate], None] | None = None,
        take_barren: Callable[[PendingSlate], bool] | None = None,
    ) -> None:
        labelling = Labelling(view.learning.objective, view.actions)
        self.view = view
        self.skew = Skew(view.id, view.columns)
        """Whether what was served is what is learnt from."""
        self.examples = Examples(
            fold,
            labelling,
            view.label_window_ms,
            limits,
            breaker=view.learning.breaker,
            on_taken=on_taken,
            take_barren=take_barren,
            skew=self.skew,
        )
        self.store = ExampleStore(len(view.columns), view.learning.max_examples, folder)
        self.sequence = 0
        """The newest event that was read ahead."""
        self.cut: Cut | None = None
        """Where it stopped, until `adopt` or `pass_over`."""
        self.plan: Plan | None = None
        """What is due at this cut, once it is judged."""
        self.lost: dict[str, str] = {}
        """Added models that are not compared any more, and why: nobody has them, or they cannot be loaded."""
        self.decisions: list[Decision] = []
        """Of the latest cut, judged and adopted."""
        self._fold = fold
        self._known = list(known)
        self._beat = Beat(view.learning, starts_by_itself=starts_by_itself)
        self._policy = PolicyState(view.learning)
        self._contest = Contest(view.learning.gate)
        foretold = view.online is not None and view.online.target == VALUE
        self._judge = Judge(
            view.learning.objective, Examination.of(view.learning), priors_are_values=foretold
        )
        self._lineup = Lineup(fetch)
        self._digest = ExamplesDigest()
        self._own: set[str] = set()
        self._waiting = Waiting()
        self._departed = Departed()
        # Models of others that the gate made champion here, and where; what is known tells of it before it is recalled.
        decided = None if not known else (known[-1].state or {}).get("decided")
        self._decided: dict[str, int] = dict(decided or {})
        self._n_cuts = 0
        self._n_held = 0
        self._n_collected = 0
        self._labelled_at = 0
        self._n_before = 0
        """Examples that had been collected at the cut before."""

    @property
    def champion(self) -> Bundle | None:
        """The model in service; None while it is the item priors."""
        if self._contest.champion == PRIORS:
            return None
        return self._lineup.model(self._contest.champion).bundle

    @property
    def champion_name(self) -> str | None:
        """As `champion`, without loading it."""
        return None if self._contest.champion == PRIORS else self._contest.champion

    @property
    def contenders(self) -> list[str]:
        """Challengers that are being compared, the oldest first."""
        return list(self._contest.contenders)

    @property
    def live(self) -> list[str]:
        """Models that are compared: the champion, those before it, the contenders."""
        return [model for model in self._contest.live if model != PRIORS]

    @property
    def loss(self) -> Loss | None:
        """How the champion did since the cut before; ask at a cut."""
        return self._policy.loss

    @property
    def n_drifts(self) -> int:
        """How often it was noticed to do worse than it used to, since the start of the log."""
        return self._policy.n_drifts

    @property
    def digest(self) -> str:
        """sha256, in hex, of all examples so far."""
        return self._digest.hexdigest()

    @property
    def is_known(self) -> bool:
        """Whether what happened at this cut is remembered: then `recall` takes the place of all else."""
        return self.cut is not None and self.cut.number <= len(self._known)

    @property
    def held(self) -> str | None:
        """Why nothing is learnt now: clicks have stalled; None while they come."""
        breaker = self.examples.joiner.breaker
        return breaker.reason if breaker.is_open else None

    @property
    def fold_sequence(self) -> int:
        """Where the fold stands."""
        return self.examples.fold_sequence

    @property
    def fold_until(self) -> int:
        """How far the fold may move."""
        return self.examples.fold_until

    def ahead(self, events: Sequence[Logged]) -> int:
        """Read on until a cut is reached; returns how many of the events were read."""
        if self.cut is not None:
            return 0
        joiner = self.examples.joiner
        for index, logged in enumerate(events):
            joiner.apply(logged)
            self._departed.hear(logged)
            if isinstance(logged.event, ModelAdded) and logged.event.view == self.view.id:
                self._waiting.add(logged.event.model, logged.sequence)
            order, held = self._order(logged), self._held()
            if (
                order is not None
                or held is not None
                or (
                    not joiner.breaker.is_open
                    and self._beat.is_due(joiner.n_positive, joiner.n_complete, joiner.mark.clock)
                )
            ):
                self.sequence = logged.sequence
                self._stop(order, held)
                return index + 1
        if events:
            self.sequence = events[-1].sequence
        return len(events)

    def cut_here(self) -> None:
        """Stop at the place that was read last."""
        if self.cut is None:
            self._stop(None)

    def behind(self, events: Sequence[Logged]) -> None:
        """Move the fold over the events after `fold_sequence`; none beyond `fold_until`."""
        self.examples.behind(events)
        self._departed.forget(self.fold_sequence)

    def collect(self) -> int:
        """Store the examples that are complete, after every live model has been measured on them.

        The fold must stand at `fold_until`. Returns how many there were.
        """
        examples = self.examples.drain()
        # Up to the last known cut, all that was measured is remembered.
        if self._n_cuts - (self.cut is not None) >= len(self._known):
            self._measure(examples)
        for example in examples:
            self.store.append(example)
            self._digest.add(example)
            self._labelled_at = max(self._labelled_at, example.labelled_at)
        self._n_collected += len(examples)
        return len(examples)

    def judge(self) -> list[Decision]:
        """Decide on the contenders, and on what is due; once at each cut, after `collect`."""
        cut = self._at_cut()
        if cut.held is not None:
            self.decisions, self.plan = [], None
        elif cut.order is not None:
            self.decisions, self.plan = [], None
            order = cut.order
            if self._lineup.has(order.model):
                self._contest.crown(order.model, pinned=order.pinned, returns=order.returns)
        else:
            before = self._contest.champion
            self.decisions = self._lose()
            if self._contest.champion == before:
                self.decisions = [*self.decisions, *self._contest.judge()]
            if self._contest.champion != before and self._contest.champion not in self._own:
                self._decided.setdefault(self._contest.champion, cut.sequence)
            self.decisions = [*self.decisions, *self._let_in(cut)]
            self.plan = self._due()
        self._lineup.keep(self._contest.live)
        return self.decisions

    def make(
        self,
        now: Callable[[], float],
        should_stop: Callable[[], bool] = lambda: False,
        *,
        cpu: Callable[[], float] = lambda: 0.0,
    ) -> Challenger:
        """Make the model that is due; slow. See `make_challenger`."""
        cut = self._at_cut()
        assert self.plan is not None
        if self.view.learning.position_bias == "examination":
            self.store.examination = self._judge.examination
        metrics = {}
        n_new = self._n_collected - self._n_before
        if self.champion is not None and n_new:
            metrics = measure(self.champion, self.store.table(newest=n_new))
        return make_challenger(
            self.view,
            self.store,
            self.plan,
            self.priors(),
            cut=cut.sequence,
            n_seen=self._n_collected,
            labelled_at=self._labelled_at,
            champion=self.champion_name,
            metrics=metrics,
            now=now,
            cpu=cpu,
            should_stop=should_stop,
        )

    def adopt(self, made: Challenger) -> None:
        """Go on from the cut; this model is compared from now on, and will be champion when the gate says so."""
        cut = self._at_cut()
        self._lineup.add(made)
        self._own.add(made.bundle.model)
        self.decisions = [*self.decisions, *self._contest.enter(made.bundle.model, cut.number)]
        if self.plan is not None:
            self._policy.made(self.plan, self._situation)
        self.pass_over()

    def pass_over(self) -> None:
        """Go on from the cut as it is: nothing was due, or it could not be made."""
        cut = self._at_cut()
        if cut.order is None and cut.held is None:
            joiner = self.examples.joiner
            self._beat.struck(joiner.n_complete, joiner.mark.clock)
        self._n_before = self._n_collected
        self._policy.passed()
        self._lineup.keep(self._contest.live)
        self.cut = self.plan = None

    def crown(self, model: str) -> None:
        """Make a model champion that this learner has, without asking the gate."""
        self._contest.crown(model)

    def priors(self) -> Priors:
        """How good each item is for anybody where the fold stands, of those that are in the catalogue up to here."""
        return Priors.of(self._fold, self._departed.after(self.fold_sequence), self.sequence)

    @property
    def waiting(self) -> list[str]:
        """Added models that are not compared yet."""
        return self._waiting.models

    @property
    def state(self) -> dict[str, Any]:
        """What a cut leaves behind, for `KnownCut`."""
        return {
            "contest": self._contest.as_json(),
            "judge": self._judge.as_json(),
            "policy": self._policy.as_json(),
            "waiting": self._waiting.as_json(),
            "decided": dict(self._decided),
        }

    def recall(self) -> None:
        """Go on from a known cut as it was left.

        Raises
        ------
        KnownDiffers
            If it was at another place.
        """
        cut = self._at_cut()
        known = self._known[cut.number - 1]
        if (known.number, known.sequence) != (cut.number, cut.sequence):
            raise KnownDiffers(
                f"cut {cut.number} was at {known.sequence}, and is at {cut.sequence} in this log"
            )
        if known.model is not None:
            self._own.add(known.model)
        if known.state is not None:
            self._contest.recall(known.state["contest"])
            self._judge.recall(known.state["judge"])
            self._policy.recall(known.state["policy"])
            self._waiting.recall(known.state.get("waiting", {}))
        self.pass_over()

    def _order(self, logged: Logged) -> Order | None:
        """What an event decides, unless it tells of what was decided here."""
        event = logged.event
        if not isinstance(event, ModelPromoted | ModelRolledBack) or event.view != self.view.id:
            return None
        by_hand = event.decision.get("by") == BY_HAND["by"]
        decided_at = self._decided.get(event.model)
        is_told_of = event.model in self._own or (decided_at is not None and decided_at < logged.sequence)
        if not by_hand and is_told_of:
            return None
        return Order(
            event.model,
            pinned=by_hand and event.decision.get("pinned") is True,
            returns=isinstance(event, ModelRolledBack),
        )

    def _held(self) -> str | None:
        """Why clicks were found to have stalled just now, if they were."""
        breaker = self.examples.joiner.breaker
        if breaker.n_opened == self._n_held:
            return None
        self._n_held = breaker.n_opened
        return breaker.reason

    def _stop(self, order: Order | None, held: str | None = None) -> None:
        self._n_cuts += 1
        self.cut = Cut(self._n_cuts, self.sequence, order, held)

    def _at_cut(self) -> Cut:
        if self.cut is None:
            raise ValueError("only at a cut")
        return self.cut

    def _due(self) -> Plan | None:
        parent = None if self._contest.champion == PRIORS else self._to_extend()
        return self._policy.due(self._situation, parent, self.store.newest_within)

    @property
    def _situation(self) -> Situation:
        joiner = self.examples.joiner
        return Situation(joiner.n_positive, self._n_collected, len(self.store), joiner.mark.clock)

    def _to_extend(self) -> Challenger:
        """The champion; where it has no trees, the best of those that are compared with it and have some, if any."""
        champion = self._contest.champion
        if self._lineup.model(champion).booster:
            return self._lineup.model(champion)
        # The newest first: of those that nothing is known of yet, it has seen the most.
        others = [model for model in reversed(self.live) if self._lineup.model(model).booster]
        best = max(others, key=lambda model: self._contest.compare(model, champion).mean, default=champion)
        return self._lineup.model(best)

    def _let_in(self, cut: Cut) -> list[Decision]:
        """Compare added models from here on, if all slates that were served before they came are done with.

        Whoever made them may have looked at those slates.
        """
        decisions: list[Decision] = []
        for model in self._waiting.pop(self.examples.joiner.oldest_pending):
            if self._lineup.has(model):
                decisions += self._contest.enter(model, cut.number, outside=True)
            else:
                self.lost[model] = "it is not in the registry"
        return [*decisions, *self._lose()]

    def _lose(self) -> list[Decision]:
        """Compare no longer what cannot be loaded any more, as after ONNX Runtime was changed."""
        found = {model: self._lineup.why_unreadable(model) for model in self.live}
        lost = {
            model: f"it cannot be loaded any more: {why}" for model, why in found.items() if why is not None
        }
        self.lost |= lost
        return self._contest.lose(lost) if lost else []

    @property
    def _foreseen_at(self) -> int | None:
        """The column to tell the models where items were shown, if they are to foresee clicks and not to order."""
        return None if self.view.learning.objective == RANK else self.view.position_column

    def _measure(self, examples: Sequence[Example]) -> None:
        models = self._contest.live
        priors = models.index(PRIORS) if PRIORS in models else None
        for first in range(0, len(examples), 256):
            some = examples[first : first + 256]
            raw = self._lineup.scores(models, some, position=self._foreseen_at)
            goodness = self._judge.measure(some, raw, priors=priors)
            self._contest.observe(goodness)
            if self._contest.champion != PRIORS:
                # Without the weights of the slates: one that counts for many is no drift.
                losses = 1.0 - goodness[:, models.index(self._contest.champion)] / self._judge.weights
                self._policy.observe(losses.tolist(), self._n_collected + first + len(some))
