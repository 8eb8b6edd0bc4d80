"""Which model a cut asks for, and of which examples: decided by what the log has brought, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from eddyline_features.view import Learning
from eddyline_learning.challenger import (
    COMPACT,
    EXTEND,
    REBUILD,
    REFIT,
    REFIT_EXTEND,
    Challenger,
    Plan,
)
from eddyline_learning.drift import DriftWatch
from eddyline_learning.schedule import Growth

DRIFT, GROWTH, TIME, FULL, NEW = "drift", "growth", "time", "tail full", "new examples"
"""Why something is due."""
_Newest = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Situation:
    """Where the log stands at a cut. All are counts of slates but the last."""

    n_positive: int
    """With a positive label, since the start of the log."""
    n_seen: int
    """Examples since the start of the log."""
    n_held: int
    """Examples in the ring."""
    clock: int
    """Time of the events, in ms since the Unix epoch."""


@dataclass(frozen=True, slots=True)
class Loss:
    """How the model in service did on the slates between two cuts, before any of them was trained on."""

    mean: float
    """1 less the goodness that the gate compares: 0 is perfect."""
    n: int
    """Slates."""


class PolicyState:
    """Remembers what was made and what was seen since."""

    def __init__(self, settings: Learning) -> None:
        self._settings = settings
        self._growth = Growth(settings.growth)
        self.watch = DriftWatch(settings.policy)
        self._begins = 0
        """Number of the first example that a rebuild is made of: after a drift, what was before is another world."""
        self._drifted = False
        """Whether a drift waits for its rebuild."""
        self._rebuilt: tuple[int, int] | None = None
        """`n_seen` and `clock` at the last rebuild."""
        self._losses: list[float] = []

    @property
    def n_drifts(self) -> int:
        """Noticed since the start of the log."""
        return self.watch.n_drifts

    @property
    def loss(self) -> Loss | None:
        """Since the cut before; None where nothing was measured."""
        if not self._losses:
            return None
        return Loss(sum(self._losses) / len(self._losses), len(self._losses))

    def observe(self, losses: Iterable[float], n_seen: int) -> None:
        """The champion's loss on the next slates, of which the last is example ``n_seen``; NaN says nothing."""
        told = list(losses)
        self._losses += [loss for loss in told if loss == loss]
        # With those that say nothing: how far back it began is counted in examples, however many come at once.
        since = self.watch.observe(told)
        if since is not None:
            self._drifted = True
            self._begins = max(self._begins, n_seen - since)

    def due(self, now: Situation, champion: Challenger | None, slates_in: _Newest) -> Plan | None:
        """What to make.

        Parameters
        ----------
        champion
            Who serves; None while it is the item priors.
        slates_in
            How many of the newest slates fit into so many rows.
        """
        if not now.n_held:
            return None
        policy = self._settings.policy
        if self._drifted:
            least = slates_in(policy.drift_rows)
            return Plan(REBUILD, DRIFT, newest=max(least, now.n_seen - self._begins))
        since = min(now.n_held, now.n_seen - self._begins)
        whole = None if since >= now.n_held else max(since, slates_in(policy.drift_rows))
        if self._growth.is_due(now.n_positive):
            return Plan(REBUILD, GROWTH, newest=whole)
        if self._time_is_over(now):
            return Plan(REBUILD, TIME, newest=whole)
        if champion is None or policy.cycle == "none":
            return None
        if policy.cycle == REBUILD:
            return Plan(REBUILD, NEW, newest=whole)
        return self._next_step(now, champion, whole, slates_in)

    def made(self, plan: Plan, now: Situation) -> None:
        """The model that was due is there."""
        n_used = now.n_held if plan.newest is None else min(plan.newest, now.n_held)
        if plan.strategy == REBUILD or (plan.strategy == COMPACT and n_used == now.n_held):
            self._growth.rebuilt(now.n_positive, n_used)
            self._rebuilt = now.n_seen, now.clock
        if plan.reason == DRIFT:
            self._drifted = False
            self._begins = now.n_seen - n_used

    def passed(self) -> None:
        """The cut is done with."""
        self._losses = []

    def as_json(self) -> dict[str, Any]:
        """Everything at the end of a cut, exactly."""
        return {
            "rebuild_at": self._growth.next_at,
            "rebuilt": None if self._rebuilt is None else list(self._rebuilt),
            "begins": self._begins,
            "drifted": self._drifted,
            "watch": self.watch.as_json(),
        }

    def recall(self, told: dict[str, Any]) -> None:
        """The inverse of `as_json`."""
        self._growth.next_at = told["rebuild_at"]
        self._rebuilt = None if told["rebuilt"] is None else (told["rebuilt"][0], told["rebuilt"][1])
        self._begins, self._drifted = told["begins"], told["drifted"]
        self.watch.recall(told["watch"])
        self._losses = []

    def _next_step(
        self, now: Situation, champion: Challenger, whole: int | None, slates_in: _Newest
    ) -> Plan | None:
        settings, policy, made = self._settings, self._settings.policy, champion.made
        if not champion.booster or made is None or made.n_seen >= now.n_seen:
            return None
        if policy.cycle == REFIT:
            return Plan(REFIT, NEW, champion)
        if made.tail + settings.extend_trees > settings.tail:
            return Plan(COMPACT, FULL, newest=max(1, slates_in(policy.compact_rows)))
        if policy.cycle == REFIT_EXTEND and now.n_seen - made.n_seen < policy.extend_after:
            return Plan(REFIT, NEW, champion)
        strategy = EXTEND if policy.cycle == EXTEND else REFIT_EXTEND
        # What was before a drift is not replayed either.
        return Plan(strategy, NEW, champion, newest=whole)

    def _time_is_over(self, now: Situation) -> bool:
        policy = self._settings.policy
        if self._rebuilt is None:
            return False
        n_seen, clock = self._rebuilt
        by_slates = policy.rebuild_every is not None and now.n_seen >= n_seen + policy.rebuild_every
        every = policy.rebuild_every_ms
        return by_slates or (every is not None and now.clock >= clock + every and now.n_seen > n_seen)
