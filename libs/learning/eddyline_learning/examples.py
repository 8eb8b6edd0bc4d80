"""Examples from a log: two cursors over it, one that joins ahead and one that folds behind.

What comes out is a function of the log up to the newest event given to `Examples.ahead`; how often `Examples.behind`
is called, and how the log is cut into batches, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.record import Logged
from eddyline_features.learning_settings import Breaker
from eddyline_learning.fold import Fold, Vectors
from eddyline_learning.joining import Joiner, JoinLimits
from eddyline_learning.labels import Labelling
from eddyline_learning.pending import PendingSlate
from eddyline_learning.skew import Skew
from eddyline_learning.taking import VectorTaker


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A ripe slate with the vectors it was ranked by. Rows are its shown items in the order of its candidates."""

    slate: str
    sequence: int
    """Its place in the log."""
    occurred_at: int
    items: list[str]
    vectors: Vectors
    """shape (N, F), as they were served."""
    positions: NDArray[np.int32]
    """shape (N,): where each was shown, 0 at the top."""
    labels: NDArray[np.float32]
    """shape (N,); under ``rating`` NaN for what was not rated."""
    priors: NDArray[np.float32]
    """shape (N,): how good each item was for anybody, when and where the slate was ranked."""
    shuffled: int = -1
    """Of so many places, the first ones, chance drew the order; 0 where the ranker ordered all of it; below 0 where
    somebody else did."""
    labelled_at: int = 0
    """When the log got the newest interaction that changed a label, in ms since the Unix epoch; 0 if none did."""


class Examples:
    """Turns a log into examples.

    Give every event to `ahead` in the order of the log, and again, up to and including `fold_until`, to `behind`.

    Parameters
    ----------
    fold
        A fresh state of the view; it is moved by `behind` only.
    labelling
        What interactions are worth.
    window_ms
        How long after a slate its labels are still awaited.
    breaker
        When clicks are held to have stalled.
    on_taken
        Is told each slate that has got its vectors, while the fold stands where it was ranked; also of those that
        teach nothing, and so become no example. Its labels are final once it is ``sealed``, and they are what people
        did once it is ``cleared``; or else it is ``stalled``.
    take_barren
        Which of those that teach nothing ``on_taken`` is to be told of; all where it is not given.
    skew
        Compares the vectors of slates that tell what was served; no example depends on it.
    """

    def __init__(
        self,
        fold: Fold,
        labelling: Labelling,
        window_ms: int,
        limits: JoinLimits | None = None,
        *,
        breaker: Breaker | None = None,
        on_taken: Callable[[PendingSlate], None] | None = None,
        take_barren: Callable[[PendingSlate], bool] | None = None,
        skew: Skew | None = None,
    ) -> None:
        wants = take_barren or (lambda _: on_taken is not None)
        self.joiner = Joiner(labelling, window_ms, limits, breaker=breaker, take_barren=wants)
        self._labelling = labelling
        self._taker = VectorTaker(fold, on_taken, skew)

    @property
    def n_decided(self) -> int:
        """Examples since the start of the log, whether their vectors are taken yet or not."""
        return self.joiner.n_complete

    @property
    def fold_sequence(self) -> int:
        """Where the fold stands."""
        return self._taker.fold.sequence

    @property
    def fold_until(self) -> int:
        """How far the fold may move."""
        return self.joiner.mark.sequence

    def ahead(self, logged: Logged) -> None:
        """Read one event further."""
        self.joiner.apply(logged)

    def behind(self, events: Sequence[Logged]) -> None:
        """Move the fold over these events, the next ones after `fold_sequence`, none beyond `fold_until`."""
        self._taker.want(self.joiner.due)
        self.joiner.due.clear()
        if events and events[-1].sequence > self.fold_until:
            raise ValueError(f"the fold may move to {self.fold_until}, not to {events[-1].sequence}")
        self._taker.move(events)

    def drain(self) -> list[Example]:
        """The next examples, in the order in which the log decided them.

        Raises
        ------
        ValueError
            If the fold has not moved to `fold_until` yet.
        """
        examples = [self._example(slate) for slate in self.joiner.complete]
        self.joiner.complete.clear()
        return examples

    def _example(self, slate: PendingSlate) -> Example:
        vectors, priors = slate.vectors, slate.priors
        if vectors is None or priors is None:
            raise ValueError(
                f"the fold must move to {self.fold_until} first; it stands at {self.fold_sequence}"
            )
        rows = slate.shown_rows
        items = [slate.candidates[row] for row in rows]
        return Example(
            slate=slate.id,
            sequence=slate.sequence,
            occurred_at=slate.occurred_at,
            items=items,
            vectors=vectors[rows] if len(rows) < len(vectors) else vectors,
            positions=np.array([slate.places[item] for item in items], np.int32),
            labels=self._labelling.column(slate, items),
            priors=priors[rows] if len(rows) < len(priors) else priors,
            shuffled=slate.shuffled,
            labelled_at=slate.labelled_at,
        )
