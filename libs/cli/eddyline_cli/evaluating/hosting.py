"""What a protocol does between the reading of a history and the printing of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from eddyline_cli.evaluating.history import Found, History
from eddyline_cli.evaluating.progress import EvaluationProgress
from eddyline_features.view import View
from eddyline_learning.warmup import Warmup


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the options say."""

    warmup: str
    ks: tuple[int, ...]
    """Places that metrics look at."""
    repeats: bool = False
    """Score items that the person has acted on before."""
    sync_intervals: tuple[tuple[str, int], ...] = ()
    """Each as it was written, and in ms."""
    plot: Path | None = None
    target: str | None = None
    """The policy whose value is asked for."""
    clip: float | None = None
    """The most that a row may weigh."""
    dials: tuple[float, ...] = ()
    """Of diversity, to be measured."""


class Outcome(Protocol):
    """What came of it."""

    @property
    def unscored(self) -> Mapping[str, int]:
        """What could not be scored, by the reason."""

    def answer(self, *, events: int, seconds: float) -> Any:
        """What ``--json`` prints: a struct."""

    def show(self, screen: Console, *, events: int, seconds: float) -> None:
        """Print it for people."""


class Host(Protocol):
    """One protocol."""

    def lacks(self, found: Found, files: str) -> str | None:
        """Why this history cannot be judged so, and what to do; None where it can."""

    def warmup(self, text: str, found: Found) -> Warmup:
        """A warm-up as it is written; a share is of what this protocol scores."""

    def fitted(self, proposed: str) -> View:
        """The view of a text that autoconfig proposes for the warm-up, as this protocol needs it."""

    def run(self, history: History, view: View, asked: Asked, progress: EvaluationProgress) -> Outcome:
        """Go through it; see `Prequential`."""
