"""Examples in columns, the newest ones: what a booster is trained and measured on.

In memory, or in files that are mapped into it, so that the ring may be larger than the memory that is free. The files
are scratch: nobody reads them after a restart, since the log gives the same examples again.
"""

from __future__ import annotations

import dataclasses
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.examination import Examination
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
    shuffled: NDArray[np.int32] | None = None
    """shape (S,): as in `Example`; none where nobody said."""
    weights: NDArray[np.float64] | None = None
    """shape (S,): how much each slate counts; none: all alike."""

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

    Parameters
    ----------
    n_columns
        F
    folder
        Where to keep the rows, in files; in memory where none is given, or where the disk has no room.
    """

    def __init__(self, n_columns: int, max_rows: int, folder: Path | None = None) -> None:
        self.max_rows = max_rows
        self._files = None if folder is None else _Files(folder)
        self._vectors = np.empty((0, n_columns), np.float32)
        self._labels = np.empty(0, np.float32)
        self._positions = np.empty(0, np.int32)
        self._sizes: list[int] = []
        self._sequences: list[int] = []
        self._shuffled: list[int] = []
        self.examination: Examination | None = None
        """By what the slates of a table are weighed."""
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
        self._shuffled.append(example.shuffled)
        while self.n_rows > self.max_rows and len(self) > 1:
            self._first_row += self._sizes[self._first_slate]
            self._first_slate += 1

    def table(self, newest: int | None = None) -> Table:
        """All slates, or the newest so many. Valid until the next `append`."""
        first = self._first_slate if newest is None else max(self._first_slate, len(self._sizes) - newest)
        sizes = np.array(self._sizes[first:], np.int32)
        rows = slice(self._last_row - int(sizes.sum()), self._last_row)
        return self._weighed(
            Table(
                vectors=self._vectors[rows],
                labels=self._labels[rows],
                positions=self._positions[rows],
                sizes=sizes,
                sequences=np.array(self._sequences[first:], np.int64),
                shuffled=np.array(self._shuffled[first:], np.int32),
            )
        )

    def vectors_of(self, sequence: int) -> Vectors | None:
        """Vectors of the slate at this place in the log, shape (N, F), copied; None if it is not held."""
        # Among those held; slates ripen in another order than that of the log.
        for slate in range(len(self._sizes) - 1, self._first_slate - 1, -1):
            if self._sequences[slate] == sequence:
                first = self._first_row + sum(self._sizes[self._first_slate : slate])
                return self._vectors[first : first + self._sizes[slate]].copy()
        return None

    def newest_within(self, n_rows: int) -> int:
        """How many of the newest slates have no more rows than so many; the newest one in any case."""
        sizes = np.array(self._sizes[self._first_slate :], np.int64)
        return max(1, int(np.searchsorted(np.cumsum(sizes[::-1]), n_rows, side="right")))

    def newest_and_replayed(self, newest: int, replay: int, seed: int, *, among: int | None = None) -> Table:
        """The newest so many slates, and before them older ones at random, of at least ``replay`` rows if there are.

        Older ones are drawn among the newest ``among`` slates; among all where it is not given. Copies. The same ring
        and seed give the same slates.
        """
        sizes = np.array(self._sizes[self._first_slate :], np.int32)
        n_older = max(0, len(sizes) - newest)
        n_left_out = 0 if among is None else min(n_older, max(0, len(sizes) - among))
        shuffled = n_left_out + np.random.default_rng(seed).permutation(n_older - n_left_out)
        enough = int(np.searchsorted(np.cumsum(sizes[shuffled]), replay)) + 1
        chosen = np.append(np.sort(shuffled[:enough]), np.arange(n_older, len(sizes)))
        held = slice(self._first_row, self._last_row)
        of_slate = np.zeros(len(sizes), bool)
        of_slate[chosen] = True
        rows = np.repeat(of_slate, sizes)
        return self._weighed(
            Table(
                vectors=self._vectors[held][rows],
                labels=self._labels[held][rows],
                positions=self._positions[held][rows],
                sizes=sizes[chosen],
                sequences=np.array(self._sequences[self._first_slate :], np.int64)[chosen],
                shuffled=np.array(self._shuffled[self._first_slate :], np.int32)[chosen],
            )
        )

    def _weighed(self, table: Table) -> Table:
        if self.examination is None or table.shuffled is None:
            return table
        weights = self.examination.slate_weights(table.positions, table.labels, table.sizes, table.shuffled)
        return dataclasses.replace(table, weights=weights)

    def close(self) -> None:
        """Remove the files."""
        if self._files is not None:
            self._files.clear()

    def _new(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.empty(shape, dtype) if self._files is None else self._files.new(name, shape, dtype)

    def _make_room(self, n: int) -> None:
        if self._last_row + n <= len(self._labels):
            return
        held = slice(self._first_row, self._last_row)
        n_held = self.n_rows
        # Half as much again: each row is copied a bounded number of times, whether the ring grows or turns.
        capacity = max(1024, n_held + n + n_held // 2)
        for name in ("_vectors", "_labels", "_positions"):
            old = getattr(self, name)
            new = self._new(name.removeprefix("_"), (capacity, *old.shape[1:]), old.dtype)
            new[:n_held] = old[held]
            setattr(self, name, new)
        self._first_row, self._last_row = 0, n_held
        for of_slates in (self._sizes, self._sequences, self._shuffled):
            del of_slates[: self._first_slate]
        self._first_slate = 0


class _Files:
    """A folder of mapped arrays, one file each; a larger one takes its place under another name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._n = 0
        self._of: dict[str, Path] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.clear()

    def new(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array in place of the one of this name, which stays readable for whoever holds it."""
        self._n += 1
        path = self._folder / f"examples-{name}-{self._n}.bin"
        before = self._of.pop(name, None)
        try:
            with path.open("w+b") as file:
                # Taken at once: a mapped page for which the disk has no room would kill the process.
                os.posix_fallocate(file.fileno(), 0, max(1, int(np.prod(shape)) * dtype.itemsize))
            array: NDArray[Any] = np.memmap(path, dtype, "r+", shape=shape).view(np.ndarray)
            self._of[name] = path
        except OSError:
            path.unlink(missing_ok=True)
            array = np.empty(shape, dtype)
        if before is not None:
            before.unlink(missing_ok=True)
        return array

    def clear(self) -> None:
        """Remove every file of examples, of whichever process."""
        for path in self._folder.glob("examples-*.bin"):
            with suppress(OSError):
                path.unlink()
