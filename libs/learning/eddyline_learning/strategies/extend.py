"""A few trees more, on the newest examples and older ones beside them; trees that have stopped helping go first.

Trees on the newest batch alone make a booster forget (measured: worse than never learning at all). And the tail, the
trees beyond the base, is cut back to where it is best on labels that none of its trees has seen, so that what was
learnt of a time that is over does not stay.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eddyline_features.view import Learning
from eddyline_learning.boosters import Columns, Fitted, train
from eddyline_learning.labels import CLICK, RANK
from eddyline_learning.metrics import mean_of, ndcg
from eddyline_learning.store import Table

_K = 10


def extend(
    kept: Fitted,
    replayed: Table,
    columns: Columns,
    settings: Learning,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Fitted:
    """``extend_trees`` more trees.

    Parameters
    ----------
    kept
        A booster without what has stopped helping: see `best_length`.
    replayed
        Slates that it has not seen, and older ones.
    """
    return train(
        replayed, columns, settings, start=kept, n_trees=settings.extend_trees, should_stop=should_stop
    )


def best_length(fitted: Fitted, table: Table, settings: Learning) -> int:
    """How many trees do best on these labels: the base and as much of the tail as helps; the longest of equals."""
    base = min(settings.trees, fitted.n_trees)
    lengths = [*range(fitted.n_trees, base, -settings.extend_trees), base]
    if len(lengths) == 1 or not table.n_rows:
        return fitted.n_trees
    found = [_goodness(fitted.raw_scores(table.vectors, n), table, settings.objective) for n in lengths]
    return lengths[int(np.nanargmax(found))] if not np.isnan(found).all() else fitted.n_trees


def _goodness(raw: NDArray[np.float64], table: Table, objective: str) -> float:
    if objective == RANK:
        return mean_of(ndcg(raw, table.labels, table.sizes, _K)).mean
    known = ~np.isnan(table.labels)
    labels, raw = table.labels[known].astype(np.float64), raw[known]
    if not len(labels):
        return float("nan")
    if objective == CLICK:
        return -float((np.logaddexp(0.0, raw) - labels * raw).mean())
    return -float(((raw - labels) ** 2).mean())
