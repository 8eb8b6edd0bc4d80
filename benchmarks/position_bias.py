"""What allowing for position bias in training is worth: ``python -m benchmarks.position_bias [--seeds N] …``.

The shop of `benchmarks.gate`, seen through columns: price, age, style, how near to a person's taste, charm (the last
two with noise), and one that means nothing. A champion orders: one that was trained on 300 slates, or one that sorts by
the column without a meaning. From its slates, of which chance ordered a share, boosters are trained in each way that
there is, by the product's own code; what counts is their true NDCG@10 on other slates.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate import N_ITEMS, POWERS, Numbers, Shop, places_of, true_ndcg
from eddyline_cli.simulating.catalogue import Catalogue, make_catalogue
from eddyline_cli.simulating.people import make_people
from eddyline_features.view import Learning
from eddyline_learning.boosters import Columns, Fitted, train
from eddyline_learning.examination import Examination
from eddyline_learning.store import Table

WAYS = ("none", "lightgbm", "examination")
SHARE, PLACES = 0.05, 10
_NAMES = ["price", "age", "style", "taste", "charm", "nothing"]
_MEANINGLESS = _NAMES.index("nothing")


class Visits:
    """Slates with the columns of their items."""

    def __init__(self) -> None:
        self._catalogue: Catalogue = make_catalogue(2_000, 1)
        self._people = make_people(400, 1)
        self._shop = Shop()

    def draw(self, rng: np.random.Generator, n: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Columns, shape (n, N, F), and what would be clicked if it were looked at, shape (n, N)."""
        catalogue = self._catalogue
        person, items, odds = self._shop.drawn(rng, n)
        taste = (catalogue.place[items] * self._people.tastes[person][:, None, :]).sum(axis=2)
        noise = rng.normal(size=(3, *items.shape))
        columns = [
            catalogue.dearness[items],
            catalogue.newness[items],
            catalogue.style[items].astype(np.float64),
            taste + noise[0],
            catalogue.charm[items] + noise[1],
            noise[2],
        ]
        return np.stack(columns, axis=2).astype(np.float32), rng.random(odds.shape) < 1 / (1 + np.exp(-odds))


def table_of(
    vectors: NDArray[np.float32],
    clicks: NDArray[np.bool_],
    places: NDArray[np.int32],
    shuffled: NDArray[np.int32],
) -> Table:
    """Slates as a trainer holds them."""
    n = len(clicks)
    return Table(
        vectors=np.ascontiguousarray(vectors.reshape(n * N_ITEMS, -1)),
        labels=clicks.ravel().astype(np.float32),
        positions=places.ravel(),
        sizes=np.full(n, N_ITEMS, np.int32),
        sequences=np.arange(n, dtype=np.int64),
        shuffled=shuffled,
    )


def fitted(table: Table, way: str) -> Fitted:
    """A booster that allows for position bias in this way; how people look is estimated from what chance ordered."""
    if way == "examination":
        examination = Examination(None)
        assert table.shuffled is not None
        told = (table.positions, table.labels, table.sizes, table.shuffled)
        examination.inverse(*told)
        table = dataclasses.replace(table, weights=examination.slate_weights(*told))
    return train(table, Columns(_NAMES, []), dataclasses.replace(Learning(), position_bias=way))


def scores(model: Fitted, vectors: NDArray[np.float32]) -> Numbers:
    """Shape (S, N)."""
    return model.raw_scores(vectors.reshape(-1, vectors.shape[2])).reshape(vectors.shape[:2])


def measure(
    visits: Visits, *, power: float, misled: bool, n: int, seed: int, n_others: int = 8_000
) -> dict[str, float]:
    """True NDCG@10 by way of training, and of the champion."""
    rng = np.random.default_rng([seed, round(10 * power)])
    vectors, liked = visits.draw(rng, 2_000)
    some = liked.any(axis=1)
    everything = np.zeros((300, N_ITEMS), np.int32)
    champion = fitted(
        table_of(vectors[some][:300], liked[some][:300], everything, np.full(300, -1, np.int32)), "none"
    )

    def ordered(vectors: NDArray[np.float32]) -> Numbers:
        if misled:
            return vectors[:, :, _MEANINGLESS].astype(np.float64)
        return scores(champion, vectors)

    vectors, liked = visits.draw(rng, 4 * n)
    places = places_of(ordered(vectors))
    explored = rng.random(len(places)) < SHARE
    drawn = places_of(-np.where(places < PLACES, rng.random(places.shape), places + 1.0))
    places = np.where(explored[:, None], drawn, places)
    clicks = liked & (rng.random(places.shape) < (places + 1.0) ** -power)
    ripe = np.flatnonzero(clicks.any(axis=1))[:n]
    table = table_of(
        vectors[ripe], clicks[ripe], places[ripe], np.where(explored, PLACES, 0)[ripe].astype(np.int32)
    )
    others, liked = visits.draw(np.random.default_rng(77), n_others)
    found = {"champion": true_ndcg(ordered(others), liked)}
    return found | {way: true_ndcg(scores(fitted(table, way), others), liked) for way in WAYS}


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--slates", type=int, default=3_000)
    told = parser.parse_args()
    visits = Visits()
    print("| the champion orders by | examination | champion | " + " | ".join(WAYS) + " |")
    print("| --- | --- | --- |" + " --- |" * len(WAYS))
    for misled in (False, True):
        for name, power in POWERS.items():
            found = defaultdict(list)
            for seed in range(told.seeds):
                for who, value in measure(
                    visits, power=power, misled=misled, n=told.slates, seed=seed
                ).items():
                    found[who].append(value)
            what = "a meaningless column" if misled else "what it learnt of 300 slates"
            print(
                f"| {what} | {name} | " + " | ".join(f"{np.mean(v):.3f}" for v in found.values()) + " |",
                flush=True,
            )


if __name__ == "__main__":
    main()
