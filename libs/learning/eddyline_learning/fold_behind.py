"""A fold that hands every question on to another one: what it does otherwise is overridden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.record import Logged
from eddyline_learning.fold import Fold, Vectors


class FoldBehind:
    """Another fold, from before."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold

    @property
    def sequence(self) -> int:
        """See `Fold`."""
        return self._fold.sequence

    @property
    def clock(self) -> int:
        """See `Fold`."""
        return self._fold.clock

    def apply_all(self, events: Sequence[Logged]) -> None:
        """See `Fold`."""
        self._fold.apply_all(events)

    def time_of(self, at: int | None, now: int) -> int:
        """See `Fold`."""
        return self._fold.time_of(at, now)

    def vectors(
        self,
        user: str | None,
        session: str | None,
        items: Sequence[str],
        item_fields: list[dict[str, Any]] | None,
        context: dict[str, Any],
        at: int,
    ) -> Vectors:
        """See `Fold`."""
        return self._fold.vectors(user, session, items, item_fields, context, at)

    def first_scores(
        self, user: str | None, session: str | None, items: Sequence[str], at: int
    ) -> NDArray[np.float32]:
        """See `Fold`."""
        return self._fold.first_scores(user, session, items, at)

    def priors(self, items: Sequence[str], at: int) -> NDArray[np.float32]:
        """See `Fold`."""
        return self._fold.priors(items, at)

    def item_priors(self, at: int) -> tuple[list[str], NDArray[np.float32], float]:
        """See `Fold`."""
        return self._fold.item_priors(at)
