"""Who is known: ids with a row each in packed arrays, bounded by forgetting who was longest without an event.

Only `apply` touches anything here, so rows, order and eviction depend on the log alone. Arrays are reserved for the
limit at once: the operating system gives memory to a page when its first row is written, so nothing ever has to be
copied to grow.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from eddyline_features import rings
from eddyline_features.identities import identity
from eddyline_features.kernel import FloatTable, IntTable, Longs, LongTable
from eddyline_features.reserving import reserved

N_META = 4
LAST_SEEN, FIRST_SEEN, GENERATION, REMOVED = range(N_META)
"""Columns of ``meta``. Items only: the last two."""


class Table:
    """Ids and their rows, the longest unseen first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.rows: OrderedDict[str, int] = OrderedDict()
        self.ids: list[str] = []
        """By row."""
        self.meta: LongTable = reserved((limit, N_META), np.int64)
        self.on_begin: list[Callable[[int], None]] = []
        """Told each row that gets a new owner."""

    def __len__(self) -> int:
        return len(self.ids)

    def touch(self, entity: str, at: int) -> int:
        """Row of an entity, which becomes the newest; an unknown one gets a row, if need be that of the oldest."""
        rows = self.rows
        row = rows.get(entity)
        if row is not None:
            rows.move_to_end(entity)
            return row
        if len(self.ids) < self.limit:
            row = len(self.ids)
            self.ids.append(entity)
            generation = 0
        else:
            _, row = rows.popitem(last=False)
            self.ids[row] = entity
            generation = int(self.meta[row, GENERATION]) + 1
            self.forget(row)
        rows[entity] = row
        self.meta[row] = (at, at, generation, 0)
        self.begin(row)
        for begun in self.on_begin:
            begun(row)
        return row

    def forget(self, row: int) -> None:
        """Let go of what a row refers to, before it gets a new owner."""

    def begin(self, row: int) -> None:
        """Set a row to that of an entity of which nothing is known."""
        raise NotImplementedError


class Items(Table):
    """What is known of items."""

    def __init__(self, limit: int, *, n_numbers: int, n_values: int, n_counters: int) -> None:
        super().__init__(limit)
        self.numbers: FloatTable = reserved((limit, n_numbers))
        self.values: IntTable = reserved((limit, n_values), np.int32)
        """Codes of field values, each field padded to its width with -1."""
        self.counters: FloatTable = reserved((limit, n_counters))
        self.identities: Longs = reserved(limit, np.int64)
        """See ``identities``."""
        self.gone: OrderedDict[int, None] = OrderedDict()
        """Identities of removed items that were forgotten, at most ``limit``: a late click says nothing of their being
        there again."""
        self.released: list[int] = []
        """Value codes that rows given to others have let go of; to be taken by the owner of the values."""

    def forget(self, row: int) -> None:
        self.released.extend(code for code in self.values[row].tolist() if code >= 0)
        if self.meta[row, REMOVED]:
            self.gone[int(self.identities[row])] = None
            if len(self.gone) > self.limit:
                self.gone.popitem(last=False)

    def begin(self, row: int) -> None:
        known = identity(self.ids[row])
        self.identities[row] = known
        if known in self.gone:
            del self.gone[known]
            self.meta[row, REMOVED] = 1
        self.numbers[row] = np.nan
        self.values[row] = -1
        self.counters[row] = 0.0


class People(Table):
    """What is known of users, or of sessions."""

    def __init__(self, limit: int, *, n_numbers: int, n_counters: int, n_acted: int, n_shown: int) -> None:
        super().__init__(limit)
        self.numbers: FloatTable = reserved((limit, n_numbers))
        self.counters: FloatTable = reserved((limit, n_counters))
        self.rings: LongTable = reserved((limit, rings.width(n_acted, n_shown)), np.int64)
        """See ``rings``."""

    def begin(self, row: int) -> None:
        self.numbers[row] = np.nan
        self.counters[row] = 0.0
        self.rings[row, : rings.HEAD] = 0
        self.rings[row, rings.HEAD :] = -1
