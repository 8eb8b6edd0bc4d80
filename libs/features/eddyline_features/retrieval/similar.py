"""What goes with an item: rankings by several ways fused into one, and what is left where none knows the item.

All of it is computed when it is asked for, over all items at once; nothing here is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Octets, kernel

TOGETHER, CONTENT, TASTE = "together", "content", "taste"
WAYS = (TOGETHER, CONTENT, TASTE)
"""People act on both; they say the same; the same people like both."""
FIELDS, POPULAR = "fields", "popular"
"""What fills up: shared values of fields, and what is popular anyway."""
_EVEN = 60.0
"""How much less a first place counts than all that follow: the constant of reciprocal rank fusion."""

Mask = NDArray[np.bool_]


@kernel
def shares(
    values: IntTable,
    width: int,
    among: Octets,
    weights: Floats,
    in_own: Floats,
    of_own: float,
    out: Floats,
) -> None:
    """Of each item in ``among``: the weight of values that it shares, over that of all values of both.

    ``weights``, ``in_own``: by code; the latter 0 but for the values of the item that others are compared with, whose
    sum is ``of_own``.
    """
    for row in range(out.shape[0]):
        if among[row] == 0:
            continue
        shared = 0.0
        of_all = 0.0
        for first in range(0, values.shape[1], width):
            for place in range(first, first + width):
                code = values[row, place]
                if code < 0:
                    break
                shared += in_own[code]
                of_all += weights[code]
        if shared > 0.0:
            out[row] = shared / (of_all + of_own - shared)


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
    found: dict[int, list[tuple[int, int, str]]] = {}
    for turn, (name, rows) in enumerate(rankings.items()):
        for place, row in enumerate(rows.tolist()):
            scores[row] = scores.get(row, 0.0) + (1.0 + _EVEN) / (1.0 + _EVEN + place) / len(rankings)
            found.setdefault(row, []).append((place, turn, name))
    best = sorted(scores, key=lambda row: (-scores[row], row))[:n]
    return [Near(row, scores[row], [name for _, _, name in sorted(found[row])]) for row in best]


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
    rows = np.flatnonzero(among)
    # Whoever is asked about few gathers them; not by BLAS, whose threads would wait for each other on a busy machine.
    table = vectors[rows] if 2 * len(rows) < len(among) else vectors
    unit = (own / length).astype(vectors.dtype)
    products = np.einsum("ij,j->i", table, unit)
    lengths = np.sqrt(np.einsum("ij,ij->i", table, table))
    known = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0.0)
    cosines = known
    if table is not vectors:
        cosines = np.zeros(len(among), known.dtype)
        cosines[rows] = known
    return top(cosines, among & (cosines > 0.0), n)


def sharing(
    values: IntTable, width: int, uses: Sequence[int], row: int, among: Mask, n: int
) -> tuple[Ints, Floats]:
    """Rows of the ``n`` items that share most field values with a row, and how much of both they share (0 to 1).

    A value counts by how rare it is, as -ln of the share of items that have it: to be of the same director says more
    than to be of the same language. It is the weighted index of Jaccard.

    Parameters
    ----------
    values
        shape (items, P): codes of field values, each field padded with -1 to its width.
    width
        Places of each field.
    uses
        By code: the number of items that have it.
    """
    empty = np.zeros(0, np.int32), np.zeros(0)
    own = np.unique(values[row][values[row] >= 0])
    if not len(own):
        return empty
    n_items = len(values)
    weights: Floats = np.log((n_items + 1.0) / np.maximum(np.asarray(uses, np.float64), 1.0))
    in_own: Floats = np.zeros(len(weights))
    in_own[own] = weights[own]
    share: Floats = np.zeros(n_items)
    shares(values, width, among.view(np.uint8), weights, in_own, float(in_own.sum()), share)
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
