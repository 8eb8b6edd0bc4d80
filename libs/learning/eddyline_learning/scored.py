"""Slates that were scored before their labels were known, and what the labels say of the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eddyline_features.slates.caps import Values
from eddyline_learning.calibration import Bin, calibration_metrics, probabilities, reliability
from eddyline_learning.cold_start import ITEMS, USERS, ColdStart, Counts, in_bands
from eddyline_learning.labels import CLICK, RATING
from eddyline_learning.metrics import Estimate, Floats, Labels, mean_of, order_metrics, overall_auc, spread

CHAMPION = "champion"
SHOWN_ORDER, ITEM_RATE, RANDOM, FROZEN = "shown_order", "item_rate", "random", "frozen"
BASELINES = (SHOWN_ORDER, ITEM_RATE, RANDOM, FROZEN)
_MODELS = (CHAMPION, FROZEN)
TOLD = ("ndcg@", "mrr@", "hr@", "log_loss", "rmse")
"""How metrics begin that are told of parts of the slates."""


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
    interactions: list[int] = field(default_factory=list)
    """Of the person before each."""
    impressions: list[Counts] = field(default_factory=list)
    """Of each slate's items before it, shape (N,)."""
    values: list[Sequence[Values]] = field(default_factory=list)
    """Of each slate, by field: the values of its items, as they were then; none where nobody asked for them."""

    def __len__(self) -> int:
        return len(self.ids)

    def add(
        self,
        slate: str,
        scores: Mapping[str, Floats],
        labels: Labels,
        *,
        shown_at: int = 0,
        interactions: int = 0,
        impressions: Counts | None = None,
        values: Sequence[Values] = (),
    ) -> None:
        """A slate whose labels are final."""
        self.ids.append(slate)
        self.shown_at.append(shown_at)
        self.interactions.append(interactions)
        self.impressions.append(np.zeros(len(labels), np.int32) if impressions is None else impressions)
        self.values.append(values)
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
            interactions=[self.interactions[row] for row in rows],
            impressions=[self.impressions[row] for row in rows],
            values=[self.values[row] for row in rows],
        )

    def cold_start(self, objective: str, k: int) -> ColdStart:
        """The same by what was known: slates by the person's interactions, and what was acted on by its impressions.

        A slate says of each band of items where those of them stand that were acted on, each as if it were the only
        right one, at the mean; it counts once, as everywhere.
        """

        def of_users(among: NDArray[np.bool_]) -> tuple[int, dict[str, dict[str, Estimate]]]:
            some = self.only(np.flatnonzero(among).tolist())
            measured = some.measured(objective, k)
            return len(some), {
                who: {name: e for name, e in of.items() if name.startswith(TOLD)}
                for who, of in measured.items()
            }

        sizes = np.array([len(labels) for labels in self.labels], np.int64)
        slate = np.repeat(np.arange(len(sizes)), sizes)
        labels = np.concatenate([*self.labels, np.empty(0, np.float32)])
        places = {who: _places(np.concatenate([*of, np.empty(0)]), slate) for who, of in self.scores.items()}
        chosen = labels > 0

        def of_items(among: NDArray[np.bool_]) -> tuple[int, dict[str, dict[str, Estimate]]]:
            rows = chosen & among
            return len(np.unique(slate[rows])), {
                who: {name: mean_of(of) for name, of in _where(place[rows], slate[rows], k).items()}
                for who, place in places.items()
            }

        impressions = np.concatenate([*self.impressions, np.empty(0, np.int32)])
        return ColdStart(
            users=in_bands(np.array(self.interactions, np.int32), USERS, of_users),
            items=in_bands(impressions, ITEMS, of_items),
        )

    def calibration(self, objective: str) -> list[Bin]:
        """What the model foresaw and what was observed, by bins of as many rows; empty unless scores are chances."""
        if objective != CLICK or not self.labels:
            return []
        scores = np.concatenate(self.scores[CHAMPION])
        sizes = np.array([len(labels) for labels in self.labels], np.int32)
        return reliability(probabilities(scores), np.concatenate(self.labels), sizes)


def _places(scores: Floats, slate: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each row in its slate, 0 for the first; equal scores keep the order of the rows."""
    order = np.lexsort((-scores, slate))
    found = np.empty(len(order), np.int64)
    firsts = np.searchsorted(slate, slate)
    found[order] = np.arange(len(order)) - firsts
    return found


def _where(places: NDArray[np.int64], slate: NDArray[np.int64], k: int) -> dict[str, Floats]:
    """``ndcg@k``, ``mrr@k``, ``hr@k`` of rows, each alone, at the mean of each slate that has any."""
    _, of_slate, counts = np.unique(slate, return_inverse=True, return_counts=True)
    hit = places < k
    told = {
        f"ndcg@{k}": np.where(hit, 1.0 / np.log2(places + 2.0), 0.0),
        f"mrr@{k}": np.where(hit, 1.0 / (places + 1.0), 0.0),
        f"hr@{k}": hit.astype(np.float64),
    }
    return {name: np.bincount(of_slate, of, len(counts)) / counts for name, of in told.items()}


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
