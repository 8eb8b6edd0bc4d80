"""Candidates for a person: the most popular items by several half-lives, and what goes with the person's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from eddyline_features.entities import Table
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, kernel
from eddyline_features.retrieval.popular import Popular
from eddyline_features.retrieval.together import Together

FADE = 0.8
"""What the item before counts, of those that somebody acted on lately."""
_SPARE = 4
"""Popular items kept in order, for each one that is asked for: some of them have been seen."""


@kernel
def in_turn(tops: IntTable, n_tops: Ints, beside: Ints, taken: Ints, out: Ints) -> int:
    """Take from each list in turn what is not taken yet: two from ``beside``, then one from each of ``tops``.

    ``taken``, shape (items,): 1 where an item must not be taken; what is written into ``out`` is marked there too.
    """
    n = 0
    at = np.zeros(tops.shape[0] + 1, np.int64)
    going = True
    while going and n < out.shape[0]:
        going = False
        for source in range(-2, tops.shape[0]):
            which = max(source, -1) + 1
            size = beside.shape[0] if source < 0 else n_tops[source]
            while at[which] < size:
                row = beside[at[which]] if source < 0 else tops[source, at[which]]
                at[which] += 1
                if taken[row] == 0:
                    taken[row] = 1
                    going = True
                    if n < out.shape[0]:
                        out[n] = row
                        n += 1
                    break
    return n


@dataclass(frozen=True, slots=True)
class Candidates:
    """N items, in the order in which they were found; and what was known of them."""

    items: list[str]
    popular: FloatTable
    """Decayed numbers of actions, shape (H, N); comparable within a half-life."""
    together: Floats
    """How much each goes with the person's own, shape (N,); 0 where nothing is known."""


class _Known(Table):
    def begin(self, row: int) -> None:
        """Nothing is kept here."""


class Retrieval:
    """What is learnt of items; whose acts they were is said in each call (see ``own``).

    Parameters
    ----------
    half_lives_ms
        Of popularity, H of them.
    together_half_life_ms
        Of pairs of items.
    items
        Known at most; the one longest without an action is forgotten first.
    most
        Candidates asked for at most.
    """

    def __init__(
        self, half_lives_ms: Sequence[int], together_half_life_ms: int, *, items: int, most: int
    ) -> None:
        self._items = _Known(items)
        self._popular = Popular(half_lives_ms, items, max(1_024, _SPARE * most))
        self._together = Together(together_half_life_ms, self._items.meta)
        self._items.on_begin += [self._popular.begin, self._together.begin]
        self._taken: Ints = np.zeros(items, np.int32)

    def learn(self, item: str, beside: Sequence[str], at: int) -> None:
        """Somebody acted on an item, at ms since the Unix epoch, having acted on those beside it before."""
        row = self._items.touch(item, at)
        self._popular.add(row, at)
        rows = self._rows(beside)
        self._together.add(row, rows[rows != row], at)

    def candidates(self, recent: Sequence[str], seen: Collection[str], n: int) -> Candidates:
        """At most ``n`` items, none of them ``seen``; changes nothing.

        Parameters
        ----------
        recent
            What the person acted on lately, the newest first.
        """
        hidden = self._rows(seen)
        hidden = hidden[hidden >= 0]
        beside, scores = self._together.around(self._rows(recent), FADE)
        self._taken[hidden] = 1
        out: Ints = np.empty(n, np.int32)
        rows = out[: in_turn(self._popular.tops, self._popular.n, beside, self._taken, out)]
        self._taken[hidden] = 0
        self._taken[self._popular.tops.ravel()] = 0
        self._taken[beside] = 0
        together: Floats = np.zeros(len(rows))
        if len(beside):
            order = np.argsort(beside, kind="stable")
            place = np.minimum(np.searchsorted(beside[order], rows), len(beside) - 1)
            found = order[place]
            together = np.where(beside[found] == rows, scores[found], 0.0)
        ids = self._items.ids
        return Candidates([ids[row] for row in rows.tolist()], self._popular.values[:, rows], together)

    def _rows(self, items: Collection[str]) -> Ints:
        get = self._items.rows.get
        return np.array([get(item, -1) for item in items], np.int32)
