"""The trailing fold: takes each slate's vectors when the state stands where the slate was ranked.

This is the only place where vectors for training are made; replaying slates to explain or to compare them uses it too.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from eddyline_contracts.record import Logged
from eddyline_learning.fold import Fold, Vectors
from eddyline_learning.pending import PendingSlate
from eddyline_learning.skew import Skew


class VectorTaker:
    """A fold, and the slates whose vectors are to be taken on its way.

    Parameters
    ----------
    fold
        Stands at some place in the log; only this object moves it on.
    on_taken
        Is told each slate that has got its ``vectors``, in order of ``features_sequence``.
    skew
        Compares each with what was served, where the slate tells that.
    """

    def __init__(
        self, fold: Fold, on_taken: Callable[[PendingSlate], None] | None = None, skew: Skew | None = None
    ) -> None:
        self.fold = fold
        self._on_taken = on_taken
        self._skew = skew
        self._wanted: list[tuple[int, int, PendingSlate]] = []

    def want(self, slates: Iterable[PendingSlate]) -> None:
        """Take these slates' vectors when their place is reached.

        Raises
        ------
        ValueError
            If the fold has passed it: the state is gone.
        """
        for slate in slates:
            if slate.features_sequence < self.fold.sequence:
                raise ValueError(
                    f"slate {slate.id!r} was ranked at {slate.features_sequence}; "
                    f"the fold stands at {self.fold.sequence}"
                )
            heapq.heappush(self._wanted, (slate.features_sequence, slate.sequence, slate))

    def move(self, events: Sequence[Logged]) -> None:
        """Move the fold over the next events of the log, taking vectors between them."""
        done = 0
        for index, logged in enumerate(events):
            if self._wanted and self._wanted[0][0] < logged.sequence:
                self.fold.apply_all(events[done:index])
                done = index
                self._take_before(logged.sequence)
        self.fold.apply_all(events[done:])

    def finish(self) -> None:
        """Take what is wanted at the place where the fold stands, the log's end."""
        self._take_before(1 << 62)

    def _take_before(self, sequence: int) -> None:
        while self._wanted and self._wanted[0][0] < sequence:
            slate = heapq.heappop(self._wanted)[2]
            if not slate.dropped:
                slate.vectors = vectors_of(self.fold, slate)
                at = self.fold.time_of(slate.ranked_at, slate.ranked_at)
                slate.priors = self.fold.first_scores(slate.user, slate.session, slate.candidates, at)
                if self._skew is not None:
                    self._skew.compare(slate)
                if self._on_taken is not None:
                    self._on_taken(slate)
                else:
                    _let_go_of_the_unseen(slate)


def _let_go_of_the_unseen(slate: PendingSlate) -> None:
    """Keep what an example is made of: of a recommendation, hundreds of candidates may not have been shown."""
    rows = slate.shown_rows
    if slate.vectors is not None and slate.priors is not None and len(rows) < len(slate.vectors):
        slate.vectors, slate.priors = slate.vectors[rows], slate.priors[rows]


def vectors_of(fold: Fold, slate: PendingSlate) -> Vectors:
    """The slate's vectors by a fold that stands where it was ranked, shape (N, F), in the order of its candidates."""
    at = fold.time_of(slate.ranked_at, slate.ranked_at)
    return fold.vectors(slate.user, slate.session, slate.candidates, slate.item_fields, slate.context, at)
