"""Who serves, who did before, and who wants to: the models that are compared, slate by slate, and what becomes of them.

A function of the slates' goodness, in the order of the log, and of the places where it was asked to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features.view import Gate
from eddyline_learning.comparison import (
    GIVE_UP,
    PROMOTE,
    REJECT,
    ROLL_BACK,
    WAIT,
    Comparison,
    Decision,
)
from eddyline_learning.evidence import Evidence

PRIORS = "item-priors"
"""Stands for the order that serves before the first model."""


class Contest:
    """The champion, the champions before it, and the contenders.

    Attributes
    ----------
    champion
        Name of the model in service, or `PRIORS`.
    formers
        The champions before it that are still compared, the newest last.
    contenders
        Challengers by name, with the number of the cut that they were made at; the oldest first.
    outside
        Those contenders that were made elsewhere.
    predecessor
        Whom the champion was promoted over, by the gate or by hand: it is taken back for that one if it falls below.
        None where there is no such model, or where a roll-back brought the champion back.
    pinned
        A person said that the champion stays until a person says otherwise: all go on being compared, none replaces it.
    """

    def __init__(self, gate: Gate) -> None:
        self.champion = PRIORS
        self.formers: list[str] = []
        self.contenders: dict[str, int] = {}
        self.outside: set[str] = set()
        self.predecessor: str | None = None
        self.pinned = False
        self._gate = gate
        self._evidence = Evidence()
        self._evidence.enter(PRIORS)

    @property
    def live(self) -> list[str]:
        """The models whose goodness `observe` expects, in its order."""
        return self._evidence.models

    def observe(self, goodness: NDArray[np.float64]) -> None:
        """Slates that none of `live` was trained on, shape (S, M)."""
        self._evidence.observe(goodness)

    def compare(self, one: str, other: str) -> Comparison:
        """Where the difference between two live models lies."""
        return Comparison.of(self._evidence.pair(one, other), self._gate)

    def enter(self, model: str, cut: int, *, outside: bool = False) -> list[Decision]:
        """A new challenger; where there are too many, the least promising one gives way.

        One from outside is compared until it is decided: no newer model was made to take its place.
        """
        if model in self.live:
            return []
        decisions = []
        while len(self.contenders) >= self._gate.contenders:
            # By the upper bound: one that is hardly known may still be good. The oldest of equal ones.
            least = min(self.contenders, key=lambda name: self.compare(name, self.champion).upper)
            del self.contenders[least]
            decisions.append(self._row(least, self.champion, GIVE_UP, "made room for a newer challenger"))
        self.contenders[model] = cut
        if outside:
            self.outside.add(model)
        self._evidence.enter(model)
        self._let_go()
        return decisions

    def judge(self) -> list[Decision]:
        """Decide on everybody; at most one is promoted, or the champion is taken back."""
        decisions = self._look_back()
        if decisions:
            return decisions
        opponents = self._opponents()
        winner = self._best_of_those_no_worse(opponents)
        for model, cut in list(self.contenders.items()):
            outcome, reason = self._outcome(model, winner, cut)
            decisions += [self._row(model, opponent, outcome, reason) for opponent in opponents]
            if outcome in (REJECT, GIVE_UP):
                del self.contenders[model]
        if winner is not None:
            self.predecessor = self.champion if self.champion != PRIORS else None
            self._succeed(winner)
        self._let_go()
        return decisions

    def lose(self, models: Mapping[str, str]) -> list[Decision]:
        """Nobody can run these models any more, by the reason of each: they are not compared from here on.

        A champion is taken back for the newest model before it that is left. It stays where there is none, or where it
        is pinned: who serves it may still be able to run it, and whoever is compared with it does better.
        """
        gone = [model for model in (*self.contenders, *self.formers) if model in models]
        decisions = [self._row(model, self.champion, GIVE_UP, models[model]) for model in gone]
        for model in gone:
            self.contenders.pop(model, None)
        self.formers = [model for model in self.formers if model not in models]
        if self.predecessor in models:
            self.predecessor = None
        before = next((model for model in reversed(self.formers) if model != PRIORS), None)
        if self.champion in models and before is not None and not self.pinned:
            decisions.append(self._row(before, self.champion, ROLL_BACK, models[self.champion]))
            self.formers.remove(before)
            self.champion, self.predecessor = before, None
        self._let_go()
        return decisions

    def crown(self, model: str, *, pinned: bool = False, returns: bool = False) -> None:
        """Make a model champion without asking; from now on it is compared as such.

        It is taken back as one that the gate promoted would be, by slates from here on: whoever decided by hand may
        know what earlier slates do not.

        Parameters
        ----------
        pinned
            It stays until the next call.
        returns
            It is brought back, so there is nobody to take it back for.
        """
        self.pinned = pinned
        if model == self.champion:
            return
        before = self.champion
        self._evidence.enter(model)
        self._evidence.forget(model, before)
        self._succeed(model)
        self.predecessor = None if returns or before == PRIORS else before
        self._let_go()

    def as_json(self) -> dict[str, Any]:
        """Everything, exactly."""
        return {
            "champion": self.champion,
            "formers": list(self.formers),
            "contenders": dict(self.contenders),
            "outside": sorted(self.outside),
            "predecessor": self.predecessor,
            "pinned": self.pinned,
            "evidence": self._evidence.as_json(),
        }

    def recall(self, told: dict[str, Any]) -> None:
        """The inverse of `as_json`."""
        self.champion, self.formers = told["champion"], list(told["formers"])
        self.predecessor = told["predecessor"]
        # An older Eddyline knew of no pins, and of no models from outside.
        self.pinned = told.get("pinned", False)
        self.outside = set(told.get("outside", ()))
        self._evidence = Evidence.from_json(told["evidence"])
        # In the order in which they came: what keeps JSON need not keep the order of members.
        came = self._evidence.models.index
        self.contenders = dict(sorted(told["contenders"].items(), key=lambda of: came(of[0])))

    def _opponents(self) -> list[str]:
        """The champion, and the best of those before it by what they were seen to do on the same slates."""
        if not self.formers:
            return [self.champion]
        best = max(self.formers, key=lambda name: self.compare(name, self.champion).mean)
        return [self.champion, best]

    def _best_of_those_no_worse(self, opponents: list[str]) -> str | None:
        if self.pinned:
            return None
        able = [
            model
            for model in self.contenders
            if all(self.compare(model, opponent).is_no_worse(self._gate) for opponent in opponents)
        ]
        # The newest of equal ones.
        return max(reversed(able), key=lambda model: self.compare(model, self.champion).mean, default=None)

    def _outcome(self, model: str, winner: str | None, cut: int) -> tuple[str, str]:
        against = self.compare(model, self.champion)
        if model == winner:
            return PROMOTE, "not worse, on slates that neither was trained on"
        if winner is not None and model not in self.outside and cut < self.contenders[winner]:
            return GIVE_UP, "older than the one that was promoted"
        if against.is_worse(self._gate):
            return REJECT, "worse by more than delta"
        if against.n >= self._gate.patience:
            return GIVE_UP, "undecided for too long"
        return WAIT, "the champion is pinned by hand" if self.pinned else "not decided yet"

    def _look_back(self) -> list[Decision]:
        """Take the champion back if the one before it has been shown to be better."""
        before, fallen = self.predecessor, self.champion
        if before is None or before not in self.formers or self.pinned:
            return []
        if not self.compare(before, fallen).is_better(self._gate):
            return []
        row = self._row(before, fallen, ROLL_BACK, "the champion has fallen below the one before it")
        self.predecessor = None
        self.formers.remove(before)
        self.champion = before
        self._let_go()
        return [row]

    def _succeed(self, model: str) -> None:
        self.contenders.pop(model, None)
        if model in self.formers:
            self.formers.remove(model)
        self.formers.append(self.champion)
        # The last one is kept in any case: it is whom the champion may be taken back for.
        del self.formers[: -max(1, self._gate.champions)]
        self.champion = model

    def _row(self, model: str, opponent: str, outcome: str, reason: str) -> Decision:
        return self.compare(model, opponent).decided(model, opponent, outcome, reason, self._gate)

    def _let_go(self) -> None:
        self.outside.intersection_update(self.contenders)
        self._evidence.keep({self.champion, *self.formers, *self.contenders})
