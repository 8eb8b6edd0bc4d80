"""Thompson sampling: order by scores that each vary as much as is unknown of the item.

A slate is one draw of all scores, normal around each with its own deviation (Thompson, "On the likelihood that one
unknown probability exceeds another", Biometrika 1933; of its normal form, Agrawal and Goyal, AISTATS 2013).

How likely an item was to stand where it stands has no closed form, so it is estimated from `N_DRAWS` draws of the
*others*: given those, the item stands at place k exactly if its own score falls between the k-th and the next of them,
which the normal distribution function gives. Compared with counting how often it stands there this is never 0 for an
item that could have come there, and its standard error is smaller throughout (Rao and Blackwell); each column of draws
is stratified (McKay, Beckman and Conover, Technometrics 1979), which takes away more. `docs/exploration.md` has the
errors as measured.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from eddyline_features.exploration.arrays import Indices, Numbers
from eddyline_features.exploration.draws import uniforms

N_DRAWS = 512
LEAST = 1e-4
"""No propensity is said to be lower: beyond that the estimate says little, and nobody weighs anything by 10,000."""
_N_COLUMNS = 1_536
_SURE = 1e-12


def load() -> None:
    """Make the draws now (0.1 s), so that no request waits for them."""
    _reach()


def draw(scores: Numbers, deviations: Numbers, n_places: int, noise: Numbers) -> list[int]:
    """Indices of the items place by place; ``noise``: shape (N,), standard normal."""
    order: list[int] = np.argsort(-(scores + deviations * noise), kind="stable")[:n_places].tolist()
    return order


def probabilities(
    scores: Numbers, deviations: Numbers, items: Indices, places: Indices, offset: int = 0
) -> tuple[Numbers, Numbers]:
    """The probability that each of these items stands at the place beside it, and its standard error, shape (M,).

    Parameters
    ----------
    scores, deviations
        shape (N,), of all items.
    items, places
        shape (M,): places from 0, below N.
    offset
        Which of the fixed draws are used: another one for another slate.
    """
    if not len(items):
        return np.zeros(0), np.zeros(0)
    n_items = len(scores)
    # A deviation of 0 makes the distribution function a step, and this nearly one.
    spread = np.maximum(deviations, _SURE * max(1.0, float(np.abs(scores).max())))
    n_best = min(int(places.max()) + 2, n_items)
    rivals, items = _rivals(scores, spread, items, n_best)
    scores, spread = scores[rivals], spread[rivals]
    drawn = scores + spread * _noise(offset, len(rivals))
    first = len(rivals) - n_best
    best = np.sort(np.partition(drawn, first, axis=1)[:, first:], axis=1)
    # Column m + 1: the m-th best. Nothing stands above the best, and below the last there is room.
    ends = np.empty((len(drawn), n_best + 3))
    ends[:, 0] = np.inf
    ends[:, 1 : n_best + 1] = best[:, ::-1]
    ends[:, n_best + 1 :] = -np.inf
    own = drawn[:, items]
    # Of the others alone: from the item's own place on, each moves up by one.
    above, at, below = ends[:, places], ends[:, places + 1], ends[:, places + 2]
    upper = np.where((own >= above) & (places > 0), at, above)
    lower = np.where(own >= at, below, at)
    centre, width = scores[items], spread[items]
    inside = _below((upper - centre) / width) - _below((lower - centre) / width)
    return inside.mean(axis=0), inside.std(axis=0) / np.sqrt(len(drawn))


def _rivals(scores: Numbers, spread: Numbers, items: Indices, n_best: int) -> tuple[Indices, Indices]:
    """Those that some draw may put among the best, and ``items``; and which of these the items are.

    All others stand below so many in every draw, since no noise is beyond that of the table: leaving them out changes
    nothing.
    """
    reach = _reach() * spread
    least = scores - reach
    kept = scores + reach >= np.partition(least, len(least) - n_best)[-n_best]
    kept[items] = True
    rivals = np.flatnonzero(kept)
    return rivals, np.searchsorted(rivals, items)


def _noise(offset: int, n_items: int) -> NDArray[np.float32]:
    table = _table()
    if n_items > table.shape[1]:
        # More than a request may have.
        raise ValueError(f"{n_items:,} items: at most {table.shape[1]:,} can be explored among")
    first = offset % (table.shape[1] - n_items + 1)
    found: NDArray[np.float32] = table[:, first : first + n_items]
    return found


@cache
def _table() -> NDArray[np.float32]:
    """shape (N_DRAWS, columns): each column is the normal distribution in as many equal parts, shuffled."""
    levels = np.array([NormalDist().inv_cdf((k + 0.5) / N_DRAWS) for k in range(N_DRAWS)])
    chance = uniforms(b"thompson ", "table", N_DRAWS * _N_COLUMNS).reshape(N_DRAWS, _N_COLUMNS)
    # Half as large: 3 MB.
    table: NDArray[np.float32] = levels[np.argsort(chance, axis=0, kind="stable")].astype(np.float32)
    return table


@cache
def _reach() -> float:
    """The largest noise of the table."""
    return float(_table().max())


def _below(x: Numbers) -> Numbers:
    """The normal distribution function, to 1e-7 (Abramowitz and Stegun 1964, 26.2.17)."""
    size = np.minimum(np.abs(x), 40.0)
    t = 1.0 / (1.0 + 0.2316419 * size)
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail = 0.3989422804014327 * np.exp(-0.5 * size * size) * series
    found: Numbers = np.where(x > 0.0, 1.0 - tail, tail)
    return found
