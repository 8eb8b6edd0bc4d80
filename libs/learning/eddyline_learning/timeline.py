"""How good the scores were as time went by: the scored slates in stretches of equal number, each measured alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from eddyline_learning.metrics import Estimate
from eddyline_learning.scored import CHAMPION, TOLD, ScoredSlates

_MOST, _SMALLEST = 40, 25
"""Stretches at most, and slates in each at least."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slates that followed on each other."""

    at_ms: int
    """When the first of them was shown, in ms since the Unix epoch."""
    until_ms: int
    """When the last was."""
    n: int
    measured: dict[str, dict[str, Estimate]]
    """By who scored, by the metric's name."""

    def as_json(self) -> dict[str, Any]:
        """One of the answer's ``timeline``: as the answer itself, of these slates."""
        told = {who: {m: e.as_json() for m, e in of.items()} for who, of in self.measured.items()}
        metrics = told.pop(CHAMPION)
        return {
            "at_ms": self.at_ms,
            "until_ms": self.until_ms,
            "n": self.n,
            "metrics": metrics,
            "baselines": told,
        }


def stretches(slates: ScoredSlates, objective: str, k: int) -> list[Stretch]:
    """The slates in the order in which they were shown, cut into at most 40 stretches of at least 25."""
    order = np.argsort(np.array(slates.shown_at, np.int64), kind="stable")
    n_stretches = min(_MOST, max(1, len(order) // _SMALLEST))
    found = []
    for rows in np.array_split(order, n_stretches):
        if not len(rows):
            continue
        measured = slates.only(rows.tolist()).measured(objective, k)
        found.append(
            Stretch(
                at_ms=slates.shown_at[rows[0]],
                until_ms=slates.shown_at[rows[-1]],
                n=len(rows),
                measured={
                    who: {m: e for m, e in of.items() if m.startswith(TOLD)} for who, of in measured.items()
                },
            )
        )
    return found
