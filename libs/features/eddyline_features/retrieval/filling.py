"""Whatever the sources lack, the rest of the catalogue gives: the items with the best rates, all others after them."""

from __future__ import annotations

from eddyline_features.kernel import Floats, FloatTable, Ints, Octets, kernel


@kernel
def sink(score: float, row: int, n: int, scores: Floats, rows: Ints) -> None:
    """Put an item in the root's stead, among the first ``n``."""
    place = 0
    while True:
        below = 2 * place + 1
        if below >= n:
            break
        other = below + 1
        if other < n and (
            scores[other] < scores[below] or (scores[other] == scores[below] and rows[other] > rows[below])
        ):
            below = other
        if score < scores[below] or (score == scores[below] and row > rows[below]):
            break
        scores[place] = scores[below]
        rows[place] = rows[below]
        place = below
    scores[place] = score
    rows[place] = row


@kernel
def keep_best(score: float, row: int, n: int, scores: Floats, rows: Ints) -> int:
    """Keep an item if it is among the best; gives how many are kept: at most as many as there is room for.

    A heap whose root is the worst: the lowest score, of equal ones the highest row.
    """
    room = scores.shape[0]
    if n < room:
        place = n
        while place > 0:
            above = (place - 1) >> 1
            if scores[above] < score or (scores[above] == score and rows[above] > row):
                break
            scores[place] = scores[above]
            rows[place] = rows[above]
            place = above
        scores[place] = score
        rows[place] = row
        return n + 1
    if room == 0 or scores[0] > score or (scores[0] == score and rows[0] < row):
        return n
    sink(score, row, n, scores, rows)
    return n


@kernel
def best_first(n: int, scores: Floats, rows: Ints) -> None:
    """From a heap of ``n`` to a list, the best first."""
    for last in range(n - 1, 0, -1):
        score = scores[last]
        row = rows[last]
        scores[last] = scores[0]
        rows[last] = rows[0]
        sink(score, row, last, scores, rows)


@kernel
def best_by_prior(
    n_items: int,
    counters: FloatTable,
    acted: int,
    shown: int,
    factor: float,
    base: float,
    strength: float,
    blocked: Octets,
    scores: Floats,
    rows: Ints,
) -> int:
    """The items with the best smoothed rates, the best first; as many as ``rows`` has room for, or there are."""
    n = 0
    for row in range(n_items):
        if blocked[row] == 0:
            above = counters[row, acted] * factor + strength * base
            rate = above / (max(counters[row, shown], 0.0) * factor + strength)
            n = keep_best(rate, row, n, scores, rows)
    best_first(n, scores, rows)
    return n
