"""What the learning side needs of the fold; `eddyline_features.state.State` is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.record import Logged

Vectors = NDArray[np.float32]
"""shape (N, F)."""


class Fold(Protocol):
    """State as a function of the log up to ``sequence``."""

    @property
    def sequence(self) -> int:
        """Log position of the newest event that was applied."""

    @property
    def clock(self) -> int:
        """Its newest time, in ms since the Unix epoch."""

    def apply_all(self, events: Sequence[Logged]) -> None:
        """Move forward; ``events`` are in the order of the log."""

    def time_of(self, at: int | None, now: int) -> int:
        """The time at which a request is ranked: never before ``clock``."""

    def vectors(
        self,
        user: str | None,
        session: str | None,
        items: Sequence[str],
        item_fields: list[dict[str, Any]] | None,
        context: dict[str, Any],
        at: int,
    ) -> Vectors:
        """The features of N candidates; changes nothing."""

    def first_scores(
        self, user: str | None, session: str | None, items: Sequence[str], at: int
    ) -> NDArray[np.float32]:
        """How N candidates are ordered while there is no booster, shape (N,); changes nothing."""

    def priors(self, items: Sequence[str], at: int) -> NDArray[np.float32]:
        """How good each item is for anybody, shape (N,); changes nothing."""

    def item_priors(self, at: int) -> tuple[list[str], NDArray[np.float32], float]:
        """Items, how good each is for anybody, and that of an item which is not listed."""
