"""Examples in the order of a log: made up, with a taste that changes in one of four ways, or of public data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ablation import deskdrop, ranklens
from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.boosters import Columns
from eddyline_learning.cycle import Learner
from eddyline_learning.labels import CLICK, RANK
from eddyline_learning.store import Table

MADE_UP = ("none", "abrupt", "gradual", "recurring")
PUBLIC = ("ranklens", "deskdrop")

WARM_ROWS, BATCH_ROWS, N_BATCHES = 20_000, 1_000, 40
_SIZE = 10
_NUMBERS, _CODES = 12, 2


@dataclass(frozen=True)
class Stream:
    """Slates to warm up by, and then batch after batch."""

    table: Table
    columns: Columns
    warm: int
    """Slates before anything is scored."""
    batch: int
    """Slates of a batch."""


def made_up(drift: str, objective: str, seed: int) -> Stream:
    """Slates of 10 items with 12 numbers and 2 codes; who likes what follows one of two tastes.

    ``none``: the first. ``abrupt``: the second after a third of the batches. ``gradual``: more and more of the second
    from the first quarter of the batches to the last. ``recurring``: they take turns, 10 batches each.
    """
    rng = np.random.default_rng([seed, MADE_UP.index(drift)])
    warm, batch = WARM_ROWS // _SIZE, BATCH_ROWS // _SIZE
    n_slates = warm + N_BATCHES * batch
    second = rng.random(n_slates) < _share_of_second(drift, n_slates, warm, batch)
    tastes = [_Taste(np.random.default_rng([seed, 7, which])) for which in (0, 1)]
    vectors = np.empty((n_slates * _SIZE, _NUMBERS + _CODES), np.float32)
    labels = np.empty(n_slates * _SIZE, np.float32)
    for slate in range(n_slates):
        rows = slice(slate * _SIZE, (slate + 1) * _SIZE)
        # Under ``rank`` a slate without a difference teaches nothing and can be judged by nothing.
        while True:
            of_slate = rng.normal(size=(_SIZE, _NUMBERS + _CODES))
            of_slate[:, _NUMBERS:] = rng.integers(0, 12, (_SIZE, _CODES))
            chance = 1.0 / (1.0 + np.exp(1.5 - 1.5 * tastes[int(second[slate])].of(of_slate)))
            clicked = rng.random(_SIZE) < chance
            if objective == CLICK or 0 < clicked.sum() < _SIZE:
                break
        vectors[rows], labels[rows] = of_slate, clicked
    columns = Columns([f"x{n}" for n in range(vectors.shape[1])], list(range(_NUMBERS, vectors.shape[1])))
    table = Table(
        vectors,
        labels,
        np.tile(np.arange(_SIZE, dtype=np.int32), n_slates),
        np.full(n_slates, _SIZE, np.int32),
        np.arange(n_slates),
    )
    return Stream(table, columns, warm, batch)


def public(name: str, data: Path, objective: str) -> Stream:
    """RankLens as autoconfig proposes a view for it, or Deskdrop's pseudo-slates: their vectors, as they were."""
    if name == "ranklens":
        log, _, grouped = ranklens.prepared(data / "ranklens" / "events.jsonl.gz")
        proposed = [group for group in grouped.groups if group not in ranklens.ADDED]
        return _taken(log, grouped.view(proposed, 1), objective, warm=0.5, batch=50)
    log, _, _ = deskdrop.prepared(data / "deskdrop" / "interactions.csv.gz")
    grouped = deskdrop.GROUPED
    return _taken(log, grouped.view(list(grouped.groups), 1), objective, warm=0.3, batch=100)


def _taken(log: Sequence[Logged], view: View, objective: str, *, warm: float, batch: int) -> Stream:
    learning = dataclasses.replace(view.learning, objective=objective, max_examples=10**9)
    view = dataclasses.replace(view, learning=learning)
    learner = Learner(view, State(view), starts_by_itself=False)
    for first in range(0, len(log), 5_000):
        learner.ahead(log[first : first + 5_000])
    at = 0
    while at < len(log) and log[at].sequence <= learner.fold_until:
        some = [logged for logged in log[at : at + 5_000] if logged.sequence <= learner.fold_until]
        learner.behind(some)
        at += len(some)
    learner.collect()
    table = learner.store.table()
    return Stream(table, Columns.of(view), int(warm * table.n_slates), batch)


def _share_of_second(drift: str, n_slates: int, warm: int, batch: int) -> NDArray[np.float64]:
    place = (np.arange(n_slates) - warm) / (n_slates - warm)
    if drift == "abrupt":
        return (place >= 1 / 3).astype(np.float64)
    if drift == "gradual":
        return np.clip((place - 0.25) / 0.5, 0.0, 1.0)
    if drift == "recurring":
        return np.where(place >= 0, (np.arange(n_slates) - warm) // (10 * batch) % 2, 0).astype(np.float64)
    return np.zeros(n_slates)


class _Taste:
    def __init__(self, rng: np.random.Generator) -> None:
        self._pull = np.where(rng.random(_NUMBERS) < 0.5, rng.normal(size=_NUMBERS), 0.0)
        self._pairs = rng.integers(0, _NUMBERS, (4, 2))
        self._of_pair = rng.normal(size=4)
        self._of_code = rng.normal(size=(_CODES, 12)) * 0.7

    def of(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much each is liked; not a sum of its columns alone."""
        told = rows[:, :_NUMBERS] @ self._pull
        for (one, other), weight in zip(self._pairs, self._of_pair, strict=True):
            told = told + weight * np.sign(rows[:, one]) * np.abs(rows[:, other])
        codes = rows[:, _NUMBERS:].astype(int)
        by_code = np.zeros(len(rows))
        for column in range(_CODES):
            by_code += self._of_code[column, codes[:, column]]
        return told + by_code


OBJECTIVES = (RANK, CLICK)
