"""What goes with an item: rankings by several ways fused into one, and what is left where none knows the item.

All of it is computed when it is asked for, over all items at once; nothing here is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable

TOGETHER, CONTENT, TASTE = "together", "content", "taste"
WAYS = (TOGETHER, CONTENT, TASTE)
"""People act on both; they say the same; the same people like both."""
FIELDS, POPULAR = "fields", "popular"
"""What fills up: shared values of fields, and what is popular anyway."""
_EVEN = 60.0
"""How much less a first place counts than all that follow: the constant of reciprocal rank fusion."""

Mask = NDArray[np.bool_]


class Near(NamedTuple):
    """An item that goes with another."""

    row: int
    score: float
    found_by: list[str]


def fused(rankings: Mapping[str, Ints], n: int) -> list[Near]:
    """Rankings (rows, the best first) as one: the sum of 1 / (60 + place) decides.

    So ways whose scores have nothing in common need no scales (Cormack, Clarke and Büttcher, "Reciprocal rank fusion",
    SIGIR 2009). Of a single ranking the order stays.
    """
    scores: dict[int, float] = {}
    found: dict[int, list[tuple[int, str]]] = {}
    for name, rows in rankings.items():
        for place, row in enumerate(rows.tolist()):
            scores[row] = scores.get(row, 0.0) + (1.0 + _EVEN) / (1.0 + _EVEN + place) / len(rankings)
            found.setdefault(row, []).append((place, name))
    best = sorted(scores, key=lambda row: (-scores[row], row))[:n]
    return [Near(row, scores[row], [name for _, name in sorted(found[row])]) for row in best]


def nearest(vectors: NDArray[Any], row: int, among: Mask, n: int) -> Ints:
    """Rows of the ``n`` vectors with the smallest angle to that of a row, below a right angle; exact.

    Parameters
    ----------
    vectors
        shape (items, D); a row of zeros is known by nothing, and near to nothing.
    among
        shape (items,): rows that may be given.
    """
    own = vectors[row].astype(np.float64)
    length = np.sqrt(float(own @ own))
    if not length > 0.0:
        return np.zeros(0, np.int32)
    table = vectors.astype(np.float32, copy=False)
    lengths = np.sqrt(np.einsum("ij,ij->i", table, table))
    products = table @ (own / length).astype(np.float32)
    cosines = np.divide(products, lengths, out=np.zeros(len(table), np.float32), where=lengths > 0.0)
    return top(cosines, among & (cosines > 0.0), n)


def sharing(values: IntTable, uses: Sequence[int], row: int, among: Mask, n: int) -> tuple[Ints, Floats]:
    """Rows of the ``n`` items that share most field values with a row, and how much of both they share (0 to 1).

    A value counts by how rare it is, as -ln of the share of items that have it: to be of the same director says more
    than to be of the same language. It is the weighted index of Jaccard.

    Parameters
    ----------
    values
        shape (items, P): codes of field values, -1 is none.
    uses
        By code: the number of items that have it.
    """
    empty = np.zeros(0, np.int32), np.zeros(0)
    own = np.unique(values[row][values[row] >= 0])
    if not len(own):
        return empty
    n_items = len(values)
    # One more entry: what -1 points to, which weighs nothing.
    weights: Floats = np.zeros(len(uses) + 1)
    weights[:-1] = np.log(np.maximum(n_items + 1.0, 2.0) / np.maximum(uses, 1))
    in_own: Floats = np.zeros(len(weights))
    in_own[own] = weights[own]
    shared, all_of = in_own[values].sum(axis=1), weights[values].sum(axis=1)
    share = np.divide(shared, all_of + weights[own].sum() - shared, out=np.zeros(n_items), where=shared > 0.0)
    rows = top(share, among & (share > 0.0), n)
    return rows, share[rows]


def top(scores: NDArray[Any], among: Mask, n: int) -> Ints:
    """Rows of the ``n`` highest scores, the best first; of equal ones the lower row."""
    rows = np.flatnonzero(among)
    if len(rows) > n:
        # Everything that could be in it, equals of the last one included, then put in order.
        least = np.partition(scores[rows], len(rows) - n)[len(rows) - n] if n else np.inf
        rows = rows[scores[rows] >= least]
    order = np.lexsort((rows, -scores[rows].astype(np.float64)))[:n]
    return rows[order].astype(np.int32)


def popularity(values: FloatTable, half_life: int, among: Mask, n: int) -> tuple[Ints, Floats]:
    """Rows of the ``n`` most popular items under one half-life (index), those of no popularity last; as `Popular`."""
    found = values[half_life, : len(among)]
    rows = top(found, among, n)
    most = float(found.max(initial=0.0))
    return rows, found[rows] / most if most > 0.0 else np.zeros(len(rows))
