"""How good an order is, by what people want and not by what they happened to click."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eddyline_cli.simulating.behaviour import chance_of_any

K = 10
_DISCOUNTS = 1.0 / np.log2(np.arange(K) + 2.0)


def true_ndcg(appeals: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """NDCG@10 of the order by ``scores``, whose gains are the probabilities that a look becomes a click.

    Both have shape (N,), in the order of the candidates; equal scores keep it, as where a slate is served.
    """
    wanted = 1.0 / (1.0 + np.exp(-appeals))
    shown = wanted[np.argsort(-scores, kind="stable")][:K]
    best = np.sort(wanted)[::-1][:K]
    discounts = _DISCOUNTS[: len(best)]
    return float(shown @ discounts / (best @ discounts))


def true_click_rate(appeals: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """Probability that the list in the order by ``scores`` is clicked at all."""
    return chance_of_any(appeals[np.argsort(-scores, kind="stable")])
