"""The vectors of the slates that the ranker served lately, whatever came of them: to explain them when somebody asks.

Examples are of slates that teach something; most are shown and left. No example, model or decision depends on this.
"""

from __future__ import annotations

from collections import OrderedDict

from eddyline_learning.fold import Vectors
from eddyline_learning.pending import PendingSlate


class LatelyServed:
    """Holds the newest so many impressions, slate by slate."""

    def __init__(self, max_impressions: int) -> None:
        self._max_impressions = max_impressions
        self._n_impressions = 0
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()

    def wants(self, slate: PendingSlate) -> bool:
        """Whether the vectors of such a slate are to be taken even though it teaches nothing."""
        return slate.served_by_us and self._max_impressions > 0

    def keep(self, slate: PendingSlate) -> None:
        """Remember a slate whose vectors have just been taken."""
        if slate.vectors is None or not self.wants(slate):
            return
        self._forget(slate.id)
        rows = slate.vectors[slate.shown_rows]
        self._vectors[slate.id] = rows
        self._n_impressions += len(rows)
        while self._n_impressions > self._max_impressions:
            self._forget(next(iter(self._vectors)))

    def of(self, slate: str) -> Vectors | None:
        """Vectors of its shown items, shape (N, F), ordered as `PendingSlate.shown_rows`; None if it is not held."""
        return self._vectors.get(slate)

    def _forget(self, slate: str) -> None:
        rows = self._vectors.pop(slate, None)
        self._n_impressions -= 0 if rows is None else len(rows)
