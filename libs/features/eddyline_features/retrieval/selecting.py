"""The best of all items by some score, without sorting them.

What is better than the worst of those kept is put behind them; when there is room for no more, the better half is kept
(Hoare, "Algorithm 65: FIND", 1961). So it takes about the same time in whatever order items come. Of equal scores, the
lower row is better.
"""

from __future__ import annotations

from eddyline_features.kernel import Floats, Ints, LongTable, Octets, kernel

_FIRST_SEEN = 1
"""Column of an item's ``meta``, as in ``entities``, which a test compares."""


@kernel
def better(score: float, row: int, than: float, than_row: int) -> bool:
    """Whether an item comes before another one."""
    return bool(score > than or (score == than and row < than_row))


@kernel
def gather_best(n: int, size: int, scores: Floats, rows: Ints) -> None:
    """Bring the ``n`` best of the first ``size`` to the front, in no order."""
    low = 0
    high = size - 1
    while low < high:
        # The middle one of three, as a guess of where the n-th best is.
        a = low
        b = (low + high) >> 1
        c = high
        if better(scores[b], rows[b], scores[a], rows[a]):
            a, b = b, a
        if better(scores[c], rows[c], scores[b], rows[b]):
            b = a if better(scores[c], rows[c], scores[a], rows[a]) else c
        score = scores[b]
        row = rows[b]
        i = low
        j = high
        while i <= j:
            while better(scores[i], rows[i], score, row):
                i += 1
            while better(score, row, scores[j], rows[j]):
                j -= 1
            if i <= j:
                kept = scores[i]
                kept_row = rows[i]
                scores[i] = scores[j]
                rows[i] = rows[j]
                scores[j] = kept
                rows[j] = kept_row
                i += 1
                j -= 1
        if n - 1 <= j:
            high = j
        elif n - 1 >= i:
            low = i
        else:
            break


@kernel
def worst_of(n: int, scores: Floats, rows: Ints) -> int:
    """Which of the first ``n`` is the worst."""
    worst = 0
    for i in range(1, n):
        if better(scores[worst], rows[worst], scores[i], rows[i]):
            worst = i
    return worst


@kernel
def sink(place: int, n: int, scores: Floats, rows: Ints) -> None:
    """Let an item of a heap, whose root is the worst of ``n``, come to its place."""
    score = scores[place]
    row = rows[place]
    while True:
        below = 2 * place + 1
        if below >= n:
            break
        other = below + 1
        if other < n and better(scores[below], rows[below], scores[other], rows[other]):
            below = other
        if better(scores[below], rows[below], score, row):
            break
        scores[place] = scores[below]
        rows[place] = rows[below]
        place = below
    scores[place] = score
    rows[place] = row


@kernel
def best_first(n: int, scores: Floats, rows: Ints) -> None:
    """Sort the first ``n``, the best first."""
    for place in range(n // 2 - 1, -1, -1):
        sink(place, n, scores, rows)
    for last in range(n - 1, 0, -1):
        score = scores[last]
        row = rows[last]
        scores[last] = scores[0]
        rows[last] = rows[0]
        scores[0] = score
        rows[0] = row
        sink(0, last, scores, rows)


@kernel
def best_of_all(
    n_items: int, all_scores: Floats, above: float, blocked: Octets, n: int, scores: Floats, rows: Ints
) -> int:
    """Of the first ``n_items`` rows, the ``n`` with the best scores, the best first; gives how many there are.

    Left out is what is ``blocked``, and what does not score more than ``above`` (NaN does not). ``scores`` and
    ``rows`` have room for at least 2 n.
    """
    if n == 0:
        return 0
    size = 0
    least = above
    for row in range(n_items):
        # Later rows are worse than equal ones that are kept.
        if blocked[row] == 0 and all_scores[row] > least:
            scores[size] = all_scores[row]
            rows[size] = row
            size += 1
            if size == 2 * n:
                gather_best(n, size, scores, rows)
                size = n
                least = scores[worst_of(n, scores, rows)]
    if size > n:
        gather_best(n, size, scores, rows)
        size = n
    best_first(size, scores, rows)
    return size


@kernel
def best_of_some(
    some: Ints,
    n_some: int,
    all_scores: Floats,
    above: float,
    blocked: Octets,
    n: int,
    scores: Floats,
    rows: Ints,
) -> int:
    """As `best_of_all`, of the rows in ``some`` only."""
    if n == 0:
        return 0
    size = 0
    for i in range(n_some):
        row = some[i]
        if blocked[row] == 0 and all_scores[row] > above:
            scores[size] = all_scores[row]
            rows[size] = row
            size += 1
            if size == 2 * n:
                gather_best(n, size, scores, rows)
                size = n
    if size > n:
        gather_best(n, size, scores, rows)
        size = n
    best_first(size, scores, rows)
    return size


@kernel
def newest(n_items: int, meta: LongTable, blocked: Octets, n: int, scores: Floats, rows: Ints) -> int:
    """As `best_of_all`, those first seen last; of those seen at the same time, the highest row."""
    if n == 0:
        return 0
    size = 0
    least = -1e300
    for row in range(n_items - 1, -1, -1):
        seen = float(meta[row, _FIRST_SEEN])
        if blocked[row] == 0 and seen > least:
            scores[size] = seen
            rows[size] = -row
            size += 1
            if size == 2 * n:
                gather_best(n, size, scores, rows)
                size = n
                least = scores[worst_of(n, scores, rows)]
    if size > n:
        gather_best(n, size, scores, rows)
        size = n
    best_first(size, scores, rows)
    for i in range(size):
        rows[i] = -rows[i]
    return size
