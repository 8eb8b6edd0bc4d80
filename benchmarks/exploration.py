"""What exploring costs, and what its slates tell of the order without chance: `python -m benchmarks.exploration`.

On the simulated shop, whose people look at place k with 1/sqrt(k): the value of each policy's slates (acted on in the
first ten places of twenty items), and the value of the order by score as it is estimated from them. Then how long a
draw with its propensities takes, and how far Thompson's estimated propensities are from what many more draws give.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate import N_ITEMS, Scores, Shop
from eddyline_features.exploration import thompson
from eddyline_features.exploration_settings import Exploration
from eddyline_learning.off_policy import targets
from eddyline_learning.off_policy.estimators import estimated
from eddyline_learning.off_policy.logged import Logged, Target
from eddyline_ranker.exploration import explored
from eddyline_ranker.slate import best_first

N, K = 6_000, 10
LOOKED = np.arange(1.0, K + 1.0) ** -0.5
POLICIES = {
    "shuffled": Exploration(share=1.0),
    "epsilon 0.05": Exploration(policy="epsilon"),
    "epsilon 0.1": Exploration(policy="epsilon", epsilon=0.1),
    "epsilon 0.3": Exploration(policy="epsilon", epsilon=0.3),
    "plackett-luce 0.1": Exploration(policy="plackett-luce", temperature=0.1),
    "plackett-luce 0.2": Exploration(policy="plackett-luce"),
    "plackett-luce 0.5": Exploration(policy="plackett-luce", temperature=0.5),
    "thompson 0.5": Exploration(policy="thompson"),
    "thompson 1": Exploration(policy="thompson", scale=1.0),
}


def worth() -> None:
    """Cost and knowledge, a line a policy."""
    rng = np.random.default_rng(1)
    odds, liked = Shop().visits(rng, N)
    scores = Scores.of(odds, rng, []).champion
    deviations = np.random.default_rng(3).uniform(0.2, 1.0, (N, N_ITEMS)).astype("<f4")

    def liked_at(order: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.take_along_axis(liked, order, 1)[:, :K]

    by_score = np.array([best_first(each) for each in scores])
    print(f"{N:,} slates; the order by score is worth {(liked_at(by_score) @ LOOKED).mean():.3f}")
    print("| policy | worth | IPS | SNIPS | DR | effective rows | mean weight |")
    for name, settings in POLICIES.items():
        drawn = []
        for k in range(N):
            told = deviations[k].tobytes()
            found = explored(scores[k], N_ITEMS, settings, person="u", slate=f"s{k}", deviations=told)
            assert found is not None
            drawn.append(found)
        shown = liked_at(np.array([each.order for each in drawn]))
        log = Logged(
            choices=np.array([each.by_score[:K] for each in drawn]).ravel(),
            places=np.tile(np.arange(K), N),
            rewards=(shown & (rng.random((N, K)) < LOOKED)).astype(float).ravel(),
            propensities=np.array([each.propensities[:K] for each in drawn]).ravel(),
            units=np.repeat(np.arange(N), K),
            clusters=np.repeat(np.arange(N), K),
        )
        told_of = estimated(log, Target([targets.greedy(K, K)], np.zeros(len(log), np.int64)))
        cells = [f"{v.mean:.3f} ± {v.se:.3f}" for v in (told_of.ips, told_of.snips, told_of.dr)]
        cells += [f"{told_of.effective_rows / len(log):.0%}", f"{told_of.mean_weight:.2f}"]
        print(f"| {name} | {(shown @ LOOKED).mean():.3f} | {' | '.join(cells)} |")


def speed() -> None:
    """Of a draw with its propensities, in ms: the tenth part of 200 that is fastest, and the median."""
    rng = np.random.default_rng(0)
    thompson.load()
    print("| candidates, places | epsilon | plackett-luce | thompson |")
    for n, places in ((300, 20), (100, 100), (300, 50), (1_000, 20)):
        scores = rng.normal(size=n)
        deviations = rng.uniform(0.1, 1.0, n).astype("<f4").tobytes()
        cells = []
        for policy in ("epsilon", "plackett-luce", "thompson"):
            took = []
            for k in range(200):
                began = time.perf_counter()
                settings = Exploration(policy=policy)
                explored(scores, places, settings, person="u", slate=f"s{k}", deviations=deviations)
                took.append(1_000.0 * (time.perf_counter() - began))
            cells.append(f"{np.percentile(took, 10):.2f}, {np.median(took):.2f}")
        print(f"| {n}, {places} | {' | '.join(cells)} |")


def accuracy() -> None:
    """Of Thompson's propensities of drawn slates: error and stated error, over the propensity (root of mean)."""
    rng = np.random.default_rng(0)
    print("| candidates, places, scale | error | stated | as many draws, counted | smallest propensity |")
    for n, places, scale in ((300, 20, 0.5), (300, 20, 1.0), (10, 10, 0.5), (1_000, 20, 0.5)):
        scores, at = rng.normal(size=n), np.arange(places)
        deviations = scale * np.where(rng.random(n) < 0.2, 1.0, 0.3 * rng.random(n))
        errors, stated, counted, least = [], [], [], 1.0
        for k in range(12):
            items = np.array(thompson.draw(scores, deviations, places, rng.normal(size=n)))
            told, error = thompson.probabilities(scores, deviations, items, at, 37 * k)
            many = [
                thompson.probabilities(scores, deviations, items, at, o)[0]
                for o in rng.integers(500, size=40)
            ]
            truth = np.mean(many, axis=0)
            errors.append((told / truth - 1.0) ** 2)
            stated.append((error / truth) ** 2)
            counted.append((1.0 - truth) / truth / thompson.N_DRAWS)
            least = min(least, float(truth.min()))
        cells = [f"{np.sqrt(np.mean(each)):.3f}" for each in (errors, stated, counted)]
        print(f"| {n}, {places}, {scale} | {' | '.join(cells)} | {least:.4f} |")


if __name__ == "__main__":
    worth()
    speed()
    accuracy()
