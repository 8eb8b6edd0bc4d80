"""Retrieval as a part of the state: what it keeps beside items and people, and the choice for one request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Protocol

import numpy as np

from eddyline_contracts.events import ItemEmbedded, ItemUpserted
from eddyline_features import decay
from eddyline_features.declarations.content import queries_of
from eddyline_features.declarations.paths import IMPRESSION
from eddyline_features.item_vectors import ItemVectors
from eddyline_features.kernel import Floats, Ints, IntTable, Longs, Octets, SingleTable
from eddyline_features.kinds.kind import Acted, Kind, Shown, Tables
from eddyline_features.kinds.rates import MOST, base_rate, rates_of_items
from eddyline_features.neighbours import Neighbours
from eddyline_features.plan import Plan
from eddyline_features.recommend_settings import (
    AFFINITY,
    BESIDE,
    CONTENT,
    FILL,
    NEW,
    NOTHING,
    ONLINE,
    POPULAR,
    SHOWN,
    SOURCES,
    half_lives_of,
)
from eddyline_features.reserving import reserved
from eddyline_features.retrieval.alike import Alike
from eddyline_features.retrieval.because import Because, most_of
from eddyline_features.retrieval.beside import Beside
from eddyline_features.retrieval.blocking import block, block_seen
from eddyline_features.retrieval.found import Found
from eddyline_features.retrieval.liking import Liking, Rate
from eddyline_features.retrieval.merging import merge
from eddyline_features.retrieval.nearest import Nearest
from eddyline_features.retrieval.rising import Rising
from eddyline_features.retrieval.seen import Seen
from eddyline_features.retrieval.selecting import best_of_all, newest

_ALL: Octets = np.zeros(0, np.uint8)
_TOGETHER = 4
"""Half-life of co-visitation, in half-lives of the view's prior."""
_ANY = -np.inf
_NAMES = (*SOURCES, FILL)


class Scoring(Protocol):
    """The online model, as retrieval sees it."""

    def vector_of(self, user: int) -> Floats | None:
        """A person's vector; None where nothing is known."""

    def score_all(self, x: Floats, blocked: Octets, out: Floats) -> None:
        """How every item that is not blocked scores for somebody with this vector, by item row; -inf where nothing
        was learnt."""

    def item_weights(self, rows: Ints) -> SingleTable:
        """Of items: a score is the product with a person's vector and a 1 behind it; shape (N, factors + 1)."""

    def item_vectors(self, rows: Ints) -> SingleTable:
        """Vectors of items, shape (N, factors), each of length 1, or 0 where it never moved."""


class Retrieving(Kind):
    """Gives no columns: candidates from the whole catalogue."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Any]]) -> None:
        view = plan.view
        assert view.recommend is not None
        self._recommend = recommend = view.recommend
        self._plan = plan
        for name in recommend.fields:
            plan.keep_field(name)
        prior = view.prior
        self._prior = (
            plan.counters.column(tuple(view.actions), prior.half_life_ms),
            plan.counters.column((IMPRESSION,), prior.half_life_ms),
        )
        self._prior_half_life = plan.half_life(prior.half_life_ms)
        self._prior_plan = np.array([[0, *self._prior]], np.int32)
        self._strength: Floats = np.array([prior.strength])
        self._most: Floats = np.array([MOST])
        self._ttl: Longs = np.zeros(1, np.int64)
        self._rising_by = [plan.half_life(ms) for ms in half_lives_of(recommend, prior.half_life_ms)]
        self._together = plan.half_life(_TOGETHER * prior.half_life_ms)
        self._amounts: Floats = np.array([0.0, *(action.weight for action in view.actions.values())])
        self._liked: Floats = np.maximum(self._amounts, 0.0)
        self._amount_of: list[float] = self._liked.tolist()
        self._width = plan.width
        self._limits = view.limits
        n_items = view.limits.items
        self._blocked: Octets = reserved(n_items, np.uint8)
        self._scores: Floats = reserved(n_items)
        self._none: Octets = reserved(n_items, np.uint8)
        self._one: Ints = np.zeros(1, np.int32)
        self.online: Scoring | None = None
        self.content: ItemVectors | None = None
        """What the view has of these is told by whoever builds the state, before `bind`."""
        self.nearest: Nearest | None = None
        """An index of the online model's vectors, where somebody keeps one: exact otherwise."""
        self._queries = [f"{name}_vector" for name in queries_of(view.features)]
        """Where a request says what is asked for."""

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._tables = tables
        self._half_life_of = self._plan.counters.half_life_of()
        items, people, limits = tables.items, tables.users, self._limits
        zeros: Floats = reserved(items.limit)
        self._alike = None if self.content is None else Alike(items, self.content, zeros, self._scores)
        self.beside = Beside(items, people, self._liked, limits.acted, zeros)
        adds: Floats = np.zeros(len(tables.half_lives))
        self._adds = adds
        self._weigh = decay.weights.bind(half_lives=tables.half_lives, landmarks=tables.landmarks, out=adds)
        self.rising = Rising(items, self._rising_by, tables.half_lives, tables.landmarks, adds)
        self._seen = Seen(self._recommend.remembered, items.meta)
        self._liking = Liking(
            items,
            tables.values,
            people,
            amounts=self._amounts,
            width=self._width,
            n_acted=limits.acted,
            n_shown=limits.shown,
            zeros=zeros,
        )

    # While events arrive --------------------------------------------------------------------------------

    def begin_item(self, row: int) -> None:
        """As `Kind.begin_item`."""
        self.beside.begin(row)
        self.rising.begin(row)

    def begin_user(self, row: int) -> None:
        """As `Kind.begin_user`."""
        self._seen.begin(row)

    def begin_value(self, code: int) -> None:
        """As `Kind.begin_value`."""
        self._liking.begin_value(code)

    def after_item(self, row: int, event: ItemUpserted, at: int) -> None:
        """What has come, or has other values now, is to be found by them."""
        self._liking.push(row)

    def embedded(self, row: int, event: ItemEmbedded) -> None:
        """As `Kind.embedded`; the vector is there already."""
        if self._alike is not None:
            self._alike.embedded(row)

    def slate(self, shown: Shown) -> None:
        """Remember what was shown, where that is asked for."""
        if self._recommend.seen == SHOWN and shown.user >= 0:
            self._seen.add(shown.user, shown.rows)

    def interaction(self, acted: Acted) -> None:
        """Remember it, and learn what goes with what and what is popular."""
        if acted.action < 0:
            return
        row, at, amount = acted.row, acted.at, self._amount_of[acted.action]
        if amount > 0.0:
            self._weigh(at)
            self.rising.add(row, amount)
            self._liking.push(row)
        if acted.user < 0:
            return
        if amount > 0.0:
            self.beside.add(at, row, amount, float(self._adds[self._together]), acted.user)
        self._one[0] = row
        self._seen.add(acted.user, self._one)

    def rescale(self, shrink: Floats) -> None:
        """As `Kind.rescale`."""
        self.rising.rescale(shrink)
        self.beside.rescale(float(shrink[self._together]))

    # Reading ---------------------------------------------------------------------------------------------

    def candidates(
        self,
        user: int,
        context: dict[str, Any],
        at: int,
        n: int,
        factors: Floats,
        allowed: Octets | None,
        exclude: Iterable[str],
    ) -> Found:
        """See `State.candidates`; ``factors``: by half-life, what counters are multiplied by at this time."""
        items, blocked = self._tables.items, self._blocked
        n_items = len(items)
        n = max(0, min(n, n_items))
        block(n_items, items.meta, _ALL if allowed is None else allowed, blocked)
        if user >= 0 and self._recommend.seen != NOTHING:
            keys = self._seen.of(user)
            block_seen(len(keys), keys, items.meta, blocked)
        for item in exclude:
            row = items.rows.get(item)
            if row is not None:
                blocked[row] = 1
        rows: Ints = np.zeros(n, np.int32)
        source: Octets = np.full(n, len(SOURCES), np.uint8)
        n_found = self._merged(user, context, factors, rows, source)
        n_found += self._filled(rows[n_found:], at, factors)
        ids = items.ids
        return Found([ids[row] for row in rows[:n_found].tolist()], rows[:n_found], _NAMES, source[:n_found])

    def _merged(self, user: int, context: dict[str, Any], factors: Floats, rows: Ints, source: Octets) -> int:
        n = len(rows)
        shares: Floats = np.array([self._recommend.sources.get(name, 0.0) for name in SOURCES])
        lists: IntTable = np.zeros((len(SOURCES), n * max(2, len(self._rising_by))), np.int32)
        sizes: Ints = np.zeros(len(SOURCES), np.int32)
        scores: Floats = np.zeros(2 * n)
        for s, name in enumerate(SOURCES):
            if shares[s] > 0.0:
                sizes[s] = self._of(name, user, context, n, factors, scores, lists[s])
        return merge(lists, sizes, shares, self._blocked, rows, source)

    def _of(
        self,
        name: str,
        user: int,
        context: dict[str, Any],
        n: int,
        factors: Floats,
        scores: Floats,
        out: Ints,
    ) -> int:
        """Fill ``out`` with what a source finds, the best first."""
        items, blocked = self._tables.items, self._blocked
        if name == POPULAR:
            return self.rising.best(blocked, n, out)
        if name == NEW:
            return newest(len(items), items.meta, blocked, n, scores, out)
        if name == CONTENT:
            return self._near(user, context, n, scores, out)
        if user < 0:
            return 0
        if name == BESIDE:
            return self.beside.best(self.beside.recent(user), blocked, n, scores, out)
        if name == ONLINE:
            x = None if self.online is None else self.online.vector_of(user)
            if self.online is None or x is None:
                return 0
            if self.nearest is not None:
                found = self.nearest.best(x, blocked, self._wanted_of_index(n), scores, out)
                if found is not None:
                    return found
            self.online.score_all(x, blocked, self._scores)
            return best_of_all(len(items), self._scores, _ANY, blocked, n, scores, out)
        if name == AFFINITY:
            factor = float(factors[self._prior_half_life])
            base = base_rate(self._tables.overall, *self._prior, MOST)
            rate = Rate(*self._prior, factor, base, float(self._strength[0]))
            return self._liking.best(user, rate, blocked, n, scores, out)
        return 0

    def _wanted_of_index(self, n: int) -> int:
        """Twice the share of ``n``: what is asked of an index costs time for each item, and a pass does not."""
        sources = self._recommend.sources
        share = sources[ONLINE] / sum(sources.values())
        return min(n, 20 + int(2 * n * share))

    def _near(self, user: int, context: dict[str, Any], n: int, scores: Floats, out: Ints) -> int:
        """Fill ``out`` with what is near to what is asked for, or else to what somebody acted on lately."""
        if self._alike is None or self.content is None:
            return 0
        for field in self._queries:
            asked = self.content.of_text(context.get(field))
            if asked is not None:
                return self._alike.best(asked.astype(np.float64), self._blocked, n, scores, out)
        wanted = self._alike.mean_of(self.beside.recent(user)) if user >= 0 else None
        return 0 if wanted is None else self._alike.best(wanted, self._blocked, n, scores, out)

    def because(self, user: int, rows: Ints) -> Because:
        """See `State.because`."""
        recent = self.beside.recent(user).copy() if user >= 0 else np.zeros(0, np.int32)
        beside = self.beside.shares(recent, rows)
        has_content = self._alike is not None and self.content is not None and self.content.dims
        near = self._alike.cosines(recent, rows) if has_content and self._alike else np.zeros_like(beside)
        return Because(recent, most_of(beside), most_of(near))

    def embeddings(self, rows: Ints) -> SingleTable | None:
        """See `State.embeddings`."""
        if self._alike is not None and self.content is not None and self.content.dims:
            return self._alike.vectors_of(rows)
        return None if self.online is None else self.online.item_vectors(rows)

    def _filled(self, rows: Ints, at: int, factors: Floats) -> int:
        """Fill with the items of the best priors: all others after those that the sources gave."""
        n = len(rows)
        if not n:
            return 0
        items = self._tables.items
        free = np.flatnonzero(self._blocked[: len(items)] == 0).astype(np.int32)
        rates: Floats = np.empty(len(free))
        rates_of_items(
            rates[:, None],
            free,
            items.counters,
            items.meta,
            self._tables.overall,
            self._half_life_of,
            factors,
            at,
            self._prior_plan,
            self._strength,
            self._most,
            self._ttl,
        )
        best: Ints = np.zeros(2 * n, np.int32)
        n_best = best_of_all(len(free), rates, _ANY, self._none, n, np.zeros(2 * n), best)
        rows[:n_best] = free[best[:n_best]]
        return n_best

    # Snapshots, memory -------------------------------------------------------------------------------------

    def save(self) -> list[bytes]:
        """As `Kind.save`."""
        seen = self._seen.save(len(self._tables.users))
        sketches = [] if self._alike is None else self._alike.save()
        return [*self.rising.save(), *self._liking.save(), *seen, *self.beside.save(), *sketches]

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        sizes = (1, 1, 2, Neighbours.N_SAVED, int(self._alike is not None))
        ends = list(accumulate(sizes))
        rising, liking, seen, beside, sketches = (
            saved[end - size : end] for size, end in zip(sizes, ends, strict=True)
        )
        self.rising.load(rising)
        self._liking.load(liking)
        self._seen.load(seen)
        self.beside.load(beside)
        if self._alike is not None:
            self._alike.load(sketches)

    def sizes(self) -> dict[str, float]:
        """As `Kind.sizes`; scratch by item counts with the items."""
        scratch = 1.0 + 1.0 + 8.0 + 8.0
        of_item = self.beside.bytes_each + self.rising.bytes_each + scratch
        if self._alike is not None:
            of_item += self._alike.bytes_each
        return {"item": of_item, "user": self._seen.bytes_each, "value": self._liking.bytes_each}
