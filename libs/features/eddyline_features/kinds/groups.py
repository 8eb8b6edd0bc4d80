"""Counts and rates of what has no row: values of users' and contexts' fields, and pairs of these with items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddyline_features import decay
from eddyline_features.declarations.count import Count
from eddyline_features.declarations.cross_rate import CrossRate
from eddyline_features.declarations.paths import IMPRESSION
from eddyline_features.declarations.rate import Rate
from eddyline_features.group_table import (
    COUNT,
    CROSS_RATE,
    ITEM_SIDE,
    NO_SIDE,
    RATE,
    GroupTable,
    read_groups,
    rescale_groups,
    tally_groups,
)
from eddyline_features.kernel import Floats, Ints
from eddyline_features.kernel import FloatTable as Columns
from eddyline_features.kinds.counts import feature_columns
from eddyline_features.kinds.kind import Acted, Kind, Shown, Tables
from eddyline_features.kinds.left_sides import LeftSides
from eddyline_features.kinds.rates import MOST, MOST_VALUED
from eddyline_features.plan import Counters, Plan
from eddyline_features.reading import Reading


class Groups(Kind):
    """Columns by a field of the user or the context. Who is unknown has a count of 0, and the rate without them."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Count | Rate | CrossRate]]) -> None:
        self._lefts = LeftSides(plan)
        layouts: dict[tuple[int, str | None], tuple[list[int], Counters]] = {}
        """By left side and the item's field ("" is the item, None no second side)."""
        rows: list[list[int]] = []
        strengths: list[float] = []
        most: list[float] = []
        ttls: list[int] = []
        for column, feature in features:
            scope, field = (
                (feature.by[0], feature.left)
                if isinstance(feature, CrossRate)
                else (feature.by, feature.field or "")
            )
            left = self._lefts.index(scope, field)
            right = (feature.right or "") if isinstance(feature, CrossRate) else None
            side = NO_SIDE if right is None else plan.value_places(right) if right else ITEM_SIDE
            spec = list(layouts).index((left, right)) if (left, right) in layouts else len(layouts)
            _, own = layouts.setdefault((left, right), ([left, side, plan.width], plan.new_counters()))
            reduce = feature.reduce if right else ("mean",)
            for at, half_life in enumerate(feature.half_lives):
                is_count = isinstance(feature, Count)
                of = feature.of if isinstance(feature, Count) else feature.actions
                counters = [own.column(of, half_life, feature.value), -1]
                everybody = [-1, -1]
                if not is_count:
                    per = feature.per if isinstance(feature, Rate) else (IMPRESSION,)
                    counters[1] = own.column(per, half_life)
                    everybody = [
                        plan.counters.column(of, half_life, feature.value),
                        plan.counters.column(per, half_life),
                    ]
                what = COUNT if is_count else RATE if right is None else CROSS_RATE
                columns = feature_columns(column, at, reduce)
                rows.append(
                    [
                        what,
                        *columns,
                        left,
                        spec,
                        side,
                        plan.width,
                        *counters,
                        plan.half_life(half_life),
                        *everybody,
                    ]
                )
                strengths.append(0.0 if isinstance(feature, Count) else feature.strength)
                most.append(MOST_VALUED if feature.value else MOST)
                ttls.append(feature.ttl_ms)
        self._plan = np.array(rows, np.int32)
        self._strengths, self._most = np.array(strengths, np.float64), np.array(most, np.float64)
        self._ttls = np.array(ttls, np.int64)
        own_counters = [own for _, own in layouts.values()]
        self._amounts: Columns = np.ascontiguousarray(np.hstack([own.amounts() for own in own_counters]))
        self._valued: Ints = np.concatenate([own.valued() for own in own_counters])
        self._half_life_of: Ints = np.concatenate([own.half_life_of() for own in own_counters])
        first = 0
        layout = []
        for places, own in layouts.values():
            layout.append([*places, first, own.n])
            first += own.n
        self._layout = np.array(layout, np.int32)
        self._table = GroupTable(plan.view.limits.groups, max(own.n for own in own_counters))
        self._lefts.reserve()
        self._adds: Floats = np.zeros(first)
        self._one: Ints = np.zeros(1, np.int32)

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._lefts.bind(tables)
        weights: Floats = np.zeros(len(tables.half_lives))
        self._weigh = decay.weights.bind(
            half_lives=tables.half_lives, landmarks=tables.landmarks, out=weights
        )
        table = self._table
        self._count = tally_groups.bind(
            weights=weights,
            half_life_of=self._half_life_of,
            amounts=self._amounts,
            valued=self._valued,
            adds=self._adds,
            layout=self._layout,
            lefts=self._lefts.held,
            item_identities=tables.items.identities,
            item_values=tables.items.values,
            value_identities=tables.values.identities,
            keys=table.keys,
            groups=table.groups,
        )

    def begin_user(self, row: int) -> None:
        """As `Kind.begin_user`."""
        self._lefts.begin_user(row)

    def slate(self, shown: Shown) -> None:
        """Count what was shown, and keep the context for what will be done."""
        self._lefts.know(shown.user, shown.event.context)
        self._lefts.keep(shown.user)
        self._tally(shown.at, 0, 1.0, shown.rows)

    def interaction(self, acted: Acted) -> None:
        """Count what was done."""
        if acted.action < 0:
            return
        self._lefts.know(acted.user, None)
        self._one[0] = acted.row
        self._tally(acted.at, acted.action, acted.value, self._one)

    def _tally(self, at: int, action: int, value: float, rows: Ints) -> None:
        self._weigh(at)
        self._count(at, action, value, rows)

    def rescale(self, shrink: Floats) -> None:
        """As `Kind.rescale`."""
        table = self._table
        rescale_groups(table.keys, table.groups, self._layout, self._half_life_of, shrink)

    def read(self, reading: Reading, out: Columns) -> None:
        """Write this kind's columns."""
        self._lefts.know(reading.user, reading.context)
        items, values, table = reading.items, reading.values, self._table
        read_groups(
            out,
            reading.rows,
            reading.at,
            self._lefts.held,
            self._plan,
            self._strengths,
            self._most,
            self._ttls,
            reading.factors,
            reading.overall,
            items.counters,
            items.identities,
            items.values,
            values.counters,
            values.identities,
            table.keys,
            table.groups,
        )

    def save(self) -> list[bytes]:
        """Groups in use, and the last contexts."""
        return [*self._table.save(), self._lefts.save()]

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        *groups, contexts = saved
        self._table.load(groups)
        self._lefts.load(contexts)

    def sizes(self) -> dict[str, float]:
        """Contexts of users, and the groups."""
        return {"user": self._lefts.bytes_per_user, "group": self._table.bytes_each}
