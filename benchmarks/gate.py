"""What the gate promotes, on people who look less at what stands lower: ``python -m benchmarks.gate [--seeds N] …``.

People, items and appeals are those of ``eddyline simulate``; who looks at place k does so with probability k^-power.
The models are made up: what an item appeals with, and an error, partly shared. So their true difference is known:
NDCG@10 of what each person would click on looking at everything. The champion orders the slates. Contest, evidence,
bounds and the weighing of clicks are the product's own, and begin knowing nothing; it is judged at every 250 slates.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eddyline_cli.simulating.behaviour import BEFORE, appeal
from eddyline_cli.simulating.catalogue import make_catalogue
from eddyline_cli.simulating.people import make_people
from eddyline_features.view import Exploration, Gate, Learning
from eddyline_learning.examination import Examination
from eddyline_learning.gate import PRIORS, Contest
from eddyline_learning.goodness import Judge, K
from eddyline_learning.metrics import mean_of, ndcg

Numbers = NDArray[np.float64]
DIFFERENCES = (-0.02, 0.0, 0.02, 0.04)
MARKS = (1_000, 5_000, 20_000)
POWERS = {"1/√position": 0.5, "1/position": 1.0}
N_ITEMS = 20
CYCLE = 250
_BLOCK = 20_000
_CHAMPION, _PRIORS, _SHARED = 1.2, 3.0, 0.6
"""Standard deviations of the errors of champion and priors, in log-odds; what models' errors have in common."""
GATE = Gate(patience=MARKS[-1])


class Shop:
    """The simulated shop, as a table of how much everybody is drawn to everything."""

    def __init__(self) -> None:
        catalogue, people = make_catalogue(2_000, 1), make_people(400, 1)
        items = np.arange(len(catalogue))
        self._appeals = np.stack([appeal(catalogue, people, k, items, BEFORE) for k in range(len(people))])
        self._activity = people.activity

    def visits(self, rng: np.random.Generator, n: int) -> tuple[Numbers, NDArray[np.bool_]]:
        """Log-odds of a click on each of ``N_ITEMS`` items if it is looked at, and whether it would be clicked then."""
        _, _, odds = self.drawn(rng, n)
        return odds, rng.random(odds.shape) < 1.0 / (1.0 + np.exp(-odds))

    def drawn(self, rng: np.random.Generator, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
        """Who comes, shape (n,), to which items, and the log-odds of their clicks, both of shape (n, N)."""
        person = rng.choice(len(self._activity), n, p=self._activity)
        items = rng.integers(self._appeals.shape[1], size=(n, N_ITEMS))
        return person, items, self._appeals[person[:, None], items]


@dataclass(frozen=True)
class Scores:
    """What the models say of the same slates; each of shape (S, N)."""

    priors: Numbers
    champion: Numbers
    challengers: list[Numbers]

    @classmethod
    def of(cls, odds: Numbers, rng: np.random.Generator, errors: list[float]) -> Scores:
        """``errors``: of each challenger, the standard deviation of its error."""
        shared, own = rng.normal(size=odds.shape), rng.normal(size=odds.shape)
        mixed = _SHARED * shared + np.sqrt(1.0 - _SHARED**2) * own
        return cls(
            odds + _PRIORS * own, odds + _CHAMPION * shared, [odds + error * mixed for error in errors]
        )


def true_ndcg(scores: Numbers, liked: NDArray[np.bool_]) -> float:
    """NDCG@10 if everything is looked at."""
    sizes = np.full(len(scores), N_ITEMS, np.int32)
    return mean_of(ndcg(scores.ravel(), liked.ravel().astype(np.float32), sizes, K)).mean


def errors_for(shop: Shop, differences: tuple[float, ...]) -> list[float]:
    """Errors of challengers that are so much better than the champion, in true NDCG."""
    odds, liked = shop.visits(np.random.default_rng(99), 30_000)

    def ndcg_of(error: float) -> float:
        scores = Scores.of(odds, np.random.default_rng(100), [error])
        return true_ndcg(scores.challengers[0], liked)

    champion = true_ndcg(Scores.of(odds, np.random.default_rng(100), []).champion, liked)
    found = []
    for difference in differences:
        low, high = 0.05, 4.0
        for _ in range(12):
            middle = (low + high) / 2
            low, high = (middle, high) if ndcg_of(middle) - champion > difference else (low, middle)
        found.append(low)
    return found


@dataclass(frozen=True)
class Stream:
    """Ripe slates, those that were clicked, as the trainer sees them; S slates of N items."""

    positions: NDArray[np.int32]
    clicks: NDArray[np.float32]
    shuffled: NDArray[np.int32]
    raw: list[Numbers]
    """Of priors, champion and each challenger."""


def stream(
    shop: Shop,
    rng: np.random.Generator,
    errors: list[float],
    *,
    power: float,
    n: int,
    exploration: Exploration,
    temperature: float = 0.0,
) -> Stream:
    """What happens while the champion serves; above 0, orders are drawn by ``plackett-luce`` at this temperature."""
    parts: list[Stream] = []
    while sum(len(part.clicks) for part in parts) < n:
        odds, liked = shop.visits(rng, min(_BLOCK, 3 * n))
        scores = Scores.of(odds, rng, errors)
        explored = rng.random(len(odds)) < exploration.share
        served = scores.champion
        if temperature:
            unit = temperature * served.std(axis=1, keepdims=True)
            served = served + unit * rng.gumbel(size=served.shape)
        places = places_of(served)
        drawn = places_of(-np.where(places < exploration.places, rng.random(odds.shape), places + 1.0))
        places = np.where(explored[:, None], drawn, places)
        clicks = liked & (rng.random(odds.shape) < (places + 1.0) ** -power)
        ripe = clicks.any(axis=1)
        parts.append(
            Stream(
                places[ripe],
                clicks[ripe].astype(np.float32),
                np.where(explored, min(exploration.places, N_ITEMS), 0)[ripe].astype(np.int32),
                [each[ripe] for each in (scores.priors, scores.champion, *scores.challengers)],
            )
        )
    return Stream(
        np.concatenate([part.positions for part in parts])[:n],
        np.concatenate([part.clicks for part in parts])[:n],
        np.concatenate([part.shuffled for part in parts])[:n],
        [np.concatenate(of_model)[:n] for of_model in zip(*(part.raw for part in parts), strict=True)],
    )


def goodness(slates: Stream, judge: Judge) -> Numbers:
    """Of each model on each slate, shape (S, M)."""
    return judge.orders(
        [scores.ravel() for scores in slates.raw],
        slates.clicks.ravel(),
        slates.positions.ravel(),
        np.full(len(slates.clicks), N_ITEMS, np.int32),
        slates.shuffled,
    )


def promoted_after(good: Numbers, gate: Gate = GATE) -> float:
    """Slates after which the last model of shape (S, 3) is champion in place of the second; infinite if it never is."""
    contest = Contest(gate)
    contest.crown("champion")
    contest.enter("challenger", 1)
    assert contest.live == [PRIORS, "champion", "challenger"]
    for first in range(0, len(good), CYCLE):
        contest.observe(good[first : first + CYCLE])
        contest.judge()
        if contest.champion == "challenger":
            return float(first + CYCLE)
        if "challenger" not in contest.contenders:
            break
    return float("inf")


@dataclass(frozen=True)
class Found:
    """For one examination, by difference."""

    after: Numbers
    """shape (seeds, D). Slates until promoted."""
    read: Numbers
    """shape (D,). Mean difference as the gate saw it."""
    power: float
    """Of the curve, as it was known at the end; mean of the seeds."""


def measure(
    shop: Shop,
    errors: list[float],
    learning: Learning,
    exploration: Exploration,
    *,
    power: float,
    seeds: int,
    n: int = MARKS[-1],
) -> Found:
    """Let each challenger compete once a seed, with slates of its seed's own."""
    after, read = np.zeros((seeds, len(errors))), np.zeros((seeds, len(errors)))
    powers = []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, round(10 * power)])
        slates = stream(shop, rng, errors, power=power, n=n, exploration=exploration)
        judge = Judge("rank", Examination.of(learning))
        good = goodness(slates, judge)
        powers.append(judge.examination.power)
        for k in range(len(errors)):
            after[seed, k] = promoted_after(good[:, [0, 1, 2 + k]])
            read[seed, k] = (good[:, 2 + k] - good[:, 1]).mean()
    return Found(after, read.mean(axis=0), float(np.mean(powers)))


def cost(shop: Shop, exploration: Exploration) -> float:
    """True NDCG that a shuffled slate loses."""
    odds, liked = shop.visits(np.random.default_rng(5), 40_000)
    rng = np.random.default_rng(6)
    scores = Scores.of(odds, rng, []).champion
    places = places_of(scores)
    drawn = -np.where(places < exploration.places, rng.random(odds.shape), places + 1.0)
    return true_ndcg(scores, liked) - true_ndcg(drawn, liked)


def places_of(scores: Numbers) -> NDArray[np.int32]:
    """0 for the highest of each row."""
    found: NDArray[np.int32] = np.argsort(np.argsort(-scores, axis=1), axis=1).astype(np.int32)
    return found


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--places", type=int, default=10)
    parser.add_argument("--examination", default="estimated", choices=["estimated", "power", "none"])
    parser.add_argument("--power", type=float, default=0.5)
    told = parser.parse_args()
    began = time.monotonic()
    shop = Shop()
    errors = errors_for(shop, DIFFERENCES)
    exploration = Exploration(share=told.share, places=told.places)
    learning = dataclasses.replace(Learning(), examination=told.examination, examination_power=told.power)
    print(f"a shuffled slate costs {cost(shop, exploration):.3f} NDCG; of the share {told.share:g}", end=" ")
    print(f"that is {told.share * cost(shop, exploration):.4f} on the mean of all\n")
    print("| examination | true difference | " + " | ".join(f"{n:,}" for n in MARKS) + " | as read |")
    print("| --- | --- |" + " --- |" * (len(MARKS) + 1))
    for name, power in POWERS.items():
        found = measure(shop, errors, learning, exploration, power=power, seeds=told.seeds)
        for k, difference in enumerate(DIFFERENCES):
            shares = " | ".join(f"{(found.after[:, k] <= n).mean():.0%}" for n in MARKS)
            print(f"| {name} | {difference:+.2f} | {shares} | {found.read[k]:+.3f} |")
        print(f"<!-- {name}: power {found.power:.2f}, {time.monotonic() - began:.0f} s -->", flush=True)


if __name__ == "__main__":
    main()
