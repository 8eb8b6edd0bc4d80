"""What was shown where, how likely that was, what came of it; and how likely another policy would have shown it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Logged:
    """R rows: one for each choice at a place."""

    choices: Indices
    """shape (R,): what was put there, from 0: an item, or the rank of one by its score."""
    places: Indices
    """shape (R,), from 0."""
    rewards: Numbers
    """shape (R,)."""
    propensities: Numbers
    """shape (R,): how likely the logging policy put this choice at this place, above 0."""
    units: Indices
    """shape (R,), from 0 without gaps: the impression or slate of each row. Values are per unit."""
    clusters: Indices
    """shape (R,), from 0 without gaps: rows of different ones are independent, as of different people."""

    def __len__(self) -> int:
        return len(self.choices)

    @property
    def n_units(self) -> int:
        """Impressions or slates."""
        return int(self.units.max()) + 1 if len(self) else 0

    @property
    def n_clusters(self) -> int:
        """People."""
        return int(self.clusters.max()) + 1 if len(self) else 0

    @property
    def shape(self) -> tuple[int, int]:
        """So many choices and places there are."""
        return int(self.choices.max()) + 1, int(self.places.max()) + 1


@dataclass(frozen=True, slots=True)
class Target:
    """The policy whose value is asked for."""

    tables: Sequence[Numbers]
    """Each of shape (choices, places): how likely it puts each choice at each place; every place adds up to 1."""
    of_row: Indices
    """shape (R,): the table of each row of the log."""

    def probabilities(self, log: Logged) -> Numbers:
        """How likely it puts the row's choice at the row's place, shape (R,)."""
        found = np.empty(len(log))
        for rows, table in self._rows():
            found[rows] = table[log.choices[rows], log.places[rows]]
        return found

    def expected(self, log: Logged, model: Numbers) -> Numbers:
        """What it would get at the row's place by a model of the reward, shape (R,).

        Parameters
        ----------
        model
            shape (choices, places), at least as large as any table.
        """
        found = np.empty(len(log))
        for rows, table in self._rows():
            n_choices, n_places = table.shape
            found[rows] = (table * model[:n_choices, :n_places]).sum(axis=0)[log.places[rows]]
        return found

    @property
    def shape(self) -> tuple[int, int]:
        """So many choices and places it knows."""
        return max(len(table) for table in self.tables), max(table.shape[1] for table in self.tables)

    def _rows(self) -> list[tuple[Indices, Numbers]]:
        order = np.argsort(self.of_row, kind="stable")
        found, starts = np.unique(self.of_row[order], return_index=True)
        parts = np.split(order, starts[1:])
        return [(rows, self.tables[at]) for at, rows in zip(found.tolist(), parts, strict=True)]
