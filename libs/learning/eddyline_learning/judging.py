"""What becomes of slates that are scored before their labels are known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from eddyline_features.slates.caps import Values
from eddyline_learning.cold_start import Acquaintance, Counts
from eddyline_learning.fold import Vectors
from eddyline_learning.item_rates import ItemRates
from eddyline_learning.labels import Labelling
from eddyline_learning.metrics import Floats
from eddyline_learning.pending import PendingSlate
from eddyline_learning.scored import CHAMPION, FROZEN, ITEM_RATE, RANDOM, SHOWN_ORDER, ScoredSlates


class Models(Protocol):
    """Those that score a slate."""

    def scores(self, vectors: Vectors) -> tuple[Floats, Floats]:
        """Raw scores, each of shape (N,), by the model that served at the slate's place, and by the first one."""


class Judging(Protocol):
    """Is told each slate once its vectors are taken, while the fold stands where it was ranked."""

    @property
    def n_scored(self) -> int:
        """Slates that were scored so far."""

    def warm(self, slate: PendingSlate) -> None:
        """A slate of the warm-up: nothing of it is reported."""

    def judge(self, slate: PendingSlate, models: Models) -> None:
        """Score a slate. Its labels are final once it is ``cleared``; where it is ``stalled``, nobody knows them."""

    def settle(self) -> None:
        """Some slates may have been cleared, or found to have stalled."""


ValuesOf = Callable[[Sequence[str]], Sequence[Values]]
"""By field, the values of items."""


class _Waiting(NamedTuple):
    """A slate that was scored and whose labels are not final yet."""

    slate: PendingSlate
    items: list[str]
    scores: dict[str, Floats]
    interactions: int
    impressions: Counts
    values: Sequence[Values]


class OrderJudging:
    """How well the items of each slate are ordered: protocol ``rerank``.

    Parameters
    ----------
    rates
        Of the items; they move along with the fold.
    met
        How often people and items were met; moves along with the fold, too.
    seed
        Of the random order.
    values_of
        By field, the values of items as the fold has them now; none where nobody asks for them later.
    """

    def __init__(
        self,
        labelling: Labelling,
        rates: ItemRates,
        met: Acquaintance,
        seed: int,
        values_of: ValuesOf = lambda items: (),
    ) -> None:
        self._labelling, self._rates, self._met, self._seed = labelling, rates, met, seed
        self._values_of = values_of
        self._waiting: list[_Waiting] = []
        self.slates = ScoredSlates()
        """Those whose labels are final."""

    @property
    def n_scored(self) -> int:
        """As `Judging`."""
        return len(self.slates) + len(self._waiting)

    def warm(self, slate: PendingSlate) -> None:
        """As `Judging`."""

    def judge(self, slate: PendingSlate, models: Models) -> None:
        """As `Judging`."""
        rows = slate.shown_rows
        vectors = slate.vectors
        assert vectors is not None
        items = [slate.candidates[row] for row in rows]
        champion, frozen = models.scores(vectors if len(rows) == len(vectors) else vectors[rows])
        scores = {
            CHAMPION: champion,
            SHOWN_ORDER: np.array([-slate.places[item] for item in items], np.float64),
            ITEM_RATE: self._rates.of(items),
            RANDOM: at_random(self._seed, slate.id, len(items)),
            FROZEN: frozen,
        }
        interactions = self._met.interactions(slate.user, slate.session)
        impressions, values = self._met.impressions(items), self._values_of(items)
        self._waiting.append(_Waiting(slate, items, scores, interactions, impressions, values))

    def settle(self) -> None:
        """Take the labels of slates that are cleared, and let go of the rest of them."""
        still = []
        for waiting in self._waiting:
            slate = waiting.slate
            if slate.cleared:
                labels = self._labelling.column(slate, waiting.items)
                self.slates.add(
                    slate.id,
                    waiting.scores,
                    labels,
                    shown_at=slate.occurred_at,
                    interactions=waiting.interactions,
                    impressions=waiting.impressions,
                    values=waiting.values,
                )
            elif not slate.stalled:
                still.append(waiting)
        self._waiting = still


def at_random(seed: int, slate: str, n: int) -> Floats:
    """Numbers that depend on the slate's id, so that another slate more or less changes nothing."""
    digest = hashlib.sha256(slate.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")]).random(n)
