"""What would have been proposed to a person, from what was known before: recent popularity and co-visitation."""

from __future__ import annotations

from collections import Counter, defaultdict, deque

import numpy as np

_LAST = 10
_REBASE = 500
"""Half-lives after which weights are scaled down, so that none overflows."""


class Recent:
    """Decayed numbers of actions of all items.

    Parameters
    ----------
    half_life_ms
        Forward decay: what happens at t counts 2^((t − landmark) / half-life), so nothing is touched as time passes.
    """

    def __init__(self, half_life_ms: int, n_items: int) -> None:
        self._half_life = half_life_ms
        self._landmark = 0
        self._values = np.zeros(n_items)

    def add(self, item: int, at: int) -> None:
        """An action on this item, at ms since the Unix epoch; times do not go back."""
        ago = (at - self._landmark) / self._half_life
        if ago > _REBASE:
            self._values *= 2.0 ** -min(ago, 1_000.0)
            self._landmark, ago = at, 0.0
        self._values[item] += 2.0**ago

    def best(self, n: int) -> list[int]:
        """At most n items, the most popular first; never one without an action."""
        known = np.flatnonzero(self._values)
        order = np.lexsort((known, -self._values[known]))[:n]
        return [int(item) for item in known[order]]


class Retrieval:
    """Proposes candidates; all it knows was told by `apply`.

    Parameters
    ----------
    half_lives_ms
        Of popularity: short, long.
    n
        Candidates to propose. A third of them goes to co-visitation and to long popularity each at first, what is
        missing then to short popularity, and to long.
    """

    def __init__(self, half_lives_ms: tuple[int, int], n_items: int, n: int = 100) -> None:
        self._n = n
        self._short, self._long = (Recent(half_life, n_items) for half_life in half_lives_ms)
        self._together: dict[int, Counter[int]] = defaultdict(Counter)
        self._last: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=_LAST))
        self._seen: dict[str, set[int]] = defaultdict(set)

    def apply(self, user: str, item: int, at: int) -> None:
        """Somebody acted on an item, at ms since the Unix epoch."""
        self._short.add(item, at)
        self._long.add(item, at)
        last = self._last[user]
        for other in last:
            if other != item:
                self._together[other][item] += 1
                self._together[item][other] += 1
        if item in last:
            last.remove(item)
        last.append(item)
        self._seen[user].add(item)

    def has_seen(self, user: str, item: int) -> bool:
        """Whether this person has acted on it."""
        return item in self._seen.get(user, ())

    def candidates(self, user: str) -> list[int]:
        """At most n items that this person has not acted on, best first."""
        seen = self._seen.get(user, set())
        n_more = self._n + len(seen)
        short = [item for item in self._short.best(n_more) if item not in seen]
        long = [item for item in self._long.best(n_more) if item not in seen]
        share = self._n // 3
        together = self._covisited(user, seen)[:share]
        wanted = [*short[: self._n - 2 * share], *together, *long[:share], *short, *long]
        return list(dict.fromkeys(wanted))[: self._n]

    def _covisited(self, user: str, seen: set[int]) -> list[int]:
        scores: dict[int, float] = defaultdict(float)
        for item in self._last.get(user, ()):
            beside = self._together.get(item)
            if beside:
                total = beside.total()
                for other, times in beside.items():
                    if other not in seen:
                        scores[other] += times / total
        return _first(scores)


def _first(scores: dict[int, float]) -> list[int]:
    # Equal ones by their number, so that the order of a dict decides nothing.
    return sorted(scores, key=lambda item: (-scores[item], item))
