"""Sums by buckets of the calendar, as days: for each row a ring of the newest buckets, of which older ones fall out.

A bucket is a whole number of its lengths since 1970 in local time. Late events go to their bucket while it is kept.
"""

from __future__ import annotations

import numpy as np

from eddyline_features.bound_kernel import bound_kernel
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, Singles, kernel

_LAST_SEEN = 0
NEVER = -(2**62)

ON_ITEM, ON_VALUES, ON_ALL, ON_USER, ON_SESSION, ON_GROUPS = range(6)
"""Whose rows a track has. From ``ON_ALL`` on an event is of one row for all its items: ``who[scope - ON_ALL]``, -1 for
nobody; from ``ON_GROUPS`` on, of groups by one field after the other (see ``group_table``)."""

SCOPE, BUCKET, OFFSET, KEPT, COUNTS, HEADS, FIRST, PLACES = range(8)
"""Columns of the table of tracks: a track is what is counted in one scope by one kind of bucket.

``KEPT``: buckets of each row. ``COUNTS``, ``HEADS``: where its rings, and the rows' newest buckets, begin. ``FIRST``,
``PLACES``: where the values of its field are."""


@kernel
def put(heads: Longs, counts: Singles, head: int, first: int, kept: int, bucket: int, add: float) -> None:
    """Add to a bucket of one ring, of which the newest ``kept`` are there; what is older is over.

    A place holds the sum of its bucket and all kept ones before it, so that any period is one difference.
    """
    newest = heads[head]
    if bucket > newest:
        steps = min(bucket - newest, kept)
        # In the place of the newest bucket that falls out is what the others begin with.
        over = counts[first + (newest + steps) % kept]
        total = counts[first + newest % kept]
        for place in range(first, first + kept):
            counts[place] -= over
        for back in range(steps):
            counts[first + (bucket - back) % kept] = total - over
        heads[head] = newest = bucket
    elif bucket <= newest - kept:
        return
    for later in range(bucket, newest + 1):
        place = first + later % kept
        counts[place] = np.float32(float(counts[place]) + add)


@bound_kernel("at", "action", "value", "rows")
def push(
    at: int,
    action: int,
    value: float,
    amounts: FloatTable,
    valued: Ints,
    tracks: LongTable,
    rows: Ints,
    item_values: IntTable,
    who: Longs,
    heads: Longs,
    counts: Singles,
) -> None:
    """Count one event of the items in ``rows`` in all tracks; ``amounts``, shape (actions, tracks)."""
    for t in range(tracks.shape[0]):
        add = amounts[action, t]
        if valued[t] != 0:
            add *= value
        if add == 0.0:
            continue
        scope = tracks[t, SCOPE]
        kept = tracks[t, KEPT]
        bucket = (at + tracks[t, OFFSET]) // tracks[t, BUCKET]
        first = tracks[t, COUNTS]
        head = tracks[t, HEADS]
        if scope == ON_ITEM:
            for i in range(rows.shape[0]):
                row = int(rows[i])
                put(heads, counts, head + row, first + row * kept, kept, bucket, add)
        elif scope == ON_VALUES:
            for i in range(rows.shape[0]):
                for place in range(tracks[t, FIRST], tracks[t, FIRST] + tracks[t, PLACES]):
                    code = int(item_values[rows[i], place])
                    if code >= 0:
                        put(heads, counts, head + code, first + code * kept, kept, bucket, add)
        else:
            row = int(who[scope - ON_ALL])
            if row >= 0:
                put(heads, counts, head + row, first + row * kept, kept, bucket, add * rows.shape[0])


@kernel
def read_windows(
    out: FloatTable,
    rows: Ints,
    at: int,
    meta: LongTable,
    item_values: IntTable,
    value_seen: Longs,
    who: Longs,
    who_seen: Longs,
    tracks: LongTable,
    heads: Longs,
    counts: Singles,
    plan: LongTable,
    periods: Longs,
    columns: LongTable,
    strengths: Floats,
    most: Floats,
    ttls: Longs,
    sums: FloatTable,
    bases: Floats,
) -> None:
    """Counts and rates of the last buckets.

    ``who``, ``who_seen``: rows for all candidates, as in `push`, and their newest events (ms), `NEVER` for nobody.

    ``plan`` holds (track of what is counted, of impressions or -1 for a count, the same two of all together, where its
    ``periods`` begin, number of them). ``columns``, shape (all periods, 2): of the mean (or the only one), and of the
    max; -1 where there is none. ``sums``, shape (2, periods), and ``bases``, shape (periods,): scratch.
    """
    if rows.shape[0] == 0:
        return
    for p in range(plan.shape[0]):
        per = plan[p, 1]
        start = plan[p, 4]
        n = plan[p, 5]
        scope = tracks[plan[p, 0], SCOPE]
        bucket = (at + tracks[plan[p, 0], OFFSET]) // tracks[plan[p, 0], BUCKET]
        for k in range(n):
            bases[k] = 0.0
        candidates = rows.shape[0] if scope == ON_ITEM or scope == ON_VALUES else 1  # noqa: SIM109
        # First, as -1, all together: whose rate the others are smoothed towards.
        for i in range(-1 if per >= 0 else 0, candidates):
            acted = plan[p, 0] if i >= 0 else plan[p, 2]
            shown = per if i >= 0 else plan[p, 3]
            row = 0
            first = 0
            last = 1
            if i >= 0:
                seen = at
                if scope == ON_ITEM:
                    row = int(rows[i])
                    seen = meta[row, _LAST_SEEN] if row >= 0 else NEVER
                elif scope == ON_VALUES:
                    row = int(rows[i])
                    first = tracks[acted, FIRST]
                    last = first + (tracks[acted, PLACES] if row >= 0 else 0)
                elif scope != ON_ALL:
                    row = int(who[scope - ON_ALL])
                    seen = who_seen[scope - ON_ALL]
                elif per >= 0:
                    row = -1
                if ttls[p] > 0 and at - seen > ttls[p]:
                    continue
            n_found = 0
            for place in range(first, last):
                entity = row
                if scope == ON_VALUES and i >= 0:
                    entity = int(item_values[row, place])
                    if entity < 0 or (ttls[p] > 0 and at - value_seen[entity] > ttls[p]):
                        continue
                for side in range(2):
                    track = acted if side == 0 else shown
                    kept = tracks[track, KEPT] if track >= 0 else 1
                    passed = kept
                    if entity >= 0 and track >= 0:
                        passed = bucket - heads[tracks[track, HEADS] + entity]
                    if passed >= kept:
                        for k in range(n):
                            sums[side, k] = 0.0
                        continue
                    start_of_ring = tracks[track, COUNTS] + entity * kept
                    now = bucket % kept
                    newest = now - passed if now >= passed else now - passed + kept
                    total = float(counts[start_of_ring + newest])
                    for k in range(n):
                        period = periods[start + k]
                        if period <= passed:
                            sums[side, k] = 0.0
                        elif period - passed >= kept:
                            sums[side, k] = total
                        else:
                            before = now - period if now >= period else now - period + kept
                            sums[side, k] = total - float(counts[start_of_ring + before])
                for k in range(n):
                    found = sums[0, k]
                    if i < 0:
                        if sums[1, k] > 0.0:
                            bases[k] = max(min(found / sums[1, k], most[p]), -most[p])
                        continue
                    if per >= 0:
                        found = bases[k]
                        if entity >= 0:
                            found = (sums[0, k] + strengths[p] * bases[k]) / (
                                max(sums[1, k], 0.0) + strengths[p]
                            )
                    mean = columns[start + k, 0]
                    best = columns[start + k, 1]
                    if mean >= 0:
                        out[i, mean] = found if n_found == 0 else out[i, mean] + found
                    if best >= 0:
                        out[i, best] = found if n_found == 0 else max(out[i, best], found)
                n_found += 1
            if n_found > 1:
                for k in range(n):
                    if columns[start + k, 0] >= 0:
                        out[i, columns[start + k, 0]] /= n_found
        if scope != ON_ITEM and scope != ON_VALUES:
            for k in range(n):
                for i in range(1, out.shape[0]):
                    out[i, columns[start + k, 0]] = out[0, columns[start + k, 0]]
