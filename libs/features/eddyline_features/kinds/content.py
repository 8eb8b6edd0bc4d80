"""Content similarity: cosines of unit vectors (see ``item_vectors``), with the newest actions in a person's ring.

Nothing is kept of a person: their mean is made of the vectors that their items have today, so it never mixes encoders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from eddyline_contracts.events import ItemEmbedded
from eddyline_features.decay import entry_weights
from eddyline_features.declarations.content import CONTENT_OUTPUTS, ContentSimilarity
from eddyline_features.entities import People
from eddyline_features.item_vectors import ItemVectors
from eddyline_features.kernel import (
    Floats,
    FloatTable,
    Ints,
    IntTable,
    Longs,
    LongTable,
    Octets,
    SingleTable,
    kernel,
)
from eddyline_features.kinds.kind import Kind, Tables
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading

MEAN, LAST, BEST, QUERY = 0, 1, 2, 3
"""What a column says, as `CONTENT_OUTPUTS` has them."""

# As in `rings` and `entities`, which a test compares: see `kernel` on constants of other files.
_HEAD = 2
_GENERATION = 2


@kernel
def cosine(vectors: SingleTable, row: int, other: Floats) -> float:
    """Dot product with a unit vector, within -1 and 1: four sums beside each other, always the same four."""
    n = other.shape[0]
    a = 0.0
    b = 0.0
    c = 0.0
    d = 0.0
    whole = n - n % 4
    for k in range(0, whole, 4):
        a += np.float64(vectors[row, k]) * other[k]
        b += np.float64(vectors[row, k + 1]) * other[k + 1]
        c += np.float64(vectors[row, k + 2]) * other[k + 2]
        d += np.float64(vectors[row, k + 3]) * other[k + 3]
    for k in range(whole, n):
        a += np.float64(vectors[row, k]) * other[k]
    return min(max((a + b) + (c + d), -1.0), 1.0)


@kernel
def alike(
    out: FloatTable,
    rows: Ints,
    vectors: SingleTable,
    has: Octets,
    ring: Longs,
    n_acted: int,
    items_meta: LongTable,
    weights: FloatTable,
    amounts: FloatTable,
    plan: IntTable,
    scratch: Floats,
) -> None:
    """Cosines of the candidates with one person's newest actions on items that have a vector.

    ``weights``, shape (half-lives, entries): what each ring entry counts by its age. ``amounts``, shape (plan rows,
    actions): what each action counts; below 0 it pushes away. ``plan`` holds (column, what, half-life, actions at most
    for `BEST`). ``scratch``, shape (D,).
    """
    dims = vectors.shape[1]
    n_kept = min(ring[0], n_acted)
    for p in range(plan.shape[0]):
        column = plan[p, 0]
        what = plan[p, 1]
        n = 0
        if what == MEAN:
            most = 0.0
            for back in range(n_kept):
                i = (ring[0] - 1 - back) % n_acted
                key = ring[_HEAD + 2 * i]
                item = (key >> 8) & 0xFFFFFF
                if items_meta[item, _GENERATION] != key >> 32 or has[item] == 0:
                    continue
                most = max(most, abs(weights[plan[p, 2], i] * amounts[p, key & 0xFF]))
            if most == 0.0:
                continue
            for k in range(dims):
                scratch[k] = 0.0
            for back in range(n_kept):
                i = (ring[0] - 1 - back) % n_acted
                key = ring[_HEAD + 2 * i]
                item = (key >> 8) & 0xFFFFFF
                if items_meta[item, _GENERATION] != key >> 32 or has[item] == 0:
                    continue
                amount = weights[plan[p, 2], i] * amounts[p, key & 0xFF] / most
                for k in range(dims):
                    scratch[k] += amount * np.float64(vectors[item, k])
            square = 0.0
            for k in range(dims):
                square += scratch[k] * scratch[k]
            # What remains of vectors that cancel out is noise.
            if square < 1e-12:
                continue
            length = math.sqrt(square)
            for k in range(dims):
                scratch[k] /= length
            for c in range(rows.shape[0]):
                if rows[c] >= 0 and has[rows[c]] == 1:
                    out[c, column] = cosine(vectors, rows[c], scratch)
            continue
        most_actions = 1 if what == LAST else plan[p, 3]
        for back in range(n_kept):
            i = (ring[0] - 1 - back) % n_acted
            key = ring[_HEAD + 2 * i]
            item = (key >> 8) & 0xFFFFFF
            if amounts[p, key & 0xFF] <= 0.0:
                continue
            if items_meta[item, _GENERATION] != key >> 32 or has[item] == 0:
                continue
            n += 1
            if n > most_actions:
                break
            for k in range(dims):
                scratch[k] = np.float64(vectors[item, k])
            for c in range(rows.shape[0]):
                if rows[c] >= 0 and has[rows[c]] == 1:
                    found = cosine(vectors, rows[c], scratch)
                    if n == 1 or found > out[c, column]:
                        out[c, column] = found


@kernel
def alike_to(
    out: FloatTable, rows: Ints, vectors: SingleTable, has: Octets, other: Floats, column: int
) -> None:
    """Cosines of the candidates with one unit vector."""
    for c in range(rows.shape[0]):
        if rows[c] >= 0 and has[rows[c]] == 1:
            out[c, column] = cosine(vectors, rows[c], other)


class Contents(Kind):
    """The vectors of items' texts, and the columns that compare them. NaN where either side has none."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, ContentSimilarity]]) -> None:
        view = plan.view
        assert view.content is not None
        limits = view.limits
        self.vectors = ItemVectors(limits.items, view.content.dims)
        self._n_acted = limits.acted
        half_lives: list[int] = []
        rows: dict[str, list[list[int]]] = {"user": [], "session": []}
        amounts: dict[str, list[list[float]]] = {"user": [], "session": []}
        self._queries: list[tuple[int, str]] = []
        for column, feature in features:
            plan.sessions |= feature.by == "session"
            if feature.half_life not in half_lives:
                half_lives.append(feature.half_life)
            for at, output in enumerate(feature.outputs):
                what = CONTENT_OUTPUTS.index(output)
                if what == QUERY:
                    self._queries.append((column + at, f"{feature.query}_vector"))
                    continue
                rows[feature.by].append(
                    [column + at, what, half_lives.index(feature.half_life), feature.last]
                )
                amounts[feature.by].append(
                    [0.0] + [a.weight if name in feature.actions else 0.0 for name, a in view.actions.items()]
                )
        n_actions = 1 + len(view.actions)
        self._plans = {by: np.array(found, np.int32).reshape(-1, 4) for by, found in rows.items()}
        self._amounts = {
            by: np.array(found, np.float64).reshape(-1, n_actions) for by, found in amounts.items()
        }
        self._half_lives = np.array(half_lives, np.int64)
        self._weights: FloatTable = np.zeros((len(half_lives), limits.acted))
        self._scratch: Floats = np.zeros(0)

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._items = tables.items

    def begin_item(self, row: int) -> None:
        """No vector."""
        self.vectors.forget(row)

    def embedded(self, row: int, event: ItemEmbedded) -> None:
        """As `Kind.embedded`."""
        self.vectors.put(row, event)

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        if not self.vectors.dims:
            return
        self._read_of("user", reading.users, reading.user, reading, out)
        self._read_of("session", reading.sessions, reading.session, reading, out)
        for column, field in self._queries:
            asked = self.vectors.of_text(reading.context.get(field))
            if asked is not None:
                alike_to(
                    out,
                    reading.rows,
                    self.vectors.vectors,
                    self.vectors.has,
                    asked.astype(np.float64),
                    column,
                )

    def _read_of(self, by: str, people: People, row: int, reading: Reading, out: FloatTable) -> None:
        plan = self._plans[by]
        if row < 0 or not len(plan):
            return
        if len(self._scratch) != self.vectors.dims:
            self._scratch = np.zeros(self.vectors.dims)
        ring = people.rings[row]
        entry_weights(reading.at, self._half_lives, ring, _HEAD, self._n_acted, self._weights)
        alike(
            out,
            reading.rows,
            self.vectors.vectors,
            self.vectors.has,
            ring,
            self._n_acted,
            reading.items.meta,
            self._weights,
            self._amounts[by],
            plan,
            self._scratch,
        )

    def save(self) -> list[bytes]:
        """As `Kind.save`."""
        return self.vectors.save(len(self._items))

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        self.vectors.load(saved, len(self._items))

    def sizes(self) -> dict[str, float]:
        """As `Kind.sizes`."""
        return {"item": self.vectors.bytes_an_item()}
