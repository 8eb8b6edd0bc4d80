"""Window count and window rate: what happened in the last buckets of the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.declarations.paths import IMPRESSION
from eddyline_features.declarations.scopes import (
    GLOBAL,
    OF_CONTEXT,
    OF_ITEM,
    OF_SESSION,
    OF_USER,
    OF_USER_FIELD,
    OF_VALUES,
)
from eddyline_features.declarations.windows import WindowCount, WindowRate
from eddyline_features.entities import LAST_SEEN, Table
from eddyline_features.group_table import GroupTable, places_for, places_of
from eddyline_features.kernel import (
    Floats,
    FloatTable,
    Ints,
    IntTable,
    Longs,
    LongTable,
    Singles,
    SingleTable,
)
from eddyline_features.kinds.counts import feature_columns
from eddyline_features.kinds.kind import Acted, Kind, Shown, Tables
from eddyline_features.kinds.left_sides import LeftSides
from eddyline_features.kinds.rates import MOST, MOST_VALUED
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved
from eddyline_features.values import NEVER, Values
from eddyline_features.window_rings import (
    ON_ALL,
    ON_GROUPS,
    ON_ITEM,
    ON_SESSION,
    ON_USER,
    ON_VALUES,
    push,
    read_windows,
)

_SCOPES = {OF_ITEM: ON_ITEM, OF_VALUES: ON_VALUES, OF_USER: ON_USER, OF_SESSION: ON_SESSION, GLOBAL: ON_ALL}
_BY_GROUP = (OF_USER_FIELD, OF_CONTEXT)
_USER, _SESSION, _GROUPS = (scope - ON_ALL for scope in (ON_USER, ON_SESSION, ON_GROUPS))
"""Places in ``who``, see ``window_rings``."""


@dataclass
class _Track:
    """What is counted for one scope, by one kind of bucket."""

    scope: str
    of: tuple[str, ...]
    bucket_ms: int
    offset_ms: int
    valued: bool
    first: int
    """First place of the field, for values; index of the left side, for groups."""
    kept: int = 1
    """Buckets."""
    n_rows: int = 1
    counts_at: int = 0
    heads_at: int = 0

    def same(self, other: _Track) -> bool:
        """Whether one of them will do for both."""
        return (self.scope, self.of, self.bucket_ms, self.offset_ms, self.valued, self.first) == (
            other.scope,
            other.of,
            other.bucket_ms,
            other.offset_ms,
            other.valued,
            other.first,
        )


def _asked(feature: WindowCount | WindowRate) -> list[tuple[str, tuple[str, ...], bool]]:
    """Scope, actions and whether with values: of what is counted, then of what it is for each of; then of all."""
    if isinstance(feature, WindowCount):
        return [(feature.by, feature.of, feature.value)]
    return [
        (by, of, valued)
        for by in (feature.by, GLOBAL)
        for of, valued in ((feature.actions, feature.value), (feature.per, False))
    ]


class Windows(Kind):
    """Columns by buckets of the calendar. Nobody and nothing known has a count of 0 and the overall rate."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, WindowCount | WindowRate]]) -> None:
        self._tracks: list[_Track] = []
        rows: list[list[int]] = []
        periods: list[int] = []
        columns: list[int] = []
        self._lefts = LeftSides(plan)
        for column, feature in features:
            plan.sessions |= feature.by == OF_SESSION
            first = -1
            if feature.field is not None:
                in_groups = feature.by in _BY_GROUP
                places = self._lefts.index if in_groups else lambda _, field: plan.value_places(field)
                first = places(feature.by, feature.field)
            found = [
                self._track(feature, by, of, valued, -1 if by == GLOBAL else first)
                for by, of, valued in _asked(feature)
            ]
            rows.append([*found, *[-1] * (4 - len(found)), len(periods), len(feature.periods)])
            width = len(feature.reduce) if feature.by == OF_VALUES else 1
            for period in sorted(feature.periods):
                start = column + feature.periods.index(period) * width
                periods.append(period)
                columns += feature_columns(start, 0, feature.reduce if feature.by == OF_VALUES else ("mean",))
        limits = plan.view.limits
        self._lefts.reserve()
        self._groups = GroupTable(limits.groups if len(self._lefts) else 0, 0)
        n_groups = len(self._groups.keys)
        n_rows = {
            OF_ITEM: limits.items,
            OF_VALUES: limits.values,
            OF_USER: limits.users,
            OF_SESSION: limits.sessions if plan.sessions else 1,
            GLOBAL: 1,
            **dict.fromkeys(_BY_GROUP, n_groups),
        }
        n_counts = n_heads = 0
        for track in self._tracks:
            track.n_rows = n_rows[track.scope]
            track.counts_at, track.heads_at = n_counts, n_heads
            n_counts += track.n_rows * track.kept
            n_heads += track.n_rows
        self._counts: Singles = reserved(n_counts, np.float32)
        self._heads: Longs = reserved(n_heads, np.int64)
        """By track and row: the newest bucket that anything was added to."""
        self._table: LongTable = np.array(
            [
                [
                    ON_GROUPS + track.first if track.scope in _BY_GROUP else _SCOPES[track.scope],
                    track.bucket_ms, track.offset_ms, track.kept,
                    track.counts_at, track.heads_at, track.first, plan.width,
                ]
                for track in self._tracks
            ],
            np.int64,
        )  # fmt: skip
        weights = {IMPRESSION: 1.0} | {name: action.weight for name, action in plan.view.actions.items()}
        self._amounts: FloatTable = np.array(
            [
                [weight if name in track.of else 0.0 for track in self._tracks]
                for name, weight in weights.items()
            ]
        )
        self._group_tracks = [
            [track for track in self._tracks if track.scope in _BY_GROUP and track.first == left]
            for left in range(len(self._lefts))
        ]
        self._counts_groups: IntTable = np.array(
            [
                [int(any(name in track.of and weight for track in tracks)) for tracks in self._group_tracks]
                for name, weight in weights.items()
            ],
            np.int32,
        )
        self._who: Longs = np.zeros(_GROUPS + len(self._lefts), np.int64)
        self._who_seen: Longs = np.zeros_like(self._who)
        self._new: Ints = np.zeros(len(self._lefts), np.int32)
        self._valued: Ints = np.array([int(track.valued) for track in self._tracks], np.int32)
        self._plan: LongTable = np.array(rows, np.int64)
        self._periods: Longs = np.array(periods, np.int64)
        self._columns: LongTable = np.array(columns, np.int64).reshape(-1, 2)
        self._strengths: Floats = np.array([getattr(feature, "strength", 0.0) for _, feature in features])
        self._most: Floats = np.array([MOST_VALUED if feature.value else MOST for _, feature in features])
        self._ttls: Longs = np.array([feature.ttl_ms for _, feature in features], np.int64)
        most_periods = max(len(feature.periods) for _, feature in features)
        self._sums: FloatTable = np.zeros((2, most_periods))
        self._bases: Floats = np.zeros(most_periods)
        self._one: Ints = np.zeros(1, np.int32)
        for track in self._of(GLOBAL):
            self._begin(track, 0)

    def _track(
        self, feature: WindowCount | WindowRate, by: str, of: tuple[str, ...], valued: bool, first: int
    ) -> int:
        """Index of a track that keeps as many buckets, at least."""
        wanted = _Track(by, tuple(sorted(of)), feature.bucket_ms, feature.offset_ms, valued, first)
        index = next((i for i, track in enumerate(self._tracks) if track.same(wanted)), len(self._tracks))
        if index == len(self._tracks):
            self._tracks.append(wanted)
        track = self._tracks[index]
        track.kept = max(track.kept, *feature.periods)
        return index

    def _of(self, scope: str) -> list[_Track]:
        return [track for track in self._tracks if track.scope == scope]

    def _begin(self, track: _Track, row: int) -> None:
        self._heads[track.heads_at + row] = NEVER
        start = track.counts_at + row * track.kept
        self._counts[start : start + track.kept] = 0.0

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._tables = tables
        self._lefts.bind(tables)
        self._add = push.bind(
            amounts=self._amounts,
            valued=self._valued,
            tracks=self._table,
            item_values=tables.items.values,
            who=self._who,
            heads=self._heads,
            counts=self._counts,
        )
        self._places_for = places_for.bind(
            counts=self._counts_groups,
            lefts=self._lefts.held,
            keys=self._groups.keys,
            groups=self._groups.groups,
            places=self._who[_GROUPS:],
            new=self._new,
        )
        self._begins = {scope: self._of(scope) for scope in _SCOPES}
        self._rows_of: dict[str, Table | Values] = {
            OF_ITEM: tables.items,
            OF_VALUES: tables.values,
            OF_USER: tables.users,
            OF_SESSION: tables.sessions,
        }

    def begin_item(self, row: int) -> None:
        """As `Kind.begin_item`."""
        for track in self._begins[OF_ITEM]:
            self._begin(track, row)

    def begin_value(self, code: int) -> None:
        """As `Kind.begin_value`."""
        for track in self._begins[OF_VALUES]:
            self._begin(track, code)

    def begin_user(self, row: int) -> None:
        """As `Kind.begin_user`."""
        self._lefts.begin_user(row)
        for track in self._begins[OF_USER]:
            self._begin(track, row)

    def begin_session(self, row: int) -> None:
        """As `Kind.begin_session`."""
        for track in self._begins[OF_SESSION]:
            self._begin(track, row)

    def slate(self, shown: Shown) -> None:
        """Count what was shown."""
        if len(self._lefts):
            self._lefts.know(shown.user, shown.event.context)
            self._lefts.keep(shown.user)
        self._push(shown.at, 0, 1.0, shown.rows, shown.user, shown.session)

    def interaction(self, acted: Acted) -> None:
        """Count what was done."""
        if acted.action >= 0:
            if len(self._lefts):
                self._lefts.know(acted.user, None)
            self._one[0] = acted.row
            self._push(acted.at, acted.action, acted.value, self._one, acted.user, acted.session)

    def _push(self, at: int, action: int, value: float, rows: Ints, user: int, session: int) -> None:
        who = self._who
        who[_USER] = user
        who[_SESSION] = session
        if len(self._lefts):
            self._places_for(at, action)
            for left in self._new.nonzero()[0].tolist():
                for track in self._group_tracks[left]:
                    self._begin(track, int(who[_GROUPS + left]))
        self._add(at, action, value, rows)

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        user, session = reading.user, reading.session
        who, seen = self._who, self._who_seen
        who[_USER] = user
        who[_SESSION] = session
        seen[_USER] = reading.users.meta[user, LAST_SEEN] if user >= 0 else NEVER
        seen[_SESSION] = reading.sessions.meta[session, LAST_SEEN] if session >= 0 else NEVER
        if len(self._lefts):
            self._lefts.know(user, reading.context)
            seen[_GROUPS:] = NEVER
            groups = self._groups
            places_of(self._lefts.held, groups.keys, groups.groups, who[_GROUPS:], seen[_GROUPS:])
        read_windows(
            out,
            reading.rows,
            reading.at,
            reading.items.meta,
            reading.items.values,
            reading.values.seen,
            who,
            seen,
            self._table,
            self._heads,
            self._counts,
            self._plan,
            self._periods,
            self._columns,
            self._strengths,
            self._most,
            self._ttls,
            self._sums,
            self._bases,
        )

    def save(self) -> list[bytes]:
        """Rings of rows in use, by track; of groups in use, and the last contexts."""
        saved = [as_bytes(part) for track in self._of_tables() for part in self._parts(track)]
        if len(self._lefts):
            saved += [*self._groups.save(), self._lefts.save()]
            saved += [
                as_bytes(table[places])
                for left, tracks in enumerate(self._group_tracks)
                for places in (self._groups.places_of_spec(left),)
                for track in tracks
                for table in self._rings(track)
            ]
        return saved

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        parts = [part for track in self._of_tables() for part in self._parts(track)]
        for part, raw in zip(parts, saved[: len(parts)], strict=True):
            fill(part, raw)
        if len(self._lefts):
            *of_table, contexts = saved[len(parts) : len(parts) + 4]
            self._groups.load(of_table)
            self._lefts.load(contexts)
            rings = iter(saved[len(parts) + 4 :])
            for left, tracks in enumerate(self._group_tracks):
                places = self._groups.places_of_spec(left)
                for track in tracks:
                    for table in self._rings(track):
                        held = table[places]
                        fill(held, next(rings))
                        table[places] = held

    def _of_tables(self) -> list[_Track]:
        return [track for track in self._tracks if track.scope not in _BY_GROUP]

    def _rings(self, track: _Track) -> tuple[Longs, SingleTable]:
        """By row: the newest bucket, and the ring."""
        counts = self._counts[track.counts_at : track.counts_at + track.n_rows * track.kept]
        return (
            self._heads[track.heads_at : track.heads_at + track.n_rows],
            counts.reshape(track.n_rows, track.kept),
        )

    def _parts(self, track: _Track) -> tuple[Longs, Singles]:
        n = 1 if track.scope == GLOBAL else len(self._rows_of[track.scope])
        return (
            self._heads[track.heads_at : track.heads_at + n],
            self._counts[track.counts_at : track.counts_at + n * track.kept],
        )

    def sizes(self) -> dict[str, float]:
        """Four bytes for each bucket, and eight for the newest."""

        def bytes_of(tracks: Iterable[_Track]) -> float:
            return float(sum(8 + 4 * track.kept for track in tracks))

        words = {OF_ITEM: "item", OF_VALUES: "value", OF_USER: "user", OF_SESSION: "session"}
        sizes = {word: bytes_of(self._of(scope)) for scope, word in words.items()}
        if len(self._lefts):
            sizes["user"] += self._lefts.bytes_per_user
            sizes["group"] = self._groups.bytes_each + max(map(bytes_of, self._group_tracks))
        return sizes
