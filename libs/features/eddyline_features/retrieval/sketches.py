"""Sketches of vectors: 240 bits each, of which about as many differ as the angle between two vectors says.

A bit is the side of a plane on which a vector lies (Charikar, "Similarity estimation techniques from rounding
algorithms", STOC 2002). The planes are given by signs and Walsh-Hadamard transforms, which takes D log D steps (Ailon
and Chazelle, "The fast Johnson-Lindenstrauss transform", SIAM J. Comput. 2009). So the nearest of many vectors can be
looked for by a pass over a few bytes of each; the best of these are then compared as they are.
"""

from __future__ import annotations

import math

import numpy as np

from eddyline_features.kernel import Floats, Ints, Longs, LongTable, Octets, SingleTable, kernel

WORDS = 4
_PER_WORD = 60
"""Bits of a word that are used: with the upper ones empty, no sum is ever negative."""
_ROUNDS = 2


@kernel
def rotate(seed: int, numbers: Floats) -> None:
    """Turn a vector, whose length is a power of two, by a fixed rotation of this ``seed``; it gets longer."""
    n = numbers.shape[0]
    state = 1_000_003 * (seed + 1)
    for _ in range(_ROUNDS):
        for k in range(n):
            state = (1103515245 * (state & 0x7FFFFFFF) + 12345) & 0x7FFFFFFF
            if (state >> 20) & 1:
                numbers[k] = -numbers[k]
        step = 1
        while step < n:
            for start in range(0, n, 2 * step):
                for k in range(start, start + step):
                    a = numbers[k]
                    b = numbers[k + step]
                    numbers[k] = a + b
                    numbers[k + step] = a - b
            step *= 2


@kernel
def sketch(vector: Floats, numbers: Floats, out: Longs) -> None:
    """Sketch of a vector, shape (D,), into ``out``, shape (4,).

    ``numbers``: scratch, of the next power of two from D on.
    """
    dims = vector.shape[0]
    room = numbers.shape[0]
    seed = 0
    place = room
    for word in range(out.shape[0]):
        bits = np.int64(0)
        for bit in range(_PER_WORD):
            if place == room:
                for k in range(room):
                    numbers[k] = vector[k] if k < dims else 0.0
                rotate(seed, numbers)
                seed += 1
                place = 0
            if numbers[place] > 0.0:
                bits |= np.int64(1) << np.int64(bit)
            place += 1
        out[word] = bits


@kernel
def agreement(
    n_items: int, sketches: LongTable, own: Longs, has: Octets, blocked: Octets, out: Floats
) -> None:
    """In how many bits less than all each item's sketch agrees with one, as a number below 0; shape (items,).

    Items that are ``blocked``, or of which ``has`` is 0, get the lowest number.
    """
    pairs = np.int64(0x5555555555555555)
    fours = np.int64(0x3333333333333333)
    eights = np.int64(0x0F0F0F0F0F0F0F0F)
    for row in range(n_items):
        if blocked[row] != 0 or has[row] == 0:
            out[row] = -1e9
            continue
        differ = np.int64(0)
        for word in range(own.shape[0]):
            v = sketches[row, word] ^ own[word]
            v = (v & pairs) + ((v >> np.int64(1)) & pairs)
            v = (v & fours) + ((v >> np.int64(2)) & fours)
            v = (v + (v >> np.int64(4))) & eights
            v += v >> np.int64(8)
            v += v >> np.int64(16)
            v += v >> np.int64(32)
            differ += v & np.int64(127)
        out[row] = -float(differ)


@kernel
def mean_of_items(rows: Ints, fade: float, vectors: SingleTable, has: Octets, out: Floats) -> bool:
    """Mean of items' vectors, of length 1: each that has one counts ``fade`` times the one before it; whether any has.

    ``out``: shape (D,).
    """
    counts = 1.0
    for k in range(out.shape[0]):
        out[k] = 0.0
    for i in range(rows.shape[0]):
        if has[rows[i]] != 0:
            for k in range(out.shape[0]):
                out[k] += counts * np.float64(vectors[rows[i], k])
            counts *= fade
    square = 0.0
    for k in range(out.shape[0]):
        square += out[k] * out[k]
    # What remains of vectors that cancel out is noise.
    if square < 1e-12:
        return False
    length = math.sqrt(square)
    for k in range(out.shape[0]):
        out[k] /= length
    return True


@kernel
def cosines(rows: Ints, n: int, vectors: SingleTable, other: Floats, out: Floats) -> None:
    """Cosines of ``n`` items with a vector, each at its item's row in ``out``, shape (items,)."""
    dims = other.shape[0]
    for i in range(n):
        row = rows[i]
        a = 0.0
        b = 0.0
        c = 0.0
        d = 0.0
        whole = dims - dims % 4
        for k in range(0, whole, 4):
            a += np.float64(vectors[row, k]) * other[k]
            b += np.float64(vectors[row, k + 1]) * other[k + 1]
            c += np.float64(vectors[row, k + 2]) * other[k + 2]
            d += np.float64(vectors[row, k + 3]) * other[k + 3]
        for k in range(whole, dims):
            a += np.float64(vectors[row, k]) * other[k]
        out[row] = (a + b) + (c + d)


@kernel
def shorten(rows: Ints, vectors: SingleTable, has: Octets, numbers: Floats, out: SingleTable) -> None:
    """Vectors of items with fewer numbers, of length 1, or 0 where there is none: cosines stay about the same.

    ``numbers``: scratch, the next power of two from D on.
    """
    dims = vectors.shape[1]
    for i in range(rows.shape[0]):
        row = rows[i]
        if has[row] == 0:
            for k in range(out.shape[1]):
                out[i, k] = np.float32(0.0)
            continue
        for k in range(numbers.shape[0]):
            numbers[k] = np.float64(vectors[row, k]) if k < dims else 0.0
        rotate(0, numbers)
        square = 0.0
        for k in range(out.shape[1]):
            square += numbers[k] * numbers[k]
        length = math.sqrt(square) if square > 0.0 else 1.0
        for k in range(out.shape[1]):
            out[i, k] = np.float32(numbers[k] / length)
