"""Slates that were scored before their labels were known, and what the labels say of the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eddyline_learning.calibration import Bin, calibration_metrics, probabilities, reliability
from eddyline_learning.labels import CLICK, RATING
from eddyline_learning.metrics import Estimate, Floats, Labels, mean_of, order_metrics, overall_auc, spread

CHAMPION = "champion"
SHOWN_ORDER, ITEM_RATE, RANDOM, FROZEN = "shown_order", "item_rate", "random", "frozen"
BASELINES = (SHOWN_ORDER, ITEM_RATE, RANDOM, FROZEN)
_MODELS = (CHAMPION, FROZEN)


@dataclass
class ScoredSlates:
    """All slates that were scored, in the order of the log of those that were known first."""

    ids: list[str] = field(default_factory=list)
    scores: dict[str, list[Floats]] = field(
        default_factory=lambda: {name: [] for name in (CHAMPION, *BASELINES)}
    )
    """By who scored: of each slate, shape (N,)."""
    labels: list[Labels] = field(default_factory=list)
    shown_at: list[int] = field(default_factory=list)
    """When each was shown, in ms since the Unix epoch."""

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, slate: str, scores: Mapping[str, Floats], labels: Labels, *, shown_at: int = 0) -> None:
        """A slate whose labels are final."""
        self.ids.append(slate)
        self.shown_at.append(shown_at)
        for name, of_slate in scores.items():
            self.scores[name].append(of_slate)
        self.labels.append(labels)

    def measured(self, objective: str, k: int) -> dict[str, dict[str, Estimate]]:
        """By who scored, every metric by its name: see `order_metrics`, `overall_auc`, `calibration_metrics`.

        ``auc`` and ``slate_auc`` are over all rows, and by slate. Where scores are probabilities (``click``), or
        values (``rating``: ``rmse`` over the rated rows), they are judged as such.
        """
        sizes = np.array([len(labels) for labels in self.labels], np.int32)
        labels = np.concatenate([*self.labels, np.empty(0, np.float32)])
        found = {}
        for name, of_slates in self.scores.items():
            scores = np.concatenate([*of_slates, np.empty(0)])
            metrics = {m: mean_of(v) for m, v in order_metrics(scores, labels, sizes, k).items()}
            metrics["auc"] = overall_auc(scores, labels, sizes)
            if objective == CLICK and (name in _MODELS or name == ITEM_RATE):
                predicted = probabilities(scores) if name in _MODELS else np.clip(scores, 0.0, 1.0)
                metrics |= calibration_metrics(predicted, labels, sizes)
            if objective == RATING and (name in _MODELS or name == ITEM_RATE):
                metrics["rmse"] = _rmse(scores, labels, sizes.astype(np.int64))
            found[name] = metrics
        return found

    def only(self, rows: Sequence[int]) -> ScoredSlates:
        """Some of them."""
        return ScoredSlates(
            ids=[self.ids[row] for row in rows],
            scores={who: [of_slates[row] for row in rows] for who, of_slates in self.scores.items()},
            labels=[self.labels[row] for row in rows],
            shown_at=[self.shown_at[row] for row in rows],
        )

    def calibration(self, objective: str) -> list[Bin]:
        """What the model foresaw and what was observed, by bins of as many rows; empty unless scores are chances."""
        if objective != CLICK or not self.labels:
            return []
        scores = np.concatenate(self.scores[CHAMPION])
        sizes = np.array([len(labels) for labels in self.labels], np.int32)
        return reliability(probabilities(scores), np.concatenate(self.labels), sizes)


def _rmse(scores: Floats, labels: Labels, sizes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Estimate:
    rated = ~np.isnan(labels)
    slate = np.repeat(np.arange(len(sizes)), sizes)[rated]
    squares = (scores[rated] - labels[rated]) ** 2
    if not len(squares):
        return Estimate(float("nan"), float("nan"), 0)
    mean = float(squares.mean())
    rmse = float(np.sqrt(mean))
    pulls = np.bincount(slate, squares - mean, len(sizes)) / len(squares)
    n = len(np.unique(slate))
    # The slope of the square root carries the error of the mean square over.
    return Estimate(rmse, spread(pulls) / (2.0 * rmse) if rmse else 0.0, n)
