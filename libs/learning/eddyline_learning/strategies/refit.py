"""Every leaf gets a value by the newest labels, as far as there are any; the splits stay as they are.

Quick, and the booster does not grow. LightGBM's own ``refit`` would do for large batches only: it multiplies each leaf
by the decay, whether new rows came there or not, so that what is not visited fades away.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eddyline_features.view import Learning
from eddyline_learning.boosters import Abandoned, Columns, Fitted, training_rows
from eddyline_learning.gradients import gradients_of
from eddyline_learning.store import Table
from eddyline_learning.trees import as_text, from_text


def refit(
    before: Fitted,
    table: Table,
    columns: Columns,
    settings: Learning,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Fitted:
    """The booster before, with leaves that are drawn towards what these rows ask for.

    Tree after tree in their order, each at the scores that the new ones before it give: a leaf with the sums G and H of
    gradients and Hessians would have the value v = −rate · G / (H + λ₂), and gets a·v + (1 − a) of its old one, where
    a = n / (n + ``refit_rows``) and n is H in units of the rows' mean Hessian: how many rows it is worth. A leaf
    without new rows stays to the bit.

    Raises
    ------
    Abandoned
        If ``should_stop``, which is asked after each tree, said so.
    """
    booster = from_text(as_text(before.booster))
    with training_rows(table, columns, settings.objective) as rows:
        if not len(rows.target):
            return Fitted(booster, before.bias)
        places = np.asarray(booster.predict(rows.vectors, pred_leaf=True, num_threads=1), np.int32)
        places = places.reshape(len(rows.target), -1)
        gradients = gradients_of(settings.objective, rows.target, rows.sizes, rows.label_gain)
        scores = np.full(len(rows.target), before.bias)
        for tree in range(places.shape[1]):
            if should_stop():
                raise Abandoned
            leaves = np.ascontiguousarray(places[:, tree])
            slopes, bends = gradients(scores)
            if rows.weights is not None:
                slopes, bends = slopes * rows.weights, bends * rows.weights
            n_leaves = int(leaves.max()) + 1
            slope = np.bincount(leaves, slopes, n_leaves).astype(np.float64)
            bend = np.bincount(leaves, bends, n_leaves).astype(np.float64)
            old = np.array([booster.get_leaf_output(tree, leaf) for leaf in range(n_leaves)])
            new = _values(old, slope, bend, float(bends.mean()), settings)
            for leaf in np.flatnonzero(new != old):
                booster.set_leaf_output(tree, int(leaf), float(new[leaf]))
            scores += new[leaves]
    return Fitted(from_text(as_text(booster)), before.bias)


def _values(
    old: NDArray[np.float64],
    slope: NDArray[np.float64],
    bend: NDArray[np.float64],
    mean_bend: float,
    settings: Learning,
) -> NDArray[np.float64]:
    """New values of a tree's leaves; `old` to the bit where there is nothing new."""
    # As LightGBM: the L1 term draws the sum of gradients to 0.
    pull = np.sign(slope) * np.maximum(np.abs(slope) - settings.lambda_l1, 0.0)
    visited = bend > 0.0
    wanted = np.divide(
        -settings.learning_rate * pull, bend + settings.lambda_l2, out=old.copy(), where=visited
    )
    worth = bend / mean_bend if mean_bend > 0.0 else np.zeros_like(bend)
    share = worth / (worth + settings.policy.refit_rows)
    return np.where(visited, old + share * (wanted - old), old)
