"""At most so many items of a slate with the same value of a field.

Caps are hard: an item is only taken while every value that it has in a capped field has room, and a slate ends early
rather than break one. An item without a value in a field is not capped by it; one with several counts for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Values = Sequence[Sequence[str]]
"""Of each candidate, the different values of a field."""


class Caps:
    """What room is left while a slate is filled.

    Parameters
    ----------
    most
        By field: so many items with the same value.
    values
        By field, of each of N candidates.
    n_candidates
        N.

    Raises
    ------
    KeyError
        If a field has a cap and no values.
    """

    def __init__(self, most: Mapping[str, int], values: Mapping[str, Values], n_candidates: int) -> None:
        self.open: NDArray[np.bool_] = np.ones(n_candidates, np.bool_)
        """shape (N,): whether there is room for each; what was taken already stays as it is."""
        self._room: list[int] = []
        """By value, those of each field for themselves."""
        self._holders: list[list[int]] = []
        self._of: list[list[int]] = [[] for _ in range(n_candidates)]
        for field, cap in most.items():
            self._add(cap, values[field])

    def _add(self, cap: int, values: Values) -> None:
        codes: dict[str, int] = {}
        room, holders, of = self._room, self._holders, self._of
        for candidate, held in enumerate(values):
            for value in held:
                code = codes.get(value)
                if code is None:
                    code = codes[value] = len(room)
                    room.append(cap)
                    holders.append([])
                holders[code].append(candidate)
                of[candidate].append(code)

    def take(self, candidate: int) -> None:
        """It stands in the slate now."""
        for code in self._of[candidate]:
            self._room[code] -= 1
            if self._room[code] <= 0:
                self.open[self._holders[code]] = False
