"""The online model's arithmetic: score(u, i) = b + b_u + b_i + q_i · x_u with x_u = p_u + |R|^-1/2 Σ_{j in R} y_j.

R are the person's newest interactions, so that somebody who has just clicked for the first time is known by what others
did who clicked the same (Koren, "Factorization meets the neighborhood", KDD 2008). Each observation (a person, an item,
acted on or not, or the value given) moves what its score was made of, by one of three rules:

- *sgd*: log-loss. Vectors by AdaGrad with one step for a vector (Duchi et al., JMLR 2011), whose memory fades, so that
  steps never end; biases by an online Newton step, which makes them what a smoothed rate would be.
- *passive-aggressive*: hinge loss, PA-I (Crammer et al., JMLR 2006): as far as needed, at most C = step.
- *ftrl*: log-loss, FTRL-proximal (McMahan et al., KDD 2013) with one count for a vector. Stored is z, and weights are
  computed from it.

Where a value is learnt, log-loss becomes squared error and hinge loss absolute error (of Crammer et al. too).

What is stored stays within bounds whatever arrives. Arithmetic is in float64, storage in float32.
"""

from __future__ import annotations

import math

import numpy as np

from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.kernel import (
    Floats,
    FloatTable,
    Ints,
    IntTable,
    Longs,
    LongTable,
    Octets,
    Singles,
    SingleTable,
    kernel,
)

SGD, PASSIVE_AGGRESSIVE, FTRL = 0, 1, 2
BIAS, CURVATURE, SQUARES, FACE_SQUARES = 0, 1, 2, 3
"""Columns of what is kept of an item (the first three: of a person too): bias, its curvature or count, squared
gradients of its vector, and of its face (the vector that stands for it in a person's history)."""
DRAWN, LEFT = 2, 3
"""Columns of what is kept of all together, behind bias and curvature: how many negatives were drawn, and were left."""
OF_PERSON, OF_ITEM = 3, 4
"""Where the vector begins; an item's face lies behind its vector."""
STEP, L1, L2, SMOOTHING, TARGET, MIDDLE, HALF = 0, 1, 2, 3, 4, 5, 6
"""Places in the settings. ``TARGET``: 0 is acted on or not, 1 a value from -1 to 1, which stands for ``MIDDLE`` minus
``HALF`` to ``MIDDLE`` plus ``HALF`` in what is read."""
X, Q, PULL, WEIGHTS, GRADIENT, HISTORY = 0, 1, 2, 3, 4, 5
"""Rows of the scratch table, shape (6, factors)."""
N_SCRATCH = 6

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2
_MOST = 4.0
_MOST_BIAS = 12.0
_MOST_CURVATURE = 200.0
_FADE = 0.999
_START = 0.1
_BETA = 1.0
_MOST_COUNTED = 1e6
_VARIANCE = 0.16
_NEAR = 0.05


@kernel
def sigmoid(x: float, table: Floats) -> float:
    """1 / (1 + e^-x) from a table over [-16, 16], linear between its entries; the ends beyond."""
    n = table.shape[0] - 1
    place = min(max((x + 16.0) / 32.0, 0.0), 1.0) * n
    left = min(int(place), n - 1)
    part = place - left
    return float(table[left] * (1.0 - part) + table[left + 1] * part)


@kernel
def chances(scores: FloatTable, table: Floats, out: Singles) -> None:
    """`sigmoid` of each row's score."""
    for n in range(scores.shape[0]):
        out[n] = sigmoid(scores[n, 0], table)


@kernel
def draw(seed: int) -> int:
    """The next of a sequence of 31-bit numbers (a linear congruential generator): take its upper bits."""
    return (1103515245 * (seed & 0x7FFFFFFF) + 12345) & 0x7FFFFFFF


@bound_kernel("row", "identity")
def begin_item(rule: int, settings: Floats, row: int, identity: int, things: SingleTable) -> None:
    """Nothing is known; vectors are small numbers, within ±0.1, that depend on the item's identity alone."""
    scale = 1.0
    if rule == FTRL:
        # z of these weights, while nothing is counted.
        scale = -(_BETA / settings[STEP] + settings[L2])
    for place in range(OF_ITEM):
        things[row, place] = 0.0
    seed = (identity ^ (identity >> 22)) & 0x7FFFFFFF
    for place in range(OF_ITEM, things.shape[1]):
        seed = draw(seed)
        small = 0.2 * ((seed >> 8) / 8388608.0) - 0.1
        things[row, place] = scale * small - (settings[L1] if small > 0.0 else -settings[L1])


@kernel
def weight_of(rule: int, settings: Floats, stored: float, count: float) -> float:
    """The weight that is meant by a stored number."""
    if rule != FTRL:
        return stored
    if abs(stored) <= settings[L1]:
        return 0.0
    near = stored - settings[L1] if stored > 0.0 else stored + settings[L1]
    return float(-near / ((_BETA + math.sqrt(count)) / settings[STEP] + settings[L2]))


@kernel
def take(
    rule: int,
    settings: Floats,
    stored: SingleTable,
    row: int,
    first: int,
    count: int,
    scratch: FloatTable,
    to: int,
) -> None:
    """The weights of a vector, which begins at ``first`` of a row, into the scratch table; ``count``: its column."""
    counted = np.float64(stored[row, count])
    for k in range(scratch.shape[1]):
        scratch[to, k] = weight_of(rule, settings, np.float64(stored[row, first + k]), counted)


@kernel
def person(
    rule: int,
    settings: Floats,
    user: int,
    ring: Longs,
    n_acted: int,
    recent: int,
    items_meta: LongTable,
    people: SingleTable,
    things: SingleTable,
    scratch: FloatTable,
) -> float:
    """x_u into the scratch table; gives |R|^-1/2, or 0 without history."""
    take(rule, settings, people, user, OF_PERSON, SQUARES, scratch, X)
    factors = scratch.shape[1]
    for k in range(factors):
        scratch[HISTORY, k] = 0.0
    n = 0
    for back in range(min(min(ring[0], n_acted), recent)):
        key = ring[_HEAD + 2 * ((ring[0] - 1 - back) % n_acted)]
        item = (key >> 8) & 0xFFFFFF
        if key >= 0 and items_meta[item, _GENERATION] == key >> 32:
            n += 1
            take(rule, settings, things, item, OF_ITEM + factors, FACE_SQUARES, scratch, WEIGHTS)
            for k in range(factors):
                scratch[HISTORY, k] += scratch[WEIGHTS, k]
    if n == 0:
        return 0.0
    norm = 1.0 / math.sqrt(n)
    for k in range(factors):
        scratch[X, k] += norm * scratch[HISTORY, k]
    return norm


@kernel
def move_bias(
    rule: int,
    settings: Floats,
    numbers: SingleTable,
    row: int,
    gradient: float,
    curvature: float,
    smoothing: float,
    most_curvature: float,
) -> None:
    """Move a bias along the gradient of the likelihood (passive-aggressive: by it).

    ``most_curvature``: what is remembered of it at most; the less, the more the newest observations say.
    """
    stored: float = np.float64(numbers[row, BIAS])
    count: float = np.float64(numbers[row, CURVATURE])
    if rule == SGD:
        count = min(count + curvature, most_curvature)
        stored = min(max(stored + gradient / (count + smoothing), -_MOST_BIAS), _MOST_BIAS)
    elif rule == PASSIVE_AGGRESSIVE:
        # Nothing is divided by it: it says that something was learnt, which the bias, back at 0, would not.
        count = min(count + curvature, most_curvature)
        stored = min(max(stored + gradient, -_MOST_BIAS), _MOST_BIAS)
    else:
        weight = weight_of(rule, settings, stored, count)
        more = count + gradient * gradient
        stored += -gradient - (math.sqrt(more) - math.sqrt(count)) / settings[STEP] * weight
        count = more
        most = settings[L1] + _MOST_BIAS * ((_BETA + math.sqrt(count)) / settings[STEP] + settings[L2])
        stored = min(max(stored, -most), most)
    numbers[row, BIAS] = stored
    numbers[row, CURVATURE] = count


@kernel
def move_vector(
    rule: int, settings: Floats, stored: SingleTable, row: int, first: int, column: int, scratch: FloatTable
) -> None:
    """Move a vector, whose weights are in the scratch table, along the gradient that is there too."""
    squares = 0.0
    factors = scratch.shape[1]
    for k in range(factors):
        squares += scratch[GRADIENT, k] * scratch[GRADIENT, k]
    count: float = np.float64(stored[row, column])
    if rule == SGD:
        count = count * _FADE + squares
        rate = settings[STEP] / math.sqrt(count + _START)
        for k in range(factors):
            w = scratch[WEIGHTS, k]
            w += rate * (scratch[GRADIENT, k] - settings[L2] * w)
            stored[row, first + k] = min(max(w, -_MOST), _MOST)
    elif rule == PASSIVE_AGGRESSIVE:
        count = min(count + squares, _MOST_COUNTED)
        for k in range(factors):
            stored[row, first + k] = min(max(scratch[WEIGHTS, k] + scratch[GRADIENT, k], -_MOST), _MOST)
    else:
        more = count + squares
        slower = (math.sqrt(more) - math.sqrt(count)) / settings[STEP]
        count = more
        most = settings[L1] + _MOST * ((_BETA + math.sqrt(count)) / settings[STEP] + settings[L2])
        for k in range(factors):
            z = np.float64(stored[row, first + k]) - scratch[GRADIENT, k] - slower * scratch[WEIGHTS, k]
            stored[row, first + k] = min(max(z, -most), most)
    stored[row, column] = count


@kernel
def learn(
    rule: int,
    settings: Floats,
    user: int,
    ring: Longs,
    n_acted: int,
    recent: int,
    items_meta: LongTable,
    rows: Ints,
    seen: FloatTable,
    n: int,
    taste: bool,
    overall: SingleTable,
    people: SingleTable,
    things: SingleTable,
    sigmoids: Floats,
    scratch: FloatTable,
) -> None:
    """Learn from ``n`` observations of one person: ``seen``: 1 is acted on, 0 is left, or a value; and weights.

    Without ``taste`` only biases move.
    """
    norm = person(
        rule, settings, user, ring, n_acted, recent, items_meta, people, things, scratch,
    )  # fmt: skip
    factors = scratch.shape[1]
    for k in range(factors):
        scratch[PULL, k] = 0.0
    memory = _MOST_CURVATURE
    pull = 0.0
    for o in range(n):
        row = rows[o]
        take(rule, settings, things, row, OF_ITEM, SQUARES, scratch, Q)
        score = weight_of(
            rule, settings, np.float64(overall[0, BIAS]), np.float64(overall[0, CURVATURE])
        ) + weight_of(rule, settings, np.float64(people[user, BIAS]), np.float64(people[user, CURVATURE]))
        score += weight_of(rule, settings, np.float64(things[row, BIAS]), np.float64(things[row, CURVATURE]))
        length = 0.0
        mine = 0.0
        for k in range(factors):
            score += scratch[X, k] * scratch[Q, k]
            length += scratch[Q, k] * scratch[Q, k]
            mine += scratch[X, k] * scratch[X, k]
        if rule == PASSIVE_AGGRESSIVE:
            if settings[TARGET] > 0.0:
                side = 1.0 if seen[0, o] > score else -1.0
                loss = side * (seen[0, o] - score) - _NEAR
            else:
                side = 1.0 if seen[0, o] > 0.5 else -1.0
                loss = 1.0 - side * score
            if loss <= 0.0:
                continue
            squared = 3.0 + mine + length * (2.0 if norm > 0.0 else 1.0)
            gradient = side * min(settings[STEP] * seen[1, o], loss / squared)
            curvature = seen[1, o]
        elif settings[TARGET] > 0.0:
            # In units in which an observation is worth what one of an average chance is: `strength` means the same.
            # Values lie within 1, so an error of more than 2 is the model's own: it pulls no harder.
            pull = seen[1, o] * min(max(seen[0, o] - score, -2.0), 2.0)
            gradient = pull if rule == FTRL else _VARIANCE * pull
            curvature = _VARIANCE * seen[1, o]
            # People's moods change within a sitting, and with them what a star means.
            memory = _VARIANCE * recent
        else:
            chance = sigmoid(score, sigmoids)
            gradient = seen[1, o] * (seen[0, o] - chance)
            curvature = seen[1, o] * chance * (1.0 - chance)
        smoothing = settings[SMOOTHING]
        move_bias(rule, settings, overall, 0, gradient, curvature, 1.0, _MOST_CURVATURE)
        move_bias(rule, settings, people, user, gradient, curvature, smoothing, memory)
        move_bias(rule, settings, things, row, gradient, curvature, smoothing, _MOST_CURVATURE)
        if settings[TARGET] > 0.0 and rule == SGD:
            # A Newton step knows no unit; AdaGrad starts from one.
            gradient = pull
        if not taste:
            continue
        take(rule, settings, people, user, OF_PERSON, SQUARES, scratch, WEIGHTS)
        for k in range(factors):
            scratch[PULL, k] += gradient * scratch[Q, k]
            scratch[GRADIENT, k] = gradient * scratch[Q, k]
        move_vector(rule, settings, people, user, OF_PERSON, SQUARES, scratch)
        for k in range(factors):
            scratch[WEIGHTS, k] = scratch[Q, k]
            scratch[GRADIENT, k] = gradient * scratch[X, k]
        move_vector(rule, settings, things, row, OF_ITEM, SQUARES, scratch)
    if norm == 0.0 or not taste:
        return
    for back in range(min(min(ring[0], n_acted), recent)):
        key = ring[_HEAD + 2 * ((ring[0] - 1 - back) % n_acted)]
        item = (key >> 8) & 0xFFFFFF
        if key >= 0 and items_meta[item, _GENERATION] == key >> 32:
            take(rule, settings, things, item, OF_ITEM + factors, FACE_SQUARES, scratch, WEIGHTS)
            for k in range(factors):
                scratch[GRADIENT, k] = norm * scratch[PULL, k]
            move_vector(rule, settings, things, item, OF_ITEM + factors, FACE_SQUARES, scratch)


@kernel
def count(overall: SingleTable, column: int, n: int) -> None:
    """Count negatives of one sort; beyond a million both sorts are halved, so that the newest say what is usual."""
    overall[0, column] += n
    if overall[0, column] > _MOST_COUNTED:
        overall[0, DRAWN] *= 0.5
        overall[0, LEFT] *= 0.5


@kernel
def is_in(ring: Longs, start: int, n: int, identity: int, since: int) -> int:
    """How many entries of a ring are of an item (see ``rings``), not before a time."""
    found = 0
    for i in range(n):
        place = start + 2 * i
        if ring[place] >= 0 and ring[place] >> 8 == identity and ring[place + 1] >= since:
            found += 1
    return found


@bound_kernel("user", "row", "label", "amount", "seed")
def act(
    rule: int,
    settings: Floats,
    user: int,
    rings: LongTable,
    n_acted: int,
    n_shown: int,
    recent: int,
    items_meta: LongTable,
    row: int,
    label: float,
    amount: float,
    n_negatives: int,
    seed: int,
    popular: Longs,
    rows: Ints,
    seen: FloatTable,
    overall: SingleTable,
    people: SingleTable,
    things: SingleTable,
    sigmoids: Floats,
    scratch: FloatTable,
) -> None:
    """Learn from an interaction, and from popular items that it was not with.

    Repeating what is still in the person's ring counts less and less, so that nobody's flood moves an item far.
    ``popular``: [number ever, keys of the newest items that were acted on]. Where a value is learnt, ``label`` is the
    value, and what has none teaches nothing.
    """
    ring = rings[user]
    identity = (items_meta[row, _GENERATION] << 24) | row
    rows[0] = row
    seen[0, 0] = label
    seen[1, 0] = amount / (1.0 + is_in(ring, _HEAD, n_acted, identity, -(1 << 62)))
    n = 1
    held = min(popular[0], popular.shape[0] - 1)
    liked = settings[TARGET] == 0.0 and label > 0.5
    if held > 0 and liked and is_in(ring, _HEAD + 2 * n_acted, n_shown, identity, -(1 << 62)) == 0:
        for _ in range(n_negatives):
            seed = draw(seed)
            other = popular[1 + (seed >> 8) % held]
            item = other & 0xFFFFFF
            if (
                other != identity
                and items_meta[item, _GENERATION] == other >> 24
                and is_in(ring, _HEAD, n_acted, other, -(1 << 62)) == 0
            ):
                rows[n] = item
                seen[0, n] = 0.0
                seen[1, n] = seen[1, 0]
                n += 1
    learn(
        rule, settings, user, ring, n_acted, recent, items_meta, rows, seen, n, True, overall, people, things,
        sigmoids, scratch,
    )  # fmt: skip
    count(overall, DRAWN, n - 1)
    if liked:
        popular[1 + popular[0] % (popular.shape[0] - 1)] = identity
        popular[0] += 1


@bound_kernel("at", "user", "rows")
def wait(
    at: int,
    user: int,
    rows: Ints,
    users_meta: LongTable,
    items_meta: LongTable,
    waiting: Longs,
    heads: LongTable,
    shown: LongTable,
) -> None:
    """Remember the top of a slate until its labels are due (see `ripen`); there is room."""
    place = (waiting[0] + waiting[1]) % heads.shape[0]
    n = min(rows.shape[0], shown.shape[1])
    heads[place, 0] = at
    heads[place, 1] = user
    heads[place, 2] = users_meta[user, _GENERATION]
    heads[place, 3] = n
    for i in range(n):
        item = np.int64(rows[i])
        shown[place, i] = (items_meta[item, _GENERATION] << 24) | item
    waiting[1] += 1


@bound_kernel("clock")
def ripen(
    rule: int,
    settings: Floats,
    clock: int,
    after: int,
    waiting: Longs,
    heads: LongTable,
    shown: LongTable,
    rings: LongTable,
    n_acted: int,
    recent: int,
    users_meta: LongTable,
    items_meta: LongTable,
    rows: Ints,
    seen: FloatTable,
    overall: SingleTable,
    people: SingleTable,
    things: SingleTable,
    sigmoids: Floats,
    scratch: FloatTable,
) -> None:
    """Learn from the slates that are old enough, or must make room: what was not acted on was left.

    ``waiting``: [place of the oldest, number]. ``heads``: (time, user row, its generation, number of items) of each,
    ``shown``: identities of its items. What was acted on was learnt when it happened. A slate of which nothing was
    acted on may not have been looked at: it says nothing about taste.
    """
    while waiting[1] > 0:
        oldest = waiting[0]
        at = heads[oldest, 0]
        if at + after > clock and waiting[1] < heads.shape[0]:
            break
        waiting[0] = (oldest + 1) % heads.shape[0]
        waiting[1] -= 1
        user = heads[oldest, 1]
        if users_meta[user, _GENERATION] != heads[oldest, 2]:
            continue
        n = 0
        acted = False
        for i in range(heads[oldest, 3]):
            identity = shown[oldest, i]
            item = identity & 0xFFFFFF
            if items_meta[item, _GENERATION] == identity >> 24:
                if is_in(rings[user], _HEAD, n_acted, identity, at) > 0:
                    acted = True
                else:
                    rows[n] = item
                    seen[0, n] = 0.0
                    seen[1, n] = 1.0
                    n += 1
        count(overall, LEFT, n)
        learn(
            rule, settings, user, rings[user], n_acted, recent, items_meta, rows, seen, n, acted, overall,
            people, things, sigmoids, scratch,
        )  # fmt: skip


@kernel
def read_model(
    out: FloatTable,
    rows: Ints,
    plan: IntTable,
    rule: int,
    settings: Floats,
    user: int,
    ring: Longs,
    n_acted: int,
    recent: int,
    items_meta: LongTable,
    overall: SingleTable,
    people: SingleTable,
    things: SingleTable,
    scratch: FloatTable,
) -> None:
    """What the model says of the candidates; ``plan`` holds (what, column).

    Where a value is learnt, score, taste and bias are in its units.

    What: 0 score, 1 taste (q · x), 2 bias of the item, 3 cosine with the person, 4 with their newest item, 5 mean over
    their recent items. A score is there for everybody; the rest is NaN where the item or the person is unknown.
    """
    factors = scratch.shape[1]
    half = settings[HALF]
    base = weight_of(rule, settings, np.float64(overall[0, BIAS]), np.float64(overall[0, CURVATURE]))
    mine = 0.0
    n_recent = 0
    for k in range(factors):
        scratch[X, k] = 0.0
        scratch[PULL, k] = 0.0
        scratch[GRADIENT, k] = 0.0
    if user >= 0:
        base += weight_of(rule, settings, np.float64(people[user, BIAS]), np.float64(people[user, CURVATURE]))
        person(
            rule, settings, user, ring, n_acted, recent, items_meta, people, things, scratch,
        )  # fmt: skip
        for k in range(factors):
            mine += scratch[X, k] * scratch[X, k]
        for back in range(min(min(ring[0], n_acted), recent)):
            key = ring[_HEAD + 2 * ((ring[0] - 1 - back) % n_acted)]
            item = (key >> 8) & 0xFFFFFF
            if key >= 0 and items_meta[item, _GENERATION] == key >> 32:
                take(rule, settings, things, item, OF_ITEM, SQUARES, scratch, WEIGHTS)
                length = 0.0
                for k in range(factors):
                    length += scratch[WEIGHTS, k] * scratch[WEIGHTS, k]
                n_recent += 1
                if length > 0.0:
                    for k in range(factors):
                        unit = scratch[WEIGHTS, k] / math.sqrt(length)
                        scratch[PULL, k] += unit
                        if n_recent == 1:
                            scratch[GRADIENT, k] = unit
    for c in range(rows.shape[0]):
        row = rows[c]
        score = base
        taste = np.nan
        bias = np.nan
        cosine = np.nan
        with_last = np.nan
        with_mean = np.nan
        if row >= 0:
            bias = weight_of(
                rule, settings, np.float64(things[row, BIAS]), np.float64(things[row, CURVATURE])
            )
            score += bias
            if user >= 0:
                take(rule, settings, things, row, OF_ITEM, SQUARES, scratch, Q)
                dot = 0.0
                length = 0.0
                last = 0.0
                mean = 0.0
                for k in range(factors):
                    q = scratch[Q, k]
                    dot += q * scratch[X, k]
                    length += q * q
                    last += q * scratch[GRADIENT, k]
                    mean += q * scratch[PULL, k]
                score += dot
                taste = dot
                if length > 0.0:
                    if mine > 0.0:
                        cosine = dot / math.sqrt(length * mine)
                    if n_recent > 0:
                        with_last = last / math.sqrt(length)
                        with_mean = mean / (math.sqrt(length) * n_recent)
        if settings[TARGET] > 0.0:
            score = settings[MIDDLE] + half * min(max(score, -1.0), 1.0)
        for p in range(plan.shape[0]):
            what = plan[p, 0]
            value = score
            if what == 1:
                value = taste * half
            elif what == 2:
                value = bias * half
            elif what == 3:
                value = cosine
            elif what == 4:
                value = with_last
            elif what == 5:
                value = with_mean
            out[c, plan[p, 1]] = value


@kernel
def is_learnt(things: SingleTable, row: int) -> bool:
    """Whether anything was learnt of an item: else its vector is drawn by chance, and so would be its score."""
    learnt = False
    for place in range(OF_ITEM):
        learnt |= things[row, place] != 0.0
    return learnt


@kernel
def score_all(
    n_items: int,
    rule: int,
    settings: Floats,
    x: Floats,
    things: SingleTable,
    blocked: Octets,
    out: Floats,
) -> None:
    """What tells the scores of items apart for a person with vector ``x``: bias and q · x; shape (items,).

    What is ``blocked`` is left as it was; of what nothing was learnt, it is -inf.
    """
    for row in range(n_items):
        if blocked[row] != 0:
            continue
        if not is_learnt(things, row):
            out[row] = -np.inf
            continue
        dot = 0.0
        if rule == FTRL:
            for k in range(x.shape[0]):
                stored = np.float64(things[row, OF_ITEM + k])
                if abs(stored) > settings[L1]:
                    dot += (stored - settings[L1] if stored > 0.0 else stored + settings[L1]) * x[k]
            count = np.float64(things[row, SQUARES])
            dot = -dot / ((_BETA + math.sqrt(count)) / settings[STEP] + settings[L2])
        else:
            for k in range(x.shape[0]):
                dot += np.float64(things[row, OF_ITEM + k]) * x[k]
        bias = weight_of(rule, settings, np.float64(things[row, BIAS]), np.float64(things[row, CURVATURE]))
        out[row] = bias + dot


@kernel
def item_vectors(
    rows: Ints, rule: int, settings: Floats, things: SingleTable, scratch: FloatTable, out: SingleTable
) -> None:
    """Vectors of items, each of length 1, or 0 where it never moved from where chance put it; shape (N, factors)."""
    factors = scratch.shape[1]
    for i in range(rows.shape[0]):
        if things[rows[i], SQUARES] == 0.0:
            for k in range(factors):
                out[i, k] = np.float32(0.0)
            continue
        take(rule, settings, things, rows[i], OF_ITEM, SQUARES, scratch, Q)
        length = 0.0
        for k in range(factors):
            length += scratch[Q, k] * scratch[Q, k]
        for k in range(factors):
            out[i, k] = np.float32(scratch[Q, k] / math.sqrt(length)) if length > 0.0 else np.float32(0.0)


@kernel
def item_weights(
    rows: Ints, rule: int, settings: Floats, things: SingleTable, scratch: FloatTable, out: SingleTable
) -> None:
    """What `score_all` multiplies: weights of items' vectors and, behind them, their biases; shape (N, factors + 1)."""
    factors = scratch.shape[1]
    for i in range(rows.shape[0]):
        row = rows[i]
        take(rule, settings, things, row, OF_ITEM, SQUARES, scratch, Q)
        for k in range(factors):
            out[i, k] = np.float32(scratch[Q, k])
        out[i, factors] = np.float32(
            weight_of(rule, settings, np.float64(things[row, BIAS]), np.float64(things[row, CURVATURE]))
        )


@kernel
def which_are_learnt(rows: Ints, things: SingleTable, out: Octets) -> None:
    """1 for each of ``rows`` that `is_learnt`; shape (N,)."""
    for i in range(rows.shape[0]):
        out[i] = 1 if is_learnt(things, rows[i]) else 0
