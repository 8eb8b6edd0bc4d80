"""Counting distinct things in bounded memory, with a fair sample of them. Deterministic: the sample depends on the
things alone, not on their order.

A thing is kept while its hash is among the k smallest. Whatever is kept at the end was kept since it first came, so its
count is exact, and the kept ones are a uniform sample of all distinct things (Bar-Yossef et al. 2002).
"""

from __future__ import annotations

import hashlib
import heapq

_SPACE = 2**64


class DistinctSample:
    """Up to ``k`` distinct keys with their counts; exact while there are no more than that."""

    def __init__(self, k: int = 4_096) -> None:
        self.counts: dict[str, int] = {}
        self.first_at: dict[str, int] = {}
        """When each kept key came first, as told to `add`."""
        self.total = 0
        """Sum over all keys, kept or not."""
        self._k = k
        self._largest: list[tuple[int, str]] = []

    def add(self, key: str, amount: int = 1, at: int = 0) -> None:
        """Count a key; ``at`` is remembered when it comes for the first time."""
        self.total += amount
        known = self.counts.get(key)
        if known is not None:
            self.counts[key] = known + amount
            return
        place = _hash(key)
        full = len(self.counts) >= self._k
        if full and place >= -self._largest[0][0]:
            return
        self.counts[key] = amount
        self.first_at[key] = at
        if full:
            _, gone = heapq.heapreplace(self._largest, (-place, key))
            del self.counts[gone], self.first_at[gone]
        else:
            heapq.heappush(self._largest, (-place, key))

    @property
    def is_exact(self) -> bool:
        """Whether every key is kept."""
        return len(self.counts) < self._k

    @property
    def n_distinct(self) -> int:
        """How many distinct keys there were; beyond ``k`` an estimate, off by about 1 / √k."""
        if self.is_exact:
            return len(self.counts)
        return round((self._k - 1) * _SPACE / max(1, -self._largest[0][0]))

    def quantile(self, share: float) -> int:
        """The count that this share of the keys does not exceed; 0 without keys."""
        if not self.counts:
            return 0
        ordered = sorted(self.counts.values())
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def commonest(self) -> list[str]:
        """Kept keys, the most frequent first; equal ones by name."""
        return sorted(self.counts, key=lambda key: (-self.counts[key], key))


def _hash(key: str) -> int:
    raw = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "little")
