"""What people did with each item so far, per time that it was shown: the baseline that a model has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.view import Action
from eddyline_learning.cold_start import Acquaintance
from eddyline_learning.fold import Fold
from eddyline_learning.fold_behind import FoldBehind
from eddyline_learning.labels import CLICK, RATING, rating_ranges

_STRENGTH = 10.0
"""So many impressions (ratings) at the overall rate are added to an item's."""


class ItemRates:
    """Counts over a whole history, nothing decays.

    ``rank`` and ``click``: gain of all interactions over impressions (each interaction 1 under ``click``). ``rating``:
    the mean value of the ratings.
    """

    def __init__(self, objective: str, actions: Mapping[str, Action]) -> None:
        self._objective = objective
        self._gains = {name: max(0.0, float(action.gain)) for name, action in actions.items()}
        self._rates = rating_ranges(actions)
        self._worth: dict[str, float] = {}
        self._times: dict[str, int] = {}
        self._all_worth = 0.0
        self._all_times = 0

    def add(self, events: Sequence[Logged]) -> None:
        """Count the next events of the log."""
        for logged in events:
            event = logged.event
            if isinstance(event, SlateServed):
                if self._objective != RATING:
                    for item in {shown.item for shown in event.items}:
                        self._count_time(item)
            elif isinstance(event, InteractionRecorded):
                self._interaction(event)

    def of(self, items: Sequence[str]) -> NDArray[np.float64]:
        """Smoothed rates, shape (N,)."""
        overall = self._all_worth / max(1, self._all_times)
        worth, times = self._worth.get, self._times.get
        return np.array(
            [(worth(i, 0.0) + _STRENGTH * overall) / (times(i, 0) + _STRENGTH) for i in items], np.float64
        )

    def _interaction(self, event: InteractionRecorded) -> None:
        gain = self._gains.get(event.action)
        if gain is None:
            return
        worth = gain
        if self._objective == RATING:
            if event.action not in self._rates or event.value != event.value:
                return
            least, most = self._rates[event.action]
            worth = min(max(event.value, least), most)
            self._count_time(event.item)
        elif self._objective == CLICK:
            worth = float(gain > 0)
        self._worth[event.item] = self._worth.get(event.item, 0.0) + worth
        self._all_worth += worth

    def _count_time(self, item: str) -> None:
        self._times[item] = self._times.get(item, 0) + 1
        self._all_times += 1


class CountingFold(FoldBehind):
    """A fold with counts that move along with it, so that all are of the same place in the log."""

    def __init__(self, fold: Fold, rates: ItemRates, met: Acquaintance) -> None:
        super().__init__(fold)
        self.rates = rates
        self.met = met

    def apply_all(self, events: Sequence[Logged]) -> None:
        """Move all forward."""
        self.rates.add(events)
        self.met.add(events)
        super().apply_all(events)
