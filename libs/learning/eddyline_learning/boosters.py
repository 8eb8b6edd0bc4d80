"""Training a LightGBM booster from a table of examples: the same table gives the same trees, in any process.

The mean of the target is kept outside of the trees as a bias, so that trees can be added and taken away later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from eddyline_features.view import Learning, View
from eddyline_learning.fold import Vectors
from eddyline_learning.labels import CLICK, RANK, RATING
from eddyline_learning.store import Table
from eddyline_learning.trees import as_text, from_text, joined

_GRADES = 32
"""Different labels that LambdaMART is told apart; more are rounded to so many evenly spaced ones."""
_LONGEST_STEP = 20.0
"""Under ``click``, in log-odds, and of it a tree gives the part ``learning_rate``. A leaf is worth the sum of gradients
over that of p(1 − p): where a sure model meets clicks that it did not expect, that is hundreds without a bound, and
trees that were added made it worse than none by orders of magnitude (see docs/strategies.md)."""
_LIGHTGBM = {RANK: "lambdarank", CLICK: "binary", RATING: "regression"}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained booster and the bias to add to its raw scores."""

    booster: lgb.Booster
    bias: float

    def raw_scores(self, vectors: Vectors, n_trees: int | None = None) -> NDArray[np.float64]:
        """Raw scores of rows, shape (N,): the (first so many) trees' sum in their order, then the bias."""
        scores: NDArray[np.float64] = self.booster.predict(
            vectors, raw_score=True, num_threads=1, num_iteration=-1 if n_trees is None else n_trees
        )
        return scores + self.bias if self.bias else scores

    @property
    def n_trees(self) -> int:
        """How many trees it has."""
        return int(self.booster.num_trees())

    def first(self, n_trees: int) -> Fitted:
        """The same without its newest trees."""
        return Fitted(from_text(as_text(self.booster, n_trees)), self.bias)


@dataclass(frozen=True, slots=True)
class Columns:
    """What the booster must know of the F columns."""

    names: list[str]
    categorical: list[int]
    """Those that hold codes."""
    position: int | None = None
    """The one that is set to where an item was shown."""

    @classmethod
    def of(cls, view: View) -> Columns:
        """Those of a view."""
        return cls(view.columns, view.categorical_columns, view.position_column)


class Abandoned(Exception):
    """Training was stopped before its end."""


def train(
    table: Table,
    columns: Columns,
    settings: Learning,
    *,
    start: Fitted | None = None,
    n_trees: int | None = None,
    num_threads: int = 1,
    should_stop: Callable[[], bool] = lambda: False,
) -> Fitted:
    """Train from scratch, or further from where another booster ends. ``should_stop`` is asked after each tree.

    Parameters
    ----------
    start
        Its trees come first, as they are, and its bias stays.
    n_trees
        Trees to add; those of the settings where it is not given.
    num_threads
        Changes the speed only (a test compares the bytes). One is the default: the ranker shares the machine, and two
        threads on two busy cores were slower than one.

    Raises
    ------
    Abandoned
        If ``should_stop`` said so.
    """
    parameters = _parameters(settings, num_threads)

    def after_each_tree(_: object) -> None:
        if should_stop():
            raise Abandoned

    with training_rows(table, columns, settings.objective) as rows:
        bias = _bias(rows.labels, settings.objective) if start is None else start.bias
        if rows.label_gain is not None:
            parameters["label_gain"] = rows.label_gain
        # Not LightGBM's init_model: it would leave the bias out of where training starts.
        before = start.raw_scores(rows.vectors) if start is not None else None
        if before is None and bias:
            before = np.full(len(rows.labels), bias)
        dataset = lgb.Dataset(
            rows.vectors,
            label=rows.target,
            group=rows.sizes if settings.objective == RANK else None,
            weight=rows.weights,
            position=_places(table) if _learns_places(settings) else None,
            init_score=before,
            # LightGBM takes no names with JSON's own characters in them; the bundle has the real ones.
            feature_name=[f"f{i}" for i in range(len(columns.names))],
            categorical_feature=columns.categorical,
            params=parameters,
        )
        dataset.construct()
    booster = lgb.train(parameters, dataset, n_trees or settings.trees, callbacks=[after_each_tree])
    if start is not None:
        booster = from_text(joined(as_text(start.booster), as_text(booster)))
    return Fitted(booster, bias)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What LightGBM is told of a table: R rows."""

    vectors: Vectors
    labels: NDArray[np.float32]
    """shape (R,)"""
    target: NDArray[Any]
    """shape (R,): whole grades under ``rank``, else the labels."""
    sizes: NDArray[np.int32]
    """shape (S,): rows of each slate; under ``rating`` of no account, since only what was rated is left."""
    label_gain: list[float] | None
    """Under ``rank``: what each grade is worth."""
    weights: NDArray[np.float64] | None
    """Under ``rank``, shape (R,): how much the row's slate counts; none: all alike."""


@contextmanager
def training_rows(table: Table, columns: Columns, objective: str) -> Iterator[Rows]:
    """The rows of a table that can be trained on; inside, their vectors say where each item was shown."""
    vectors, labels, positions = table.vectors, table.labels, table.positions
    if objective == RATING:
        rated = ~np.isnan(labels)
        vectors, labels, positions = vectors[rated], labels[rated], positions[rated]
    target: NDArray[Any] = labels
    label_gain = weights = None
    if objective == RANK:
        target, label_gain = _grades(labels)
        weights = None if table.weights is None else np.repeat(table.weights, table.sizes)
    with _positions_in(vectors, positions, columns.position):
        yield Rows(vectors, labels, target, table.sizes, label_gain, weights)


def _learns_places(settings: Learning) -> bool:
    """Whether LightGBM is to find out by itself how places are looked at."""
    return settings.objective == RANK and settings.position_bias == "lightgbm"


def _places(table: Table) -> NDArray[np.int32]:
    """Where each row was shown, for LightGBM; one place for all that others ordered, of which nothing is assumed."""
    if table.shuffled is None:
        return np.zeros(table.n_rows, np.int32)
    return np.where(np.repeat(table.shuffled, table.sizes) >= 0, table.positions + 1, 0).astype(np.int32)


def _parameters(settings: Learning, num_threads: int) -> dict[str, Any]:
    told = {"max_delta_step": _LONGEST_STEP} if settings.objective == CLICK else {}
    return {
        **told,
        "objective": _LIGHTGBM[settings.objective],
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.min_data_in_leaf,
        "lambda_l1": settings.lambda_l1,
        "lambda_l2": settings.lambda_l2,
        "feature_fraction": settings.feature_fraction,
        "seed": settings.seed,
        "boost_from_average": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": num_threads,
        "verbosity": -1,
    }


@contextmanager
def _positions_in(vectors: Vectors, positions: NDArray[np.int32], column: int | None) -> Iterator[None]:
    """Inside, the vectors say where each item was shown; after, what was served again. Saves a copy of them all."""
    if column is None:
        yield
        return
    served = vectors[:, column].copy()
    vectors[:, column] = positions
    try:
        yield
    finally:
        vectors[:, column] = served


def _grades(labels: NDArray[np.float32]) -> tuple[NDArray[np.int32], list[float]]:
    """Whole grades for LambdaMART and the gain of each: gains are the labels themselves, not 2^label − 1."""
    gains = np.unique(np.append(labels, np.float32(0.0)))
    if len(gains) > _GRADES:
        gains = np.linspace(0.0, float(gains[-1]), _GRADES).astype(np.float32)
    middles = (gains[1:] + gains[:-1]) / 2
    return np.searchsorted(middles, labels).astype(np.int32), [float(gain) for gain in gains]


def _bias(labels: NDArray[np.float32], objective: str) -> float:
    """What a model without trees should say: the mean, or the log-odds of a click (with a half added to each side)."""
    if objective == RATING:
        return float(labels.mean(dtype=np.float64)) if len(labels) else 0.0
    if objective == CLICK:
        clicks = float(labels.sum(dtype=np.float64))
        return math.log((clicks + 0.5) / (len(labels) - clicks + 0.5))
    return 0.0
