"""Vectors of a log, taken once with every feature, and given out again with the columns that a view asks for.

A feature's columns do not depend on which other features a view has, so this is what a fold of the smaller view would
give, bit for bit (a test compares them); it saves folding the same log again for every row of a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eddyline_features.state import State
from eddyline_learning.fold import Vectors
from eddyline_learning.fold_behind import FoldBehind

_Place = tuple[int, str | None, tuple[str, ...]]


class Taking(FoldBehind):
    """A fold that remembers each vector it gives."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.columns = list(state.view.columns)
        self.taken: dict[_Place, Vectors] = {}

    def vectors(
        self,
        user: str | None,
        session: str | None,
        items: Sequence[str],
        item_fields: list[dict[str, Any]] | None,
        context: dict[str, Any],
        at: int,
    ) -> Vectors:
        """As the state's own; a place in the log, a person and a list of items are asked about once."""
        found = self._fold.vectors(user, session, items, item_fields, context, at)
        self.taken[self.sequence, user, tuple(items)] = found
        return found


class Given(FoldBehind):
    """A fold that gives what another one has taken.

    Parameters
    ----------
    state
        Of any view with the same limits and prior: it is asked for everything else.
    columns
        Those to give, in this order.
    """

    def __init__(self, state: State, taken: Taking, columns: Sequence[str]) -> None:
        super().__init__(state)
        self._taken = taken.taken
        self._columns = np.array([taken.columns.index(column) for column in columns], np.int64)

    def vectors(
        self,
        user: str | None,
        session: str | None,
        items: Sequence[str],
        item_fields: list[dict[str, Any]] | None,
        context: dict[str, Any],
        at: int,
    ) -> Vectors:
        """Raises KeyError where nothing was taken."""
        return np.ascontiguousarray(self._taken[self.sequence, user, tuple(items)][:, self._columns])
