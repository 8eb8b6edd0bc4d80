"""Numbers of a request's candidates, as they are and in ascending order.

What compares candidates with each other sums and counts in ascending order: so it depends on which candidates there
are, and not on the order in which a request, or the slate that was made of it, names them.
"""

from __future__ import annotations

import numpy as np

from eddyline_features.field_values import number
from eddyline_features.kernel import FloatTable, Ints, kernel
from eddyline_features.reading import Reading

_MOST = 1e100
"""Numbers beyond are taken for this one: squares and sums of them stay finite."""


@kernel
def gather_numbers(rows: Ints, numbers: FloatTable, slots: Ints, out: FloatTable) -> None:
    """Numbers of the candidates, shape (slots, N), within the bounds; NaN where unknown. A slot of -1 is given."""
    for p in range(slots.shape[0]):
        for i in range(rows.shape[0]):
            if slots[p] >= 0 and rows[i] >= 0:
                out[p, i] = numbers[rows[i], slots[p]]
            if out[p, i] == out[p, i]:
                # Adding nothing makes of -0.0 the 0.0 that it is equal to.
                out[p, i] = min(max(out[p, i], -_MOST), _MOST) + 0.0


@kernel
def sort_known(values: FloatTable, ordered: FloatTable, n_known: Ints) -> None:
    """The numbers of each row that are known, ascending, to the front of the row of ``ordered``: heapsort."""
    for p in range(values.shape[0]):
        n = 0
        for i in range(values.shape[1]):
            if values[p, i] == values[p, i]:
                ordered[p, n] = values[p, i]
                n += 1
        n_known[p] = n
        for step in range(n // 2 + n):
            # The first half makes a heap, the second takes the largest off it.
            if step < n // 2:
                hole = n // 2 - 1 - step
                end = n
                moved = ordered[p, hole]
            else:
                hole = 0
                end = n - 1 - (step - n // 2)
                moved = ordered[p, end]
                ordered[p, end] = ordered[p, 0]
            while 2 * hole + 1 < end:
                child = 2 * hole + 1
                if child + 1 < end and ordered[p, child + 1] > ordered[p, child]:
                    child += 1
                if ordered[p, child] <= moved:
                    break
                ordered[p, hole] = ordered[p, child]
                hole = child
            if hole < end:
                ordered[p, hole] = moved
            else:
                ordered[p, end] = moved


class Numbers:
    """What `gather_numbers` and `sort_known` need for some fields, and do for a request."""

    def __init__(self) -> None:
        self._slots: list[int] = []
        self._given: list[tuple[int, str]] = []
        self._columns: list[tuple[int, int]] = []

    def of_item(self, slot: int) -> int:
        """Take a slot of items; its row in what `gather` gives. Equal ones are shared."""
        if slot not in self._slots:
            self._slots.append(slot)
        return self._slots.index(slot)

    def of_slate(self, field: str) -> int:
        """Take the candidates' own field in a request; its row."""
        self._slots.append(-1)
        self._given.append((len(self._slots) - 1, field))
        return len(self._slots) - 1

    def of_column(self, column: int) -> int:
        """Take what another feature has written already; its row."""
        self._slots.append(-1)
        self._columns.append((len(self._slots) - 1, column))
        return len(self._slots) - 1

    def gather(self, reading: Reading, table: FloatTable) -> tuple[FloatTable, FloatTable, Ints]:
        """The numbers, shape (rows, N); those that are known in ascending order, and how many these are.

        ``table``: shape (N, F), what other features have written.
        """
        values: FloatTable = np.full((len(self._slots), len(reading.rows)), np.nan)
        for row, column in self._columns:
            values[row] = table[:, column]
        if reading.item_fields:
            for row, field in self._given:
                values[row] = [number(fields.get(field)) for fields in reading.item_fields]
        gather_numbers(reading.rows, reading.items.numbers, np.array(self._slots, np.int32), values)
        ordered, n_known = np.empty_like(values), np.zeros(len(values), np.int32)
        sort_known(values, ordered, n_known)
        return values, ordered, n_known
