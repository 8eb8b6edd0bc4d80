"""What an interaction is worth as a training target.

``rank`` and ``click``: an item's label is the largest gain among the actions on it, so that a click and the purchase
that follows are not added up, and a repeated click is one click. ``rating``: the newest value.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import InteractionRecorded
from eddyline_features.view import Action
from eddyline_learning.pending import PendingSlate

RANK, CLICK, RATING = "rank", "click", "rating"


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

    def counts(self, interaction: InteractionRecorded) -> bool:
        """Whether its action has a meaning here."""
        return interaction.action in self._gains

    def add(self, slate: PendingSlate, interaction: InteractionRecorded) -> None:
        """Let an interaction on one of the slate's items change that item's label."""
        if self.objective == RATING:
            slate.labels[interaction.item] = interaction.value
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
