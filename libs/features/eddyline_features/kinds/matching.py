"""Kernels of field matches: the terms of items, in how many items each is, and how well a query fits.

An item's terms are keys, sorted: identity × 256 + how often (at most 255), and zeros after the last. How many items
have a term is kept in a count-min sketch (Cormode and Muthukrishnan, 2005): three rows, in each of which a term adds to
one place by other bits of its identity, and the least of its three counts is read. So memory is bounded without a
dictionary that must choose what to forget, what was added is taken away exactly, and a count is never too small.
"""

from __future__ import annotations

import math

from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, kernel

N_SKETCH_ROWS = 3
_SHIFT = 17
"""Bits of an identity that each row of a sketch sees at most: 3 × 17 of 53."""
TERM, NGRAM, BM25 = range(3)
N_PLAN = 9
N_TOKENS, N_KEPT = range(2)
"""Columns of an item's sizes, for each block: words in all (-1 where there is no text), and keys kept."""


@kernel
def logarithm(x: float) -> float:
    """The natural logarithm of x > 0, within an ulp or two: with multiplications, additions and a division only."""
    m, e = math.frexp(x)
    if m < 0.7071067811865476:
        m = m * 2.0
        e = e - 1
    z = (m - 1.0) / (m + 1.0)
    y = z * z
    # ln(m) = 2 artanh(z); |z| <= 0.1716, so the first term left out is below 1e-17.
    p = 1.0 / 21.0
    for odd in range(19, 0, -2):
        p = p * y + 1.0 / odd
    return e * 0.6931471805599453 + 2.0 * z * p


@kernel
def count_terms(sketch: Ints, start: int, width: int, keys: Longs, n: int, amount: int) -> None:
    """Add ``amount`` to the counts of the first ``n`` keys; ``width`` is a power of two."""
    for i in range(n):
        term = keys[i] >> 8
        for row in range(N_SKETCH_ROWS):
            sketch[start + row * width + ((term >> (row * _SHIFT)) & (width - 1))] += amount


@kernel
def put_terms(
    row: int,
    block: int,
    start: int,
    width: int,
    found: Longs,
    n_tokens: int,
    at: int,
    keys: LongTable,
    sizes: IntTable,
    written: LongTable,
    sketch: Ints,
    totals: LongTable,
    counts: LongTable,
) -> None:
    """Take an item's keys out of a block and put those it has ``found`` in; ``n_tokens`` is -1 where there is no text.

    ``counts`` holds (first place in the sketch, width, row of ``totals``) of each that counts this block.
    """
    tokens = 2 * block + N_TOKENS
    kept = 2 * block + N_KEPT
    for c in range(counts.shape[0]):
        total = counts[c, 2]
        if sizes[row, tokens] >= 0:
            count_terms(sketch, counts[c, 0], counts[c, 1], keys[row, start:], sizes[row, kept], -1)
            totals[total, 0] -= 1
            totals[total, 1] -= sizes[row, tokens]
        if n_tokens >= 0:
            count_terms(sketch, counts[c, 0], counts[c, 1], found, found.shape[0], 1)
            totals[total, 0] += 1
            totals[total, 1] += n_tokens
    for k in range(width):
        keys[row, start + k] = found[k] if k < found.shape[0] else 0
    sizes[row, tokens] = n_tokens
    sizes[row, kept] = found.shape[0]
    written[row, block] = at


@kernel
def counted(sketch: Ints, start: int, width: int, term: int) -> int:
    """In how many items a term is; never less than it is."""
    least = sketch[start + (term & (width - 1))]
    for row in range(1, N_SKETCH_ROWS):
        least = min(least, sketch[start + row * width + ((term >> (row * _SHIFT)) & (width - 1))])
    return int(least)


@kernel
def weigh_terms(
    terms: Longs, first: int, n: int, sketch: Ints, start: int, width: int, n_items: int, weights: Floats
) -> None:
    """How rare each term of a query is: ln(1 + (N - d + 1/2) / (d + 1/2)), for d of N items."""
    for i in range(first, first + n):
        d = min(counted(sketch, start, width, terms[i]), n_items)
        weights[i] = logarithm(1.0 + (n_items - d + 0.5) / (d + 0.5))


@kernel
def matches(
    out: FloatTable,
    rows: Ints,
    at: int,
    keys: LongTable,
    sizes: IntTable,
    written: LongTable,
    terms: Longs,
    weights: Floats,
    sketch: Ints,
    totals: LongTable,
    plan: LongTable,
    asked: LongTable,
    strengths: FloatTable,
) -> None:
    """How well each candidate fits.

    ``plan`` holds (column, how, block, first key, ttl or 0, first place of the counts, their width, row of
    ``totals``, place in ``asked``); ``asked`` (first of the query's ``terms``, which are sorted; how many, -1 where
    nothing is asked); ``totals`` (items, words); ``strengths`` (k1, b). ``weights``: scratch, a place for each term.
    """
    for p in range(plan.shape[0]):
        column, how, block, start = plan[p, 0], plan[p, 1], plan[p, 2], plan[p, 3]
        first, n = asked[plan[p, 8], 0], asked[plan[p, 8], 1]
        if n <= 0:
            continue
        longer = 0.0
        if how == BM25:
            n_items, n_words = totals[plan[p, 7], 0], totals[plan[p, 7], 1]
            weigh_terms(terms, first, n, sketch, plan[p, 5], plan[p, 6], n_items, weights)
            longer = n_items / n_words if n_words > 0 else 0.0
        k1, b = strengths[p, 0], strengths[p, 1]
        for i in range(rows.shape[0]):
            row = rows[i]
            if row < 0 or sizes[row, 2 * block + N_TOKENS] < 0:
                continue
            if plan[p, 4] > 0 and at - written[row, block] > plan[p, 4]:
                continue
            kept = sizes[row, 2 * block + N_KEPT]
            damping = k1 * (1.0 - b + b * sizes[row, 2 * block + N_TOKENS] * longer)
            shared = 0
            score = 0.0
            k = 0
            for t in range(first, first + n):
                while k < kept and (keys[row, start + k] >> 8) < terms[t]:
                    k += 1
                if k < kept and (keys[row, start + k] >> 8) == terms[t]:
                    shared += 1
                    if how == BM25:
                        often = keys[row, start + k] & 255
                        score += weights[t] * often * (k1 + 1.0) / (often + damping)
            if how == BM25:
                out[i, column] = score
            elif how == TERM:
                out[i, column] = shared / n
            else:
                out[i, column] = shared / (n + kept - shared)
