"""A made-up shop for the home: some thousand items with titles, categories, styles, prices. Pure and seeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_cli.simulating.words import MATERIALS, NAMES, NOUNS, STYLES

N_TASTES = 6
"""Dimensions of the space in which people and items have their places."""
CATEGORIES = tuple(NOUNS)
_YEARS = (2017, 2026)
_PRICE, _PRICE_SPREAD = 45.0, 0.9


@dataclass(frozen=True)
class Catalogue:
    """N items as columns: the first four are what a shop knows, the others only the simulation."""

    titles: list[str]
    category: NDArray[np.int64]
    """shape (N,). Index into `CATEGORIES`."""
    style: NDArray[np.int64]
    """shape (N,). Index into `STYLES`."""
    price: NDArray[np.float64]
    """shape (N,)."""
    year: NDArray[np.int64]
    """shape (N,). When the item came into the shop."""
    place: NDArray[np.float64]
    """shape (N, N_TASTES). Where it lies among tastes: near others of its category."""
    charm: NDArray[np.float64]
    """shape (N,). How much everybody likes it for reasons that no field tells; standard deviation 1."""

    def __len__(self) -> int:
        return len(self.titles)

    def item(self, index: int) -> str:
        """Its id."""
        return f"sim-item-{index}"

    def fields(self, index: int) -> dict[str, Any]:
        """What the shop tells of it."""
        return {
            "title": self.titles[index],
            "category": CATEGORIES[self.category[index]],
            "style": STYLES[self.style[index]],
            "price": float(self.price[index]),
            "year": int(self.year[index]),
        }

    @property
    def dearness(self) -> NDArray[np.float64]:
        """shape (N,). How expensive it is among all: 0 is usual, 1 a standard deviation of the logarithm above."""
        return np.asarray((np.log(self.price) - np.log(_PRICE)) / _PRICE_SPREAD)

    @property
    def newness(self) -> NDArray[np.float64]:
        """shape (N,). −1 for the oldest, 1 for the newest."""
        first, last = _YEARS
        return (2.0 * self.year - (first + last)) / (last - first)


def make_catalogue(n_items: int, seed: int) -> Catalogue:
    """A catalogue; the same number and seed give the same one.

    Raises
    ------
    ValueError
        If ``n_items`` is below 1.
    """
    if n_items < 1:
        raise ValueError("a catalogue has at least one item")
    # A stream of random numbers of its own: the number of people must not change what is sold.
    rng = np.random.default_rng([seed, 1])
    category = rng.integers(len(CATEGORIES), size=n_items)
    style = rng.integers(len(STYLES), size=n_items)
    price = np.round(_PRICE * np.exp(_PRICE_SPREAD * rng.standard_normal(n_items)), 2)
    year = rng.integers(_YEARS[0], _YEARS[1] + 1, size=n_items)
    centres = rng.standard_normal((len(CATEGORIES), N_TASTES))
    place = 0.9 * centres[category] + 0.45 * rng.standard_normal((n_items, N_TASTES))
    charm = rng.standard_normal(n_items)
    titles = [_title(rng, int(c), int(s)) for c, s in zip(category, style, strict=True)]
    return Catalogue(titles, category, style, price, year, place, charm)


def _title(rng: np.random.Generator, category: int, style: int) -> str:
    nouns = NOUNS[CATEGORIES[category]]
    noun, material = nouns[rng.integers(len(nouns))], MATERIALS[rng.integers(len(MATERIALS))]
    return f"{NAMES[rng.integers(len(NAMES))]} {STYLES[style].lower()} {noun}, {material}"
