"""All columns of a view: its kinds, in the order of their directory, and one (N, F) table from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from eddyline_features.item_vectors import ItemVectors
from eddyline_features.kernel import Floats, FloatTable, Ints, Octets, Singles, SingleTable, kernel
from eddyline_features.kinds.directory import kinds_of
from eddyline_features.kinds.kind import Kind, overrides
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.retrieval.because import Because
from eddyline_features.retrieval.found import Found
from eddyline_features.retrieval.nearest import Nearest


@kernel
def to_singles(table: FloatTable, out: SingleTable) -> None:
    """Cast once, at the end; what float32 cannot hold becomes its largest number, never infinity."""
    largest = 3.4028234663852886e38
    for i in range(table.shape[0]):
        for c in range(table.shape[1]):
            out[i, c] = (
                np.float32(min(max(table[i, c], -largest), largest)) if table[i, c] == table[i, c] else np.nan
            )


@runtime_checkable
class Ordering(Protocol):
    """A kind that can order items by itself: the online model."""

    def vector_of(self, user: int) -> Floats | None:
        """A person's vector; None where nothing is known."""

    def score_all(self, x: Floats, blocked: Octets, out: Floats) -> None:
        """How every item that is not blocked scores for somebody with this vector, by item row; -inf where nothing
        was learnt."""

    def are_learnt(self, rows: Ints) -> Octets:
        """Of items, shape (N,): 1 where anything was learnt."""

    def item_weights(self, rows: Ints) -> SingleTable:
        """Of items: a score is the product with a person's vector and a 1 behind it; shape (N, factors + 1)."""

    def item_vectors(self, rows: Ints) -> SingleTable:
        """Vectors of items, shape (N, factors), each of length 1, or 0 where it never moved."""

    def all_vectors(self) -> SingleTable:
        """Of all items in use, of any length, shape (N, factors); to be used at once, and not to be changed."""

    def have_moved(self) -> NDArray[np.bool_]:
        """By item row, of all in use: whether its vector says something; others are what chance made them."""

    def scores(self, rows: Ints, user: int, priors: Singles) -> Singles:
        """Scores of items for a person (rows; -1 is unknown), shape (N,); ``priors``: how good each is for anybody."""


@runtime_checkable
class Choosing(Protocol):
    """A kind that chooses candidates from the whole catalogue."""

    online: Ordering | None
    content: ItemVectors | None
    nearest: Nearest | None

    def candidates(
        self,
        user: int,
        context: dict[str, Any],
        at: int,
        n: int,
        factors: Floats,
        allowed: Octets | None,
        exclude: Iterable[str],
    ) -> Found:
        """See `State.candidates`; ``factors``: by half-life, what counters are multiplied by at this time."""

    def because(self, user: int, rows: Ints) -> Because:
        """Which of the items that somebody acted on lately led to items (rows)."""

    def embeddings(self, rows: Ints) -> SingleTable | None:
        """See `State.embeddings`."""


@runtime_checkable
class Embedded(Protocol):
    """A kind that keeps vectors of items' texts."""

    vectors: ItemVectors


class Columns:
    """The kinds that a view has features of."""

    def __init__(self, plan: Plan) -> None:
        self.n = len(plan.view.columns)
        self.kinds: list[Kind] = [kind(plan, features) for kind, features in kinds_of(plan.view)]
        choosing = self.choosing
        if choosing is not None:
            choosing.online, choosing.content = self.online, self.content

    @property
    def online(self) -> Ordering | None:
        """The kind that orders items without a booster, where the view has one: the online model."""
        return next((kind for kind in self.kinds if isinstance(kind, Ordering)), None)

    @property
    def choosing(self) -> Choosing | None:
        """The kind that finds candidates, where the view has a section ``recommend``."""
        return next((kind for kind in self.kinds if isinstance(kind, Choosing)), None)

    @property
    def content(self) -> ItemVectors | None:
        """Vectors of items' texts, where the view asks for them."""
        return next((kind.vectors for kind in self.kinds if isinstance(kind, Embedded)), None)

    def that(self, method: str) -> list[Kind]:
        """The kinds that override a method of `Kind`."""
        return [kind for kind in self.kinds if overrides(kind, method)]

    def read(self, reading: Reading) -> SingleTable:
        """Shape (N, F); NaN where unknown. Arithmetic is in float64 throughout."""
        table: FloatTable = np.full((len(reading.rows), self.n), np.nan)
        for kind in self.kinds:
            kind.read(reading, table)
        out: SingleTable = np.empty(table.shape, np.float32)
        to_singles(table, out)
        return out
