"""Who gets seen: how much of the catalogue is shown, and how unequally. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def gini(counts: NDArray[np.int64]) -> float:
    """0: everything is shown as often; towards 1: one item gets it all. NaN where nothing was shown.

    Parameters
    ----------
    counts
        shape (N,). Impressions of each item of the catalogue, also of those that were never shown.
    """
    total = int(counts.sum())
    n = len(counts)
    if not total:
        return float("nan")
    rank = np.arange(1, n + 1)
    return float((2.0 * (rank * np.sort(counts)).sum() / total - (n + 1)) / n)


def lorenz(counts: NDArray[np.int64], n_points: int = 100) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of items, the least shown first, and their share of all impressions; both from 0 to 1."""
    cumulated = np.concatenate([[0.0], np.cumsum(np.sort(counts))])
    at = np.unique(np.linspace(0, len(counts), n_points + 1).round().astype(np.int64))
    return at / max(1, len(counts)), cumulated[at] / max(1.0, cumulated[-1])
