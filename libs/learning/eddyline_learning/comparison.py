"""Whether a challenger is served: what two models' comparison on unseen slates says, and nothing else.

Pure numbers; who is compared with whom, and what follows, is decided in `gate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eddyline_features.view import Gate
from eddyline_learning.bounds import Pair

PROMOTE, WAIT, REJECT, GIVE_UP, ROLL_BACK = "promote", "wait", "reject", "give_up", "roll_back"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on a model, and its numbers against one opponent."""

    challenger: str
    opponent: str
    outcome: str
    """``promote``, ``wait``, ``reject`` (shown to be worse by more than delta), ``give_up`` (had its time, or gave way
    to a newer one) or ``roll_back`` (the champion, shown to be worse than the one before)."""
    reason: str
    n: int
    """Slates that both were compared on; neither was trained on any of them."""
    mean: float
    """The challenger's goodness minus the opponent's."""
    lower: float | None
    upper: float | None
    """Where the true difference is, each side with the gate's confidence at all times; None before the first slate."""
    delta: float

    def as_json(self) -> dict[str, Any]:
        """For the event that tells of it."""
        return {
            "by": "gate",
            "outcome": self.outcome,
            "reason": self.reason,
            "opponent": self.opponent,
            "n": self.n,
            "mean": self.mean,
            "lower": self.lower,
            "upper": self.upper,
            "delta": self.delta,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models, and where the true difference between them lies."""

    n: int
    mean: float
    lower: float
    upper: float

    @classmethod
    def of(cls, pair: Pair, gate: Gate) -> Comparison:
        """By what has been seen of them."""
        width = pair.half_width(1.0 - gate.confidence)
        return cls(pair.n, pair.mean, pair.mean - width, pair.mean + width)

    def is_no_worse(self, gate: Gate) -> bool:
        """Whether the first has been shown not to be worse by more than delta."""
        return self.n >= gate.min_slates and self.lower >= -gate.delta

    def is_worse(self, gate: Gate) -> bool:
        """Whether the first has been shown to be worse by more than delta."""
        return self.n >= gate.min_slates and self.upper < -gate.delta

    def is_better(self, gate: Gate) -> bool:
        """Whether the first has been shown to be better at all."""
        return self.n >= gate.min_slates and self.lower > 0.0

    def decided(self, challenger: str, opponent: str, outcome: str, reason: str, gate: Gate) -> Decision:
        """The row for the record."""
        seen = self.n > 0
        return Decision(
            challenger=challenger,
            opponent=opponent,
            outcome=outcome,
            reason=reason,
            n=self.n,
            mean=self.mean,
            lower=self.lower if seen else None,
            upper=self.upper if seen else None,
            delta=gate.delta,
        )
