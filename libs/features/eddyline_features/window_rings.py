"""Sums by buckets of the calendar, as days: for each row a ring of the newest buckets, of which older ones fall out.

A bucket is a whole number of its lengths since 1970 in local time. Late events go to their bucket while it is kept.
"""

from __future__ import annotations

import numpy as np

from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable, Singles, kernel

_LAST_SEEN = 0
NEVER = -(2**62)

ON_ITEM, ON_VALUES, ON_USER, ON_SESSION, ON_ALL = range(5)
"""Whose rows a track has."""

SCOPE, BUCKET, OFFSET, KEPT, COUNTS, HEADS, FIRST, PLACES = range(8)
"""Columns of the table of tracks. A track is what is counted in one scope by one kind of bucket. So many are ``KEPT`` of
each row; its sums begin at ``COUNTS``, its newest buckets at ``HEADS``; values are in ``PLACES`` from ``FIRST`` on."""


@kernel
def put(heads: Longs, counts: Singles, head: int, first: int, kept: int, bucket: int, add: float) -> None:
    """Add to a bucket of one ring, of which the newest ``kept`` are there; older ones are over."""
    newest = heads[head]
    if bucket > newest:
        for back in range(min(bucket - newest, kept)):
            counts[first + (bucket - back) % kept] = 0.0
        heads[head] = bucket
    elif bucket <= newest - kept:
        return
    place = first + bucket % kept
    counts[place] = np.float32(float(counts[place]) + add)


@kernel
def push(
    at: int,
    action: int,
    value: float,
    amounts: FloatTable,
    valued: Ints,
    tracks: LongTable,
    rows: Ints,
    item_values: IntTable,
    user: int,
    session: int,
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
            row = int(user if scope == ON_USER else session if scope == ON_SESSION else 0)
            if row >= 0:
                put(heads, counts, head + row, first + row * kept, kept, bucket, add * rows.shape[0])


@kernel
def sums(
    heads: Longs,
    counts: Singles,
    tracks: LongTable,
    t: int,
    row: int,
    bucket: int,
    periods: Longs,
    start: int,
    n: int,
    out: Floats,
) -> None:
    """Sums of one row over the last buckets, ``bucket`` included; ``n`` ``periods``, ascending, from ``start`` on."""
    kept = tracks[t, KEPT]
    first = tracks[t, COUNTS] + row * kept
    newest = heads[tracks[t, HEADS] + row]
    back = max(bucket - newest, 0)
    oldest = back + kept
    place = (bucket - back) % kept
    total = 0.0
    for k in range(n):
        last = min(periods[start + k], oldest)
        while back < last:
            total += float(counts[first + place])
            place = place - 1 if place > 0 else kept - 1
            back += 1
        out[k] = total


@kernel
def counts_or_rates(
    heads: Longs,
    counts: Singles,
    tracks: LongTable,
    t: int,
    per: int,
    row: int,
    bucket: int,
    periods: Longs,
    start: int,
    n: int,
    strength: float,
    bases: Floats,
    shown: Floats,
    out: Floats,
) -> None:
    """A row's counts, or where there is a track ``per`` (of impressions) its rates; -1 is nobody."""
    if row < 0:
        for k in range(n):
            out[k] = bases[k]
        return
    sums(heads, counts, tracks, t, row, bucket, periods, start, n, out)
    if per >= 0:
        sums(heads, counts, tracks, per, row, bucket, periods, start, n, shown)
        for k in range(n):
            out[k] = (out[k] + strength * bases[k]) / (shown[k] + strength)


@kernel
def read_windows(
    out: FloatTable,
    rows: Ints,
    at: int,
    meta: LongTable,
    item_values: IntTable,
    value_seen: Longs,
    user: int,
    session: int,
    user_seen: int,
    session_seen: int,
    tracks: LongTable,
    heads: Longs,
    counts: Singles,
    plan: LongTable,
    periods: Longs,
    columns: Longs,
    strengths: Floats,
    most: Floats,
    ttls: Longs,
    found: Floats,
    shown: Floats,
    bases: Floats,
) -> None:
    """Counts and rates of the last buckets.

    ``plan`` holds (track of what is counted, of impressions or -1 for a count, the same two of all together, where its
    ``periods`` and ``columns`` begin, number of them). ``columns`` holds two for each period: of the mean (or the only
    one), and of the max; -1 where there is none. ``found``, ``shown`` and ``bases``: scratch, shape (periods,).
    """
    for p in range(plan.shape[0]):
        t = plan[p, 0]
        per = plan[p, 1]
        start = plan[p, 4]
        n = plan[p, 5]
        scope = tracks[t, SCOPE]
        bucket = (at + tracks[t, OFFSET]) // tracks[t, BUCKET]
        for k in range(n):
            bases[k] = 0.0
        if per >= 0:
            sums(heads, counts, tracks, plan[p, 2], 0, bucket, periods, start, n, found)
            sums(heads, counts, tracks, plan[p, 3], 0, bucket, periods, start, n, shown)
            for k in range(n):
                if shown[k] > 0.0:
                    bases[k] = max(min(found[k] / shown[k], most[p]), -most[p])
        if scope == ON_ITEM:
            for i in range(rows.shape[0]):
                row = int(rows[i])
                if ttls[p] > 0 and (row < 0 or at - meta[row, _LAST_SEEN] > ttls[p]):
                    continue
                counts_or_rates(
                    heads,
                    counts,
                    tracks,
                    t,
                    per,
                    row,
                    bucket,
                    periods,
                    start,
                    n,
                    strengths[p],
                    bases,
                    shown,
                    found,
                )
                for k in range(n):
                    out[i, columns[2 * (start + k)]] = found[k]
        elif scope == ON_VALUES:
            for i in range(rows.shape[0]):
                row = int(rows[i])
                if row < 0:
                    continue
                n_values = 0
                for place in range(tracks[t, FIRST], tracks[t, FIRST] + tracks[t, PLACES]):
                    code = int(item_values[row, place])
                    if code < 0 or (ttls[p] > 0 and at - value_seen[code] > ttls[p]):
                        continue
                    counts_or_rates(
                        heads,
                        counts,
                        tracks,
                        t,
                        per,
                        code,
                        bucket,
                        periods,
                        start,
                        n,
                        strengths[p],
                        bases,
                        shown,
                        found,
                    )
                    for k in range(n):
                        mean = columns[2 * (start + k)]
                        best = columns[2 * (start + k) + 1]
                        if mean >= 0:
                            out[i, mean] = found[k] if n_values == 0 else out[i, mean] + found[k]
                        if best >= 0:
                            out[i, best] = found[k] if n_values == 0 else max(out[i, best], found[k])
                    n_values += 1
                if n_values > 1:
                    for k in range(n):
                        mean = columns[2 * (start + k)]
                        if mean >= 0:
                            out[i, mean] /= n_values
        else:
            row = int(user if scope == ON_USER else session if scope == ON_SESSION else 0)
            seen = user_seen if scope == ON_USER else session_seen
            if ttls[p] > 0 and at - seen > ttls[p]:
                continue
            # The rate of all together is what others are smoothed towards.
            if scope == ON_ALL and per >= 0:
                row = int(-1)
            counts_or_rates(
                heads,
                counts,
                tracks,
                t,
                per,
                row,
                bucket,
                periods,
                start,
                n,
                strengths[p],
                bases,
                shown,
                found,
            )
            for k in range(n):
                for i in range(out.shape[0]):
                    out[i, columns[2 * (start + k)]] = found[k]
