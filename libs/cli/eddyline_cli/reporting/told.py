"""What is told of learning, the same of a running system and of an evaluation: cycles, decisions, models, marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

PROMOTE, ROLL_BACK, TAKE_OVER = "promote", "roll_back", "take_over"
CHANGES = (PROMOTE, ROLL_BACK, TAKE_OVER)
"""Outcomes that make another model champion."""


@dataclass(frozen=True, kw_only=True)
class CycleTold:
    """One cycle of learning."""

    number: int
    at_ms: int
    outcome: str
    """``made``, ``nothing_due``, ``failed``, ``order``."""
    strategy: str | None = None
    """How its challenger was made."""
    model: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Of the wall, by phase."""
    joules: float | None = None
    joules_by: str = ""
    """How these were found."""
    slates: int = 0
    """Examples held."""
    loss: float | None = None
    """Of the champion, on what was new at this cut, before it was learnt from; None where it was not told."""
    drift: bool = False
    """Whether drift was noticed since the cut before."""


@dataclass(frozen=True, kw_only=True)
class DecisionTold:
    """One decision of the gate, or by hand, against one opponent."""

    at_ms: int
    challenger: str
    opponent: str
    outcome: str
    reason: str
    n: int
    mean: float | None
    lower: float | None
    upper: float | None
    delta: float | None
    against_champion: bool
    """Whether the opponent served at that time."""

    @property
    def by_hand(self) -> bool:
        """A person decided."""
        return self.reason.startswith("by hand")


@dataclass(frozen=True, kw_only=True)
class VersionTold:
    """One model."""

    model: str
    role: str
    """``champion``, ``former`` or ``challenger``."""
    made_at: int
    promoted_at: int | None = None
    labelled_at: int | None = None
    """When the log got the newest label that it learnt from; None where nobody knows."""
    strategy: str | None = None
    n_trees: int | None = None
    n_slates: int | None = None
    importance: dict[str, float] = field(default_factory=dict)
    """Share of its columns in the gain, the largest first; empty for a model without trees, or where it is not "
    "known."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something that happened at a time, drawn into everything that has a time axis."""

    at_ms: int
    kind: str
    """``promote``, ``roll_back``, ``take_over``, ``drift`` or ``shift``."""
    label: str


def marks_of(decisions: Sequence[DecisionTold], cycles: Sequence[CycleTold]) -> list[Mark]:
    """Every change of the champion, and every drift that was noticed, in the order of time."""
    seen: dict[tuple[int, str], Mark] = {}
    for each in decisions:
        if each.outcome in CHANGES:
            word = each.outcome.replace("_", " ") + (" by hand" if each.by_hand else "")
            seen.setdefault(
                (each.at_ms, each.challenger), Mark(at_ms=each.at_ms, kind=each.outcome, label=word)
            )
    drifts = [Mark(at_ms=each.at_ms, kind="drift", label="drift") for each in cycles if each.drift]
    return sorted([*seen.values(), *drifts], key=lambda mark: mark.at_ms)
