"""What an interaction is worth as a training target.

``rank`` and ``click``: an item's label is the largest gain among the actions on it, so that a click and the purchase
that follows are not added up, and a repeated click is one click. ``rating``: the newest value, of those actions
whose values are opinions; where a view says so of none, of all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import InteractionRecorded
from eddyline_features.field_values import MOST_VALUE
from eddyline_features.view import Action
from eddyline_learning.pending import PendingSlate

_ANY_VALUE = (-MOST_VALUE, MOST_VALUE)
RANK, CLICK, RATING = "rank", "click", "rating"


def rating_ranges(actions: Mapping[str, Action]) -> dict[str, tuple[float, float]]:
    """The actions that count under ``rating``, with the least and the most that their values count as."""
    found = {name: action.values for name, action in actions.items() if action.values}
    return found or dict.fromkeys(actions, _ANY_VALUE)


class Labelling:
    """Labels by the objective of a view.

    Parameters
    ----------
    objective
        ``rank``, ``click`` or ``rating``.
    actions
        Those that count, by name; an interaction with any other leaves labels as they are.
    """

    def __init__(self, objective: str, actions: Mapping[str, Action]) -> None:
        self.objective = objective
        self._gains = {name: max(0.0, float(action.gain)) for name, action in actions.items()}
        self._rates = rating_ranges(actions)

    def counts(self, interaction: InteractionRecorded) -> bool:
        """Whether its action has a meaning here."""
        if self.objective == RATING:
            return interaction.action in self._rates and not math.isnan(interaction.value)
        return interaction.action in self._gains

    def stands_alone(self, interaction: InteractionRecorded) -> bool:
        """Whether it teaches something without a slate: a rating says how good an item is, beside no others."""
        return self.objective == RATING and self.counts(interaction)

    def add(self, slate: PendingSlate, interaction: InteractionRecorded) -> None:
        """Let an interaction on one of the slate's items change that item's label."""
        if self.objective == RATING:
            least, most = self._rates[interaction.action]
            slate.labels[interaction.item] = min(max(interaction.value, least), most)
            return
        gain = self._gains[interaction.action]
        slate.labels[interaction.item] = max(gain, slate.labels.get(interaction.item, 0.0))

    def teaches(self, slate: PendingSlate) -> bool:
        """Whether a booster can learn anything from the slate as it is labelled.

        For ``rank`` two items must differ; for ``rating`` one must be rated; for ``click`` every slate does.
        """
        if self.objective == CLICK:
            return True
        if self.objective == RATING:
            return bool(slate.labels)
        distinct = set(slate.labels.values())
        if len(slate.labels) < slate.n_impressions:
            distinct.add(0.0)
        return len(distinct) > 1

    def column(self, slate: PendingSlate, items: list[str]) -> NDArray[np.float32]:
        """Labels of the items, shape (N,); NaN for an item without rating."""
        missing = np.nan if self.objective == RATING else 0.0
        column = np.array([slate.labels.get(item, missing) for item in items], np.float32)
        return (column > 0).astype(np.float32) if self.objective == CLICK else column
