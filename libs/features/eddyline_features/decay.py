"""Counters that decay, by forward decay: an event at time t adds 2^((t - L) / h), a read divides by 2^((at - L) / h).

So nothing is written when time passes, late events need no special case, and a read needs one exponential for each
half-life h. L, the landmark, is a whole number of half-lives: moving it multiplies by a power of two, which is exact.
"""

from __future__ import annotations

import math

from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, kernel

LN2 = 0.6931471805599453

MOVE_AFTER = 400
"""Half-lives after which a landmark moves: far from the limits of float64 (2^1023)."""

NOTHING = -1000
"""2 to less than this is nothing."""

LAST_SEEN = 0
"""Column of an entity's ``meta``: fold time of its newest event, in ms."""


@kernel
def exp2(x: float) -> float:
    """2^x for x in [0, 1]; exact at both ends, within an ulp or two between.

    Multiplications and additions in a fixed order: libraries' ``exp2`` and ``pow`` differ between CPUs.
    """
    upper = x > 0.5
    z = (x - 1.0) * LN2 if upper else x * LN2
    # Taylor: the first term left out is below 2e-16, since |z| <= ln(2) / 2.
    p = 1.0 / 479001600.0
    p = p * z + 1.0 / 39916800.0
    p = p * z + 1.0 / 3628800.0
    p = p * z + 1.0 / 362880.0
    p = p * z + 1.0 / 40320.0
    p = p * z + 1.0 / 5040.0
    p = p * z + 1.0 / 720.0
    p = p * z + 1.0 / 120.0
    p = p * z + 1.0 / 24.0
    p = p * z + 1.0 / 6.0
    p = p * z + 0.5
    p = p * z + 1.0
    p = p * z + 1.0
    return p * 2.0 if upper else p


@kernel
def weight(at: int, half_life: int, landmark: int) -> float:
    """What an event at ``at`` adds to a counter: 2^(at / half_life - landmark)."""
    if half_life == 0:
        return 1.0
    whole = at // half_life
    shift = whole - landmark
    if shift < NOTHING:
        return 0.0
    return math.ldexp(exp2((at - whole * half_life) / half_life), int(shift))


@kernel
def faded(at: int, half_life: int, landmark: int) -> float:
    """What a counter is multiplied by when read at ``at``: 2^(landmark - at / half_life)."""
    if half_life == 0:
        return 1.0
    whole = at // half_life
    shift = landmark - whole
    if shift < NOTHING:
        return 0.0
    return math.ldexp(exp2(1.0 - (at - whole * half_life) / half_life), int(shift - 1))


@kernel
def factors(at: int, half_lives: Longs, landmarks: Longs, out: Floats) -> None:
    """`faded` for each half-life."""
    for h in range(half_lives.shape[0]):
        out[h] = faded(at, half_lives[h], landmarks[h])


@bound_kernel("at")
def weights(at: int, half_lives: Longs, landmarks: Longs, out: Floats) -> None:
    """`weight` for each half-life."""
    for h in range(half_lives.shape[0]):
        out[h] = weight(at, half_lives[h], landmarks[h])


@kernel
def entry_weights(at: int, half_lives: Longs, ring: Longs, start: int, n: int, out: FloatTable) -> None:
    """How much each of ``n`` entries of a ring counts at ``at``: shape (half-lives, n)."""
    for h in range(half_lives.shape[0]):
        for i in range(n):
            if ring[start + 2 * i] >= 0:
                age = max(at - ring[start + 2 * i + 1], 0)
                out[h, i] = faded(age, half_lives[h], 0)


@bound_kernel("at")
def needs_move(at: int, half_lives: Longs, landmarks: Longs) -> bool:
    """Whether an event at ``at`` is too far after a landmark."""
    for h in range(half_lives.shape[0]):
        if half_lives[h] > 0 and at // half_lives[h] - landmarks[h] > MOVE_AFTER:
            return True
    return False


@kernel
def move_landmarks(at: int, half_lives: Longs, landmarks: Longs, shrink: Floats) -> None:
    """Move the landmarks that are too far behind; ``shrink`` gets what their counters are to be multiplied by."""
    for h in range(half_lives.shape[0]):
        shrink[h] = 1.0
        if half_lives[h] > 0:
            whole = at // half_lives[h]
            shift = landmarks[h] - whole
            if -shift > MOVE_AFTER:
                shrink[h] = 0.0 if shift < NOTHING else math.ldexp(1.0, int(shift))
                landmarks[h] = whole


@kernel
def rescale(counters: FloatTable, half_life_of: Ints, shrink: Floats) -> None:
    """Multiply counters, shape (rows, C), by what their half-lives say."""
    for row in range(counters.shape[0]):
        for c in range(counters.shape[1]):
            counters[row, c] *= shrink[half_life_of[c]]


@bound_kernel("at", "action", "rows", "value")
def tally(
    at: int,
    action: int,
    half_lives: Longs,
    landmarks: Longs,
    half_life_of: Ints,
    amounts: FloatTable,
    adds: Floats,
    items: FloatTable,
    meta: LongTable,
    values: FloatTable,
    value_seen: Longs,
    overall: FloatTable,
    item_values: IntTable,
    n_counted: int,
    rows: Ints,
    valued: Ints,
    value: float,
) -> None:
    """Count one event for the items in ``rows``, for the values in their first ``n_counted`` places, and overall.

    ``amounts``, shape (actions, C): what the action adds to each counter before decay; below 0 it takes off.
    ``adds``: scratch, shape (C,). ``valued``, shape (C,): 1 where the amount is multiplied by the event's ``value``.
    """
    n_counters = half_life_of.shape[0]
    for c in range(n_counters):
        amount = amounts[action, c]
        if valued[c] != 0:
            amount *= value
        h = half_life_of[c]
        adds[c] = amount * weight(at, half_lives[h], landmarks[h]) if amount != 0.0 else 0.0
    for i in range(rows.shape[0]):
        row = rows[i]
        if meta[row, LAST_SEEN] < at:
            meta[row, LAST_SEEN] = at
        for c in range(n_counters):
            items[row, c] += adds[c]
            overall[0, c] += adds[c]
        for place in range(n_counted):
            code = item_values[row, place]
            if code >= 0:
                if value_seen[code] < at:
                    value_seen[code] = at
                for c in range(n_counters):
                    values[code, c] += adds[c]


@bound_kernel("at", "action", "times", "row", "value")
def tally_person(
    at: int,
    action: int,
    times: int,
    half_lives: Longs,
    landmarks: Longs,
    half_life_of: Ints,
    amounts: FloatTable,
    counters: FloatTable,
    row: int,
    valued: Ints,
    value: float,
) -> None:
    """Count an event ``times`` times for one user or session; ``valued`` as for `tally`."""
    for c in range(half_life_of.shape[0]):
        amount = amounts[action, c]
        if valued[c] != 0:
            amount *= value
        if amount != 0.0:
            h = half_life_of[c]
            counters[row, c] += times * amount * weight(at, half_lives[h], landmarks[h])
