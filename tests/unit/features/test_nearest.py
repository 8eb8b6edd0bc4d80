"""An index of the online model's vectors: nearly what a pass over all items finds, also after they have moved."""

from __future__ import annotations

import numpy as np

from eddyline_features.entities import Items
from eddyline_features.kernel import Floats, Ints, Octets, SingleTable
from eddyline_features.retrieval.nearest import Nearest

N, DIMS, MOST = 4_000, 12, 60


class Table:
    """Vectors that a test moves."""

    def __init__(self, rng: np.random.Generator) -> None:
        lengths = rng.gamma(2.0, 0.5, size=(N, 1))
        self.weights = (rng.normal(size=(N, DIMS)) * 0.4 * lengths).astype(np.float32)
        self.learnt: Octets = np.ones(N, np.uint8)

    def are_learnt(self, rows: Ints) -> Octets:
        learnt: Octets = self.learnt[rows]
        return learnt

    def item_weights(self, rows: Ints) -> SingleTable:
        found: SingleTable = self.weights[rows]
        return found


def follow(nearest: Nearest) -> int:
    """One round; how many vectors were put in."""
    rounds, put_in = nearest.rounds, 0
    while nearest.rounds == rounds:
        put_in += nearest.step(200)
    return put_in


def recall(
    nearest: Nearest, table: Table, blocked: Octets, rng: np.random.Generator, most: int = MOST
) -> float:
    hits = 0
    for _ in range(20):
        x: Floats = rng.normal(size=DIMS - 1)
        exact = table.weights.astype(np.float64) @ np.append(x, 1.0)
        exact[(blocked == 1) | (table.learnt == 0)] = -np.inf
        best = np.argsort(-exact, kind="stable")[:most]
        scores, rows = np.zeros(2 * most), np.zeros(2 * most, np.int32)
        n = nearest.best(x, blocked, most, scores, rows)
        assert n == most
        found = rows[:most].tolist()
        assert not blocked[found].any()
        np.testing.assert_allclose(scores[:most], exact[found], rtol=1e-6)
        assert found == sorted(found, key=lambda row: (-exact[row], row))
        hits += len(set(best.tolist()) & set(found))
    return hits / (20 * most)


def test_nearly_all_of_the_best_are_found_and_scored_as_they_are_now() -> None:
    rng = np.random.default_rng(5)
    items, table = Items(N, n_numbers=0, n_values=0, n_counters=0), Table(rng)
    nearest = Nearest(items, table, DIMS)
    x, scores, rows = rng.normal(size=DIMS - 1), np.zeros(2 * MOST), np.zeros(2 * MOST, np.int32)
    for row in range(N):
        items.touch(f"i{row}", 0)
    nearest.step(10)
    # Half an index would hide the other half.
    assert nearest.best(x, np.zeros(N, np.uint8), MOST, scores, rows) is None
    assert follow(nearest) == len(nearest) - 10 == N - 10
    some: Octets = (rng.random(N) < 0.3).astype(np.uint8)
    assert recall(nearest, table, np.zeros(N, np.uint8), rng) >= 0.95
    assert recall(nearest, table, some, rng) >= 0.95
    # What has not moved is not put in again; what has, and what has another owner, is.
    assert follow(nearest) == 0
    table.weights[:300] = rng.normal(size=(300, DIMS)) * 1.5
    items.touch("another", 1)
    assert follow(nearest) == 300
    assert len(nearest) == N
    assert recall(nearest, table, np.zeros(N, np.uint8), rng) >= 0.95


def test_where_too_few_may_be_shown_it_does_not_say() -> None:
    rng = np.random.default_rng(6)
    items, table = Items(N, n_numbers=0, n_values=0, n_counters=0), Table(rng)
    nearest = Nearest(items, table, DIMS)
    for row in range(N):
        items.touch(f"i{row}", 0)
    follow(nearest)
    blocked: Octets = np.ones(N, np.uint8)
    blocked[:100] = 0
    scores, rows = np.zeros(2 * MOST), np.zeros(2 * MOST, np.int32)
    assert nearest.best(rng.normal(size=DIMS - 1), blocked, MOST, scores, rows) is None


def test_what_nothing_was_learnt_of_is_not_in_it_and_hides_nothing() -> None:
    rng = np.random.default_rng(7)
    items, table = Items(N, n_numbers=0, n_values=0, n_counters=0), Table(rng)
    table.learnt[300:] = 0
    table.weights[300:] = rng.uniform(-0.1, 0.1, size=(N - 300, DIMS))
    nearest = Nearest(items, table, DIMS)
    for row in range(N):
        items.touch(f"i{row}", 0)
    assert follow(nearest) == len(nearest) == nearest.behind == 300
    blocked: Octets = np.zeros(N, np.uint8)
    assert recall(nearest, table, blocked, rng) >= 0.95
    # As many as there are, where that is fewer than are wanted: no need to look at all.
    blocked[20:] = 1
    scores, rows = np.zeros(600), np.zeros(600, np.int32)
    assert nearest.best(rng.normal(size=DIMS - 1), blocked, 300, scores, rows) == 20
    # Learnt by now; and the row of somebody else, of whom nothing is.
    table.learnt[300] = 1
    items.touch("another", 1)
    table.learnt[0] = 0
    blocked[:] = 0
    assert nearest.best(rng.normal(size=DIMS - 1), blocked, 300, scores, rows) == 299
    assert 0 not in rows[:299]
    assert follow(nearest) == nearest.behind == 2
    assert len(nearest) == 300
    assert nearest.to_look_at == 0


def test_short_vectors_are_found_behind_long_ones_to_which_everything_else_leads() -> None:
    """As those of a model that has learnt much of few items, and little of most."""
    rng = np.random.default_rng(8)
    items, table = Items(N, n_numbers=0, n_values=0, n_counters=0), Table(rng)
    table.weights[:100] *= 2.0
    table.weights[100:] = rng.normal(size=(N - 100, DIMS)) * 0.08
    nearest = Nearest(items, table, DIMS)
    for row in range(N):
        items.touch(f"i{row}", 0)
    follow(nearest)
    nothing: Octets = np.zeros(N, np.uint8)
    assert recall(nearest, table, nothing, rng, most=300) >= 0.95
    # All of them longer: another sphere, onto which all are lifted anew.
    table.weights *= 1.04
    assert follow(nearest) == 0
    table.weights *= 3.0
    assert follow(nearest) == N
    assert recall(nearest, table, nothing, rng, most=300) >= 0.95
