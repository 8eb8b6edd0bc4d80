"""Field match: words, n-grams or BM25 of a text of the request against texts of the candidates.

Each different way to read an item field is a *block*: a fixed number of keys an item, shared by the features that read
it so. What BM25 counts over all items follows each change: an item that changes or is removed is taken out as it was
put in. One that is forgotten (``limits.items``) stays counted, so that forgetting it leaves all others untouched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from eddyline_contracts.events import ItemUpserted
from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.declarations.field_match import MATCHES, FieldMatch
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, Longs, LongTable
from eddyline_features.kinds.kind import Kind, Tables
from eddyline_features.kinds.matching import (
    N_PLAN,
    N_SKETCH_ROWS,
    matches,
    put_terms,
)
from eddyline_features.kinds.terms import Analyser
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.reserving import reserved

MAX_ASKED = 64
"""Different terms of a query that are looked at."""
_MOST = 255
"""Larger frequencies of a word in one text count as this."""


class _Counts(NamedTuple):
    """Where it is counted how many items have a term of a block."""

    start: int
    width: int
    totals: int


class _Block:
    """Keys of items by one item field, read in one way."""

    def __init__(self, number: int, first: int, width: int, analyser: Analyser) -> None:
        self.number, self.first, self.width = number, first, width
        self.analyser = analyser
        self.counts: dict[int, _Counts] = {}
        """By the width of the sketch."""

    def keys(self, terms: Sequence[int]) -> list[int]:
        """The first different terms and how often each is there, sorted."""
        often: dict[int, int] = {}
        for term in terms:
            if term in often:
                often[term] += 1
            elif len(often) < self.width:
                often[term] = 1
        return sorted(term << 8 | min(n, _MOST) for term, n in often.items())


class FieldMatches(Kind):
    """Columns that say how well a query fits; NaN where nothing is asked, or the item has no text."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, FieldMatch]]) -> None:
        self._blocks: dict[tuple[str, int, str, int], _Block] = {}
        self._by_field: dict[str, list[_Block]] = {}
        self._analysers: dict[tuple[int, str], Analyser] = {}
        self._asked: dict[tuple[str, int, str], int] = {}
        self._n_keys = self._n_counts = self._n_totals = 0
        rows = [self._row(column, feature) for column, feature in features]
        self._plan: LongTable = np.array(rows, np.int64).reshape(-1, N_PLAN)
        self._strengths: FloatTable = np.array([(f.k1, f.b) for _, f in features], np.float64).reshape(-1, 2)
        n_items, n_blocks = plan.view.limits.items, len(self._blocks)
        self._keys: LongTable = reserved((n_items, self._n_keys), np.int64)
        self._sizes: IntTable = reserved((n_items, 2 * n_blocks), np.int32)
        self._written: LongTable = reserved((n_items, n_blocks), np.int64)
        self._sketch: Ints = reserved(self._n_counts, np.int32)
        self._totals: LongTable = np.zeros((self._n_totals, 2), np.int64)
        self._counts: list[LongTable] = [
            np.array(list(block.counts.values()), np.int64).reshape(-1, 3) for block in self._blocks.values()
        ]
        """By block."""
        self._no_text: Ints = np.array([-1, 0] * n_blocks, np.int32)
        self._weights: Floats = np.zeros(len(self._asked) * MAX_ASKED)

    def _row(self, column: int, feature: FieldMatch) -> list[int]:
        n = feature.n if feature.by == "ngram" else 0
        analyser = self._analysers.setdefault((n, feature.language), Analyser(n, feature.language))
        key = (feature.field, n, feature.language, feature.max_terms)
        block = self._blocks.get(key)
        if block is None:
            block = _Block(len(self._blocks), self._n_keys, feature.max_terms, analyser)
            self._blocks[key] = block
            self._by_field.setdefault(feature.field, []).append(block)
            self._n_keys += block.width
        counts = _Counts(0, 0, 0)
        if feature.by == "bm25":
            width = 1 << (feature.vocabulary - 1).bit_length()
            if width not in block.counts:
                block.counts[width] = _Counts(self._n_counts, width, self._n_totals)
                self._n_counts += N_SKETCH_ROWS * width
                self._n_totals += 1
            counts = block.counts[width]
        asked = self._asked.setdefault((feature.query, n, feature.language), len(self._asked))
        how = MATCHES.index(feature.by)
        return [column, how, block.number, block.first, feature.ttl_ms, *counts, asked]

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._items = tables.items

    # While events arrive --------------------------------------------------------------------------------

    def begin_item(self, row: int) -> None:
        """No text; an item that had the row before stays counted."""
        self._keys[row] = 0
        self._sizes[row] = self._no_text
        self._written[row] = 0

    def after_item(self, row: int, event: ItemUpserted, at: int) -> None:
        """Take the old text out, and put the new one in."""
        if event.removed:
            for blocks in self._by_field.values():
                for block in blocks:
                    self._put(row, block, None, at)
            return
        for field, blocks in self._by_field.items():
            if field in event.fields:
                for block in blocks:
                    self._put(row, block, block.analyser.terms(event.fields[field]), at)

    def _put(self, row: int, block: _Block, terms: list[int] | None, at: int) -> None:
        put_terms(
            row,
            block.number,
            block.first,
            block.width,
            np.array(block.keys(terms or ()), np.int64),
            -1 if terms is None else len(terms),
            at,
            self._keys,
            self._sizes,
            self._written,
            self._sketch,
            self._totals,
            self._counts[block.number],
        )

    # Reading ---------------------------------------------------------------------------------------------

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        asked, terms = self._query(reading.context)
        if len(terms):
            matches(
                out,
                reading.rows,
                reading.at,
                self._keys,
                self._sizes,
                self._written,
                terms,
                self._weights,
                self._sketch,
                self._totals,
                self._plan,
                asked,
                self._strengths,
            )

    def _query(self, context: dict[str, Any]) -> tuple[LongTable, Longs]:
        """What is asked, each text once for all features: see ``asked`` and ``terms`` of `matches`."""
        found: list[int] = []
        asked: list[tuple[int, int]] = []
        for (field, n, language), _ in self._asked.items():
            terms = self._analysers[n, language].terms(context.get(field)) or ()
            distinct = list(dict.fromkeys(terms))[:MAX_ASKED]
            asked.append((len(found), len(distinct)))
            found += sorted(distinct)
        return np.array(asked, np.int64), np.array(found, np.int64)

    # Snapshots, memory -------------------------------------------------------------------------------------

    def _arrays(self) -> list[Any]:
        n = len(self._items)
        return [self._keys[:n], self._sizes[:n], self._written[:n], self._sketch, self._totals]

    def save(self) -> list[bytes]:
        """As `Kind.save`."""
        return [as_bytes(array) for array in self._arrays()]

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        for array, raw in zip(self._arrays(), saved, strict=True):
            fill(array, raw)

    def sizes(self) -> dict[str, float]:
        """As `Kind.sizes`."""
        return {"item": float(sum(a.strides[0] for a in (self._keys, self._sizes, self._written)))}
