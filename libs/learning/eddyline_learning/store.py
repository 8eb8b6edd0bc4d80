"""Examples in columns, the newest ones: what a booster is trained and measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.examples import Example
from eddyline_learning.fold import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Examples of S slates in R rows, slate after slate in the order of the log's decisions. Views, not copies."""

    vectors: Vectors
    """shape (R, F), as they were served."""
    labels: NDArray[np.float32]
    """shape (R,)"""
    positions: NDArray[np.int32]
    """shape (R,)"""
    sizes: NDArray[np.int32]
    """shape (S,): rows of each slate."""
    sequences: NDArray[np.int64]
    """shape (S,): places of the slates in the log."""

    @property
    def n_slates(self) -> int:
        """S"""
        return len(self.sizes)

    @property
    def n_rows(self) -> int:
        """R"""
        return len(self.labels)


class ExampleStore:
    """A ring of examples: the newest slates whose rows fit into ``max_rows``.

    Which slates it holds depends on those that were appended, not on when it was read.
    """

    def __init__(self, n_columns: int, max_rows: int) -> None:
        self.max_rows = max_rows
        self._vectors = np.empty((0, n_columns), np.float32)
        self._labels = np.empty(0, np.float32)
        self._positions = np.empty(0, np.int32)
        self._sizes: list[int] = []
        self._sequences: list[int] = []
        self._first_row = 0
        self._last_row = 0
        self._first_slate = 0

    def __len__(self) -> int:
        return len(self._sizes) - self._first_slate

    @property
    def n_rows(self) -> int:
        """Rows held."""
        return self._last_row - self._first_row

    def append(self, example: Example) -> None:
        """Add an example and let go of the oldest that no longer fit."""
        n = len(example.labels)
        self._make_room(n)
        rows = slice(self._last_row, self._last_row + n)
        self._vectors[rows] = example.vectors
        self._labels[rows] = example.labels
        self._positions[rows] = example.positions
        self._last_row += n
        self._sizes.append(n)
        self._sequences.append(example.sequence)
        while self.n_rows > self.max_rows and len(self) > 1:
            self._first_row += self._sizes[self._first_slate]
            self._first_slate += 1

    def table(self, newest: int | None = None) -> Table:
        """All slates, or the newest so many. Valid until the next `append`."""
        first = self._first_slate if newest is None else max(self._first_slate, len(self._sizes) - newest)
        sizes = np.array(self._sizes[first:], np.int32)
        rows = slice(self._last_row - int(sizes.sum()), self._last_row)
        return Table(
            vectors=self._vectors[rows],
            labels=self._labels[rows],
            positions=self._positions[rows],
            sizes=sizes,
            sequences=np.array(self._sequences[first:], np.int64),
        )

    def _make_room(self, n: int) -> None:
        if self._last_row + n <= len(self._labels):
            return
        held = slice(self._first_row, self._last_row)
        n_held = self.n_rows
        # Half as much again: each row is copied a bounded number of times, whether the ring grows or turns.
        capacity = max(1024, n_held + n + n_held // 2)
        for name in ("_vectors", "_labels", "_positions"):
            old = getattr(self, name)
            new = np.empty((capacity, *old.shape[1:]), old.dtype)
            new[:n_held] = old[held]
            setattr(self, name, new)
        self._first_row, self._last_row = 0, n_held
        del self._sizes[: self._first_slate], self._sequences[: self._first_slate]
        self._first_slate = 0
