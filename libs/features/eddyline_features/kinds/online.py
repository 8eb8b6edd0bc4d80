"""The online model as a part of the state: what it keeps, when it learns, and its columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_features import decay
from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.declarations.online import (
    RULES,
    SCORE_OUTPUTS,
    SIMILARITY_OUTPUTS,
    VALUE,
    Online,
    OnlineScore,
    OnlineSimilarity,
)
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
)
from eddyline_features.kinds import online_kernels
from eddyline_features.kinds.kind import Acted, Kind, Shown, Tables
from eddyline_features.kinds.online_kernels import OF_ITEM, OF_PERSON
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved

_WAITING = 4_096
"""Slates that can be unripe at a time; beyond, the oldest is learnt from early."""
_TOP = 64
"""Of a longer slate, its top."""
_POPULAR = 1_024
"""Newest interactions from which popular items are drawn."""
_VARIANCE = 0.16
"""p (1 - p) of an average observation: what one adds to the curvature of a bias."""
_MOST_AMOUNT = 4.0
_SIGMOIDS = 4_096
_LEAST_PRIOR = 1e-3
"""So that taste still orders what nobody acted on."""
_NEVER = 1 << 62


@cache
def sigmoid_table() -> Floats:
    """1 / (1 + e^-x) at 4,097 places of [-16, 16]."""
    table: Floats = np.zeros(_SIGMOIDS + 1)
    for n in range(_SIGMOIDS + 1):
        x = (n / _SIGMOIDS * 32.0 - 16.0) * 1.4426950408889634
        whole = int(np.floor(x))
        table[n] = 1.0 / (1.0 + float(np.ldexp(1.0 / decay.exp2(x - whole), -whole)))
    return table


class OnlineModel(Kind):
    """Biases and vectors of items and people, and the slates whose labels are awaited."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, OnlineScore | OnlineSimilarity]]) -> None:
        online = plan.view.online
        assert online is not None
        self.online: Online = online
        limits, factors = plan.view.limits, online.factors
        self._n_acted, self._n_shown = limits.acted, limits.shown
        self._rule = RULES.index(online.rule)
        self._values = online.target == VALUE
        self._ranges = [None, *(action.values for action in plan.view.actions.values())]
        worst, best = (
            next((found for found in self._ranges if found), (-1.0, 1.0)) if self._values else (-1.0, 1.0)
        )
        self._middle, self._half = (worst + best) / 2.0, (best - worst) / 2.0
        self._settings: Floats = np.array(
            [
                *(online.step, online.l1, online.l2, _VARIANCE * online.strength),
                *(float(self._values), self._middle, self._half),
            ]
        )
        self._plan = _plan_of(features)
        self._score_plan: IntTable = np.zeros((1, 2), np.int32)
        self._overall: SingleTable = np.zeros((1, 4), np.float32)
        self._people: SingleTable = reserved((limits.users, OF_PERSON + factors), np.float32)
        self._things: SingleTable = reserved((limits.items, OF_ITEM + 2 * factors), np.float32)
        self._waiting: Longs = np.zeros(2, np.int64)
        self._n_waiting, self._due = 0, _NEVER
        self._heads: LongTable = reserved((_WAITING, 4), np.int64)
        self._shown: LongTable = reserved((_WAITING, _TOP), np.int64)
        self._popular: Longs = np.zeros(1 + _POPULAR, np.int64)
        n_scratch = max(_TOP, 1 + online.negatives)
        self._rows: Ints = np.zeros(n_scratch, np.int32)
        self._seen: FloatTable = np.zeros((2, n_scratch))
        self._scratch: FloatTable = np.zeros((online_kernels.N_SCRATCH, factors))
        self._nobody: Longs = np.zeros(1, np.int64)
        self._sigmoids = sigmoid_table()
        weights = [action.weight for action in plan.view.actions.values()]
        usual = min((abs(weight) for weight in weights if weight), default=1.0)
        self._weights = [0.0, *(max(-_MOST_AMOUNT, min(_MOST_AMOUNT, weight / usual)) for weight in weights)]

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._tables = tables
        rule: dict[str, Any] = {"rule": self._rule, "settings": self._settings}
        model = {
            "rows": self._rows,
            "seen": self._seen,
            "overall": self._overall,
            "people": self._people,
            "things": self._things,
            "sigmoids": self._sigmoids,
            "scratch": self._scratch,
        }
        people = {
            "rings": tables.users.rings,
            "n_acted": self._n_acted,
            "recent": self.online.recent,
            "items_meta": tables.items.meta,
        }
        slates = {"waiting": self._waiting, "heads": self._heads, "shown": self._shown}
        metas = {"users_meta": tables.users.meta, "items_meta": tables.items.meta}
        self._begin_item = online_kernels.begin_item.bind(**rule, things=self._things)
        self._wait = online_kernels.wait.bind(**slates, **metas)
        self._act = online_kernels.act.bind(
            **rule,
            **model,
            **people,
            n_shown=self._n_shown,
            n_negatives=self.online.negatives,
            popular=self._popular,
        )
        after = self.online.ripe_after_ms
        self._learn_ripe = online_kernels.ripen.bind(
            **rule, **model, **people, **slates, users_meta=tables.users.meta, after=after
        )

    def begin_item(self, row: int) -> None:
        """As `Kind.begin_item`."""
        self._begin_item(row, int(self._tables.items.identities[row]))

    def begin_user(self, row: int) -> None:
        """As `Kind.begin_user`."""
        self._people[row] = 0.0

    def slate(self, shown: Shown) -> None:
        """Learn from the slates that are ripe by now, and wait for this one's labels."""
        if self._values:
            return
        if shown.clock >= self._due or self._n_waiting == _WAITING:
            self._ripen(shown.clock)
        if shown.user < 0 or not len(shown.rows):
            return
        if not self._n_waiting:
            self._due = shown.at + self.online.ripe_after_ms
        self._wait(shown.at, shown.user, shown.rows)
        self._n_waiting += 1

    def interaction(self, acted: Acted) -> None:
        """Learn from it, and from the slates that are ripe by now."""
        if acted.clock >= self._due:
            self._ripen(acted.clock)
        if acted.user < 0 or acted.action < 0:
            return
        label = self._label(acted)
        if label is None:
            return
        weight = self._weights[acted.action]
        self._act(acted.user, acted.row, label, abs(weight), acted.sequence & 0x7FFFFFFF)

    def _label(self, acted: Acted) -> float | None:
        """What an interaction says: a value within [-1, 1]; or else from 0, no, to 1, yes. None is nothing."""
        known = self._ranges[acted.action]
        if known is None:
            return None if self._values else float(self._weights[acted.action] > 0.0)
        value = acted.event.value
        if value != value:
            return None
        worst, best = known
        # Not by the half: what is a best value is then exactly 1.
        share = (acted.value - worst) / (best - worst)
        if self._values:
            return 2.0 * share - 1.0
        return share if self._weights[acted.action] > 0.0 else 0.0

    def _ripen(self, clock: int) -> None:
        self._learn_ripe(clock)
        self._look()

    def _look(self) -> None:
        """When the oldest of the waiting slates is due: asked before each event, so not in an array."""
        oldest, self._n_waiting = (int(number) for number in self._waiting)
        self._due = int(self._heads[oldest, 0]) + self.online.ripe_after_ms if self._n_waiting else _NEVER

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        if len(self._plan):
            self._read(reading.rows, reading.user, self._plan, out)

    def scores(self, rows: Ints, user: int, priors: Singles) -> Singles:
        """How likely a person acts on items (rows; -1 is unknown): within [0, 1]; or their values. Shape (N,).

        Negatives that are drawn by popularity hide it: against them, a popular item looks like any other. As far as the
        model learnt from such, what it says is how much more than usual, and the odds are multiplied by the item's
        ``priors`` (the correction of sampled softmax: Bengio and Senecal, IEEE Transactions on Neural Networks 2008).
        """
        out: FloatTable = np.zeros((len(rows), 1))
        self._read(rows, user, self._score_plan, out)
        if self._values:
            return out[:, 0].astype(np.float32)
        chances: Singles = np.zeros(len(rows), np.float32)
        online_kernels.chances(out, self._sigmoids, chances)
        drawn, left = (float(number) for number in self._overall[0, online_kernels.DRAWN :])
        if not drawn:
            return chances
        part = drawn / (drawn + left)
        likely = chances.astype(np.float64)
        odds = likely / (1.0 - likely) * ((1.0 - part) + part * (priors + _LEAST_PRIOR))
        return (odds / (1.0 + odds)).astype(np.float32)

    def vector_of(self, user: int) -> Floats | None:
        """A person's vector, shape (factors,): their own and what their newest items say; None if all of it is 0."""
        tables = self._tables
        online_kernels.person(
            self._rule,
            self._settings,
            user,
            tables.users.rings[user],
            self._n_acted,
            self.online.recent,
            tables.items.meta,
            self._people,
            self._things,
            self._scratch,
        )
        x: Floats = self._scratch[online_kernels.X].copy()
        return x if x.any() else None

    def score_all(self, x: Floats, blocked: Octets, out: Floats) -> None:
        """How every item that is not blocked scores for somebody with this vector, but for what is the same for all.

        By item row; -inf where nothing was learnt.
        """
        n = len(self._tables.items)
        online_kernels.score_all(n, self._rule, self._settings, x, self._things, blocked, out)

    def are_learnt(self, rows: Ints) -> Octets:
        """Of items, shape (N,): 1 where anything was learnt, so that the score is not chance."""
        out: Octets = np.zeros(len(rows), np.uint8)
        online_kernels.which_are_learnt(rows, self._things, out)
        return out

    def item_weights(self, rows: Ints) -> SingleTable:
        """Of items: a score is the product with a person's vector and a 1 behind it; shape (N, factors + 1)."""
        out: SingleTable = np.zeros((len(rows), self.online.factors + 1), np.float32)
        online_kernels.item_weights(rows, self._rule, self._settings, self._things, self._scratch, out)
        return out

    def item_vectors(self, rows: Ints) -> SingleTable:
        """Vectors of items, shape (N, factors), each of length 1, or 0 where it is still what chance made it."""
        out: SingleTable = np.zeros((len(rows), self.online.factors), np.float32)
        online_kernels.item_vectors(rows, self._rule, self._settings, self._things, self._scratch, out)
        return out

    def have_moved(self) -> NDArray[np.bool_]:
        """By item row, of all in use: whether its vector was learnt from; others are still what chance made them."""
        moved: NDArray[np.bool_] = self._things[: len(self._tables.items), online_kernels.SQUARES] != 0.0
        return moved

    def all_vectors(self) -> SingleTable:
        """Vectors of all items in use, of any length, shape (N, factors); to be used at once, and not to be changed."""
        n = len(self._tables.items)
        if self._rule == online_kernels.FTRL:
            return self.item_vectors(np.arange(n, dtype=np.int32))
        return self._things[:n, OF_ITEM : OF_ITEM + self.online.factors]

    def _read(self, rows: Ints, user: int, plan: IntTable, out: FloatTable) -> None:
        tables = self._tables
        online_kernels.read_model(
            out,
            rows,
            plan,
            self._rule,
            self._settings,
            user,
            tables.users.rings[user] if user >= 0 else self._nobody,
            self._n_acted,
            self.online.recent,
            tables.items.meta,
            self._overall,
            self._people,
            self._things,
            self._scratch,
        )

    def _arrays(self) -> list[NDArray[Any]]:
        n_items, n_users = len(self._tables.items), len(self._tables.users)
        return [
            self._overall,
            self._people[:n_users],
            self._things[:n_items],
            self._popular,
        ]

    def save(self) -> list[bytes]:
        """As `Kind.save`; the slates that wait come from the oldest on, without what lies behind their items."""
        first, n = (int(number) for number in self._waiting)
        order = (first + np.arange(n)) % _WAITING
        heads, shown = self._heads[order], self._shown[order]
        shown[np.arange(_TOP)[None, :] >= heads[:, 3:4]] = 0
        return [as_bytes(array) for array in (*self._arrays(), heads, shown)]

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        for array, raw in zip(self._arrays(), saved, strict=False):
            fill(array, raw)
        n = len(saved[-2]) // (8 * self._heads.shape[1])
        self._waiting[:] = (0, n)
        fill(self._heads[:n], saved[-2])
        fill(self._shown[:n], saved[-1])
        self._look()

    def sizes(self) -> dict[str, float]:
        """As `Kind.sizes`."""
        factors = self.online.factors
        return {"item": 4.0 * (2 * factors + OF_ITEM), "user": 4.0 * (factors + OF_PERSON)}


def _plan_of(features: Sequence[tuple[int, OnlineScore | OnlineSimilarity]]) -> IntTable:
    rows = []
    for column, feature in features:
        scores = isinstance(feature, OnlineScore)
        known, first = (SCORE_OUTPUTS, 0) if scores else (SIMILARITY_OUTPUTS, len(SCORE_OUTPUTS))
        rows += [(first + known.index(output), column + at) for at, output in enumerate(feature.outputs)]
    return np.array(rows, np.int32).reshape(-1, 2)
