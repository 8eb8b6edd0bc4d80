"""How alike candidates are, from 0 to 1: what their fields share, and how near their vectors point.

Of a field, it is the Jaccard index of the values; of vectors, their cosine, at least 0; of several, the mean. Items of
which nothing is known are alike, and unlike all others: were they unlike each other, too, a slate that is to be
diverse would be filled with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eddyline_features.slates.caps import Values

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_NOTHING: tuple[None] = (None,)


def are_numbers(values: Values) -> bool:
    """Whether nothing but numbers is there: that two prices are the same makes nothing alike."""
    for held in values:
        for value in held:
            try:
                float(value)
            except ValueError:
                return False
    return True


class Likeness:
    """How alike N candidates are.

    Parameters
    ----------
    fields
        Of each field, the values of every candidate. One in which no two share anything counts for nothing.
    embeddings
        shape (N, D), each row of length 1, or 0 where nothing is known; none where only fields count.
    """

    def __init__(self, fields: Sequence[Values], embeddings: Singles | None = None) -> None:
        self._fields = [field for field in map(_Shared, fields) if field.is_shared]
        if embeddings is not None and not embeddings.any():
            embeddings = None
        self._embeddings = embeddings
        self._unknown: NDArray[np.bool_] | None = None
        if embeddings is not None:
            unknown: NDArray[np.bool_] = np.logical_not(embeddings.any(axis=1))
            self._unknown = unknown if unknown.any() else None
        self._n_parts = len(self._fields) + (embeddings is not None)

    def __bool__(self) -> bool:
        return self._n_parts > 0

    def to(self, candidate: int) -> Floats:
        """Shape (N,): how alike each is to this one."""
        if self._embeddings is None:
            alike = self._fields[0].to(candidate)
            rest = self._fields[1:]
        else:
            alike = np.maximum(self._embeddings @ self._embeddings[candidate], 0.0).astype(np.float64)
            if self._unknown is not None and self._unknown[candidate]:
                alike[self._unknown] = 1.0
            rest = self._fields
        for field in rest:
            alike += field.to(candidate)
        if self._n_parts > 1:
            alike /= self._n_parts
        return alike

    def between(self, candidates: Sequence[int]) -> Floats:
        """Shape (K, K): how alike these are to each other."""
        chosen = list(candidates)
        return np.array([self.to(candidate)[chosen] for candidate in chosen]).reshape(
            len(chosen), len(chosen)
        )


class _Shared:
    """Values of one field."""

    def __init__(self, values: Values) -> None:
        codes: dict[str | None, int] = {}
        code_of = codes.setdefault
        flat = [code_of(value, len(codes)) for held in values for value in held or _NOTHING]
        sizes = [len(held) or 1 for held in values]
        self._code: NDArray[np.int64] = np.array(flat, np.int64)
        self.is_shared = len(codes) < len(flat) and codes.keys() != {None}
        """Whether any two have a value in common, and not only that nothing is known of them."""
        self._has: Singles | None = None
        """shape (N, values): 1 where a candidate has a value; none where each has one."""
        if len(flat) > len(sizes):
            self._sizes: Singles = np.array(sizes, np.float32)
            self._has = np.zeros((len(sizes), len(codes)), np.float32)
            self._has[np.repeat(np.arange(len(sizes)), sizes), self._code] = 1.0

    def to(self, candidate: int) -> Floats:
        """Shape (N,): the Jaccard index."""
        if self._has is None:
            same: NDArray[np.bool_] = self._code == self._code[candidate]
            return same.astype(np.float64)
        shared: Singles = self._has @ self._has[candidate]
        index: Singles = shared / (self._sizes + self._sizes[candidate] - shared)
        return index.astype(np.float64)
