"""Plackett-Luce: the next place goes to each item that is left with a probability proportional to exp(score / t).

To draw such an order, add Gumbel noise to the logits and sort (Yellott, "The relationship between Luce's choice axiom,
Thurstone's theory of comparative judgment, and the double exponential distribution", J. Math. Psych. 1977; Kool, van
Hoof and Welling, "Stochastic beams and where to find them", ICML 2019). The same in other words: item i arrives after
an exponential time of rate w_i = exp(logit), and the order is that of arrival. So i stands at place k exactly if k of
the others arrive before it:

    P(i at k) = integral of w_i exp(-w_i t) * [z^k] product over j != i of (exp(-w_j t) + (1 - exp(-w_j t)) z) dt.

At the first place this is w_i / sum of w. Elsewhere it is integrated by the trapezoidal rule over log t, which
converges geometrically for a smooth integrand that vanishes at both ends: to about 1e-6 of the value (a test compares
with the sum over all orders).
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from eddyline_features.exploration.arrays import Indices, Numbers

_FEW_ARRIVED = 1e-3
"""The integral begins where so many arrivals are expected: what lies before is of the order of its square."""
_SURELY_ARRIVED = 17.0
"""Of mean waiting times, after which an item has arrived but for e^-17."""
_WIDEST_STEP = 0.4
_SURELY_BEFORE = 20.0
"""Whose rate is e to this times that of all below together comes before them, but for two times in a thousand million.
"""
_HARDLY_ANYBODY = 1e-8
"""So many arrivals in all may be left out: those of items that hardly ever come before the places are given."""


def draw(logits: Numbers, n_places: int, chance: Numbers) -> list[int]:
    """Indices of the items place by place; ``chance``: shape (N,), uniform within (0, 1)."""
    # From the largest on, or noise would vanish beside logits that are all large.
    arrivals = np.log(-np.log(chance)) - (logits - logits.max())
    order: list[int] = np.argsort(arrivals, kind="stable")[:n_places].tolist()
    return order


def probabilities(logits: Numbers, items: Indices, places: Indices) -> Numbers:
    """The probability that each of these items stands at the place beside it, shape (M,).

    Parameters
    ----------
    logits
        shape (N,), of all items.
    items, places
        shape (M,): each item once; places from 0, below N.
    """
    found = np.zeros(len(items))
    if not len(items):
        return found
    falling = np.argsort(-logits, kind="stable")
    rank_of = np.empty(len(logits), np.int64)
    rank_of[falling] = np.arange(len(logits))
    ranks = rank_of[items]
    for first, end in _blocks(logits[falling], int(places.max()) + 1):
        own = np.flatnonzero((ranks >= first) & (ranks < end) & (places >= first) & (places < end))
        if len(own):
            found[own] = _within(logits[falling[first:end]], ranks[own] - first, places[own] - first)
    return found


def _blocks(falling: Numbers, n_places: int) -> list[tuple[int, int]]:
    """Ranks from and to between which items may change places: whoever is of a later block comes later.

    So scores may lie so far apart that all their rates would not fit into a number. ``falling``: logits.
    """
    # Of each rank: the logarithm of all rates from there on.
    rest = np.logaddexp.accumulate(falling[::-1])[::-1]
    n = min(n_places, len(falling) - 1)
    ends = np.flatnonzero(falling[:n] - rest[1 : n + 1] > _SURELY_BEFORE) + 1
    edges = [0, *ends.tolist(), len(falling)]
    return list(pairwise(edges))


def _within(logits: Numbers, items: Indices, places: Indices) -> Numbers:
    """As `probabilities`, of a block; the best comes first."""
    # Rates that are 0 would never arrive, and their order would be no one's.
    rates = np.maximum(np.exp(logits - logits[0]), 1e-280)
    most = int(places.max())
    if most == 0:
        at_first: Numbers = rates[items] / rates.sum()
        return at_first
    times, step = _times(rates, most + 1)
    rates, items = _coming(rates, items, float(times[-1]))
    waiting = np.exp(-rates[:, None] * times)
    arrived = 1.0 - waiting
    n_terms = most + 1
    others = np.ones(len(rates), bool)
    others[items] = False
    rest = _product(waiting[others], arrived[others], n_terms)
    before = [rest]
    for item in items[:-1]:
        before.append(_times_one(before[-1], waiting[item], arrived[item], n_terms))
    found = np.empty(len(items))
    after = np.ones((1, len(times)))
    for at in range(len(items) - 1, -1, -1):
        item, place = items[at], int(places[at])
        found[at] = (
            (_coefficient(before[at], after, place) * waiting[item] * times).sum() * rates[item] * step
        )
        if at:
            after = _times_one(after, waiting[item], arrived[item], n_terms)
    first = places == 0
    found[first] = rates[items[first]] / rates.sum()
    return np.minimum(found, 1.0)


def _coming(rates: Numbers, items: Indices, last: float) -> tuple[Numbers, Indices]:
    """Rates of the items that may have arrived by ``last``, and of ``items``; and which of these the items are.

    With a low temperature that is a small part of them.
    """
    rising = np.argsort(rates, kind="stable")
    n_left_out = int(np.searchsorted(np.cumsum(rates[rising]) * last, _HARDLY_ANYBODY))
    kept = np.ones(len(rates), bool)
    kept[rising[:n_left_out]] = False
    kept[items] = True
    coming = np.flatnonzero(kept)
    return rates[coming], np.searchsorted(coming, items)


def _times(rates: Numbers, n_places: int) -> tuple[Numbers, float]:
    """Where to read the integrand, and the distance in log t."""
    falling = -np.sort(-rates)
    first = _FEW_ARRIVED / rates.sum()
    last = _SURELY_ARRIVED / falling[n_places - 1]
    # Sooner than all of the first n have come for certain, more than n of all will have.
    plenty = 2 * math.ceil(n_places + 5.0 * math.sqrt(n_places) + 8.0)
    if plenty <= len(falling):
        last = min(last, 0.7 / falling[plenty - 1])
    widest = min(_WIDEST_STEP, 1.1 / math.sqrt(n_places))
    n = math.ceil(math.log(last / first) / widest) + 1
    grid, step = np.linspace(math.log(first), math.log(last), n, retstep=True)
    return np.exp(grid), float(step)


def _product(waiting: Numbers, arrived: Numbers, n_terms: int) -> Numbers:
    """Coefficients of the product of all (waiting + arrived z), shape (terms, times): the first ``n_terms``."""
    if not len(waiting):
        return np.ones((1, waiting.shape[1]))
    # In pairs, then pairs of pairs: few operations on large arrays of shape (terms, items, times).
    polynomials = np.stack([waiting, arrived])[:n_terms]
    while (n := polynomials.shape[1]) > 1:
        degree, half = len(polynomials), n // 2
        left, right = polynomials[:, :half], polynomials[:, half : 2 * half]
        products = np.zeros((min(2 * degree - 1, n_terms), half + n % 2, polynomials.shape[2]))
        for term in range(degree):
            width = min(degree, len(products) - term)
            products[term : term + width, :half] += left[term] * right[:width]
        products[:degree, half:] = polynomials[:, 2 * half :]
        polynomials = products
    first: Numbers = polynomials[:, 0]
    return first


def _times_one(polynomial: Numbers, waiting: Numbers, arrived: Numbers, n_terms: int) -> Numbers:
    n = min(len(polynomial) + 1, n_terms)
    product = np.zeros((n, polynomial.shape[1]))
    product[: len(polynomial)] = polynomial * waiting
    product[1:] += polynomial[: n - 1] * arrived
    return product


def _coefficient(one: Numbers, other: Numbers, term: int) -> Numbers:
    """Of z^``term`` in the product of two polynomials."""
    low, high = max(0, term - len(other) + 1), min(term, len(one) - 1)
    if low > high:
        return np.zeros(one.shape[1])
    total: Numbers = (one[low : high + 1] * other[term - high : term - low + 1][::-1]).sum(axis=0)
    return total
