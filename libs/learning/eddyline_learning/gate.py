"""Whether a challenger is served. So far: unless something newer is; the comparison on unseen slates comes here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eddyline_contracts.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Serving:
    """What the gate must know of the model in service."""

    model: str
    view: str
    last_sequence: int
    """Place of the newest slate that it was trained on."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says, and why."""

    promote: bool
    reason: str

    def as_json(self) -> dict[str, Any]:
        """For the event that tells of it."""
        return {"promote": self.promote, "reason": self.reason}


def decide(challenger: Bundle, serving: Serving | None, *, caught_up: bool) -> Decision:
    """Decide on a challenger whose ONNX form was verified.

    A trainer that replays the log (after a change of settings, say) makes models of the past: none of them may
    replace a newer one. When it has caught up, the newest one of a new view takes over from the old view's.
    """
    if serving is None:
        return Decision(True, "the first model")
    if serving.model == challenger.model:
        return Decision(False, "it serves already")
    if challenger.last_sequence >= serving.last_sequence:
        return Decision(True, "trained on newer slates")
    if caught_up and serving.view != challenger.view:
        return Decision(True, "the newest of the new view")
    return Decision(False, "trained on older slates than the model in service")
