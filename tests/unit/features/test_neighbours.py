"""Lists of neighbours: as exact as float32, whatever time does to the weights, and only for items that have any."""

from __future__ import annotations

from random import Random

import numpy as np

from eddyline_features.entities import Items
from eddyline_features.kernel import Ints
from eddyline_features.neighbours import Neighbours, meet_each

N_ITEMS, MOST = 40, 4


class Exact:
    """The same in float64, as a dict for each item."""

    def __init__(self) -> None:
        self.of: list[dict[int, float]] = [{} for _ in range(N_ITEMS)]
        self.totals = [0.0] * N_ITEMS

    def meet(self, row: int, other: int, amount: float) -> None:
        held = self.of[row]
        self.totals[row] += amount
        if other in held or len(held) < MOST:
            held[other] = held.get(other, 0.0) + amount
            return
        least = min(held, key=lambda key: held[key])
        held[least] -= amount
        if held[least] < 0.0:
            # In the place of the other, as the lists have it.
            self.of[row] = {(other if key == least else key): abs(weight) for key, weight in held.items()}

    def rescale(self, by: float) -> None:
        self.of = [{key: weight * by for key, weight in held.items()} for held in self.of]
        self.totals = [total * by for total in self.totals]


def shares(lists: Neighbours, row: int) -> dict[int, float]:
    keys, parts = lists.shares_of(row)
    return dict(zip(keys.tolist(), parts.tolist(), strict=True))


def test_shares_stay_right_while_weights_grow_beyond_float32_and_landmarks_move() -> None:
    rng, exact, lists = Random(3), Exact(), Neighbours(N_ITEMS, MOST)
    items = Items(N_ITEMS, n_numbers=0, n_values=0, n_counters=0)
    for row in range(N_ITEMS):
        items.touch(f"i{row}", 0)
    passed = 0.0
    for _ in range(3_000):
        # A sixth of a half-life each; some come late, and items stay silent for long.
        passed += 1 / 6
        if passed > 400.0:
            by = 2.0**-400
            lists.rescale(by)
            exact.rescale(by)
            passed -= 400.0
        amount = 2.0 ** (passed - rng.choice((0.0, 0.0, 0.0, 30.0))) * rng.choice((1.0, 3.0))
        row, other = rng.sample(range(N_ITEMS // 2), 2)
        meet_each(row, np.array([other, -1], np.int32), amount, items.meta, *lists.arrays().values())
        exact.meet(row, other, amount)
        exact.meet(other, row, amount)
    assert lists.used[0] == N_ITEMS // 2
    for row in range(N_ITEMS):
        want = {key: weight / exact.totals[row] for key, weight in exact.of[row].items()}
        got = shares(lists, row)
        assert got.keys() == want.keys()
        for key, share in got.items():
            np.testing.assert_allclose(share, want[key], rtol=1e-4, atol=1e-12)


def test_an_item_gets_a_list_with_its_first_pair_and_leaves_it_to_who_gets_its_row() -> None:
    lists, others = Neighbours(1_000, MOST), np.array([7], np.int32)
    items = Items(1_000, n_numbers=0, n_values=0, n_counters=0)
    for row in range(1_000):
        items.touch(f"i{row}", 0)
        lists.begin(row)
    assert not lists.slots.any()
    meet_each(500, others, 1.0, items.meta, *lists.arrays().values())
    assert np.flatnonzero(lists.slots).tolist() == [7, 500]
    assert shares(lists, 7) == {500: 1.0}
    lists.begin(500)
    assert shares(lists, 500) == {}
    meet_each(500, others, 2.0, items.meta, *lists.arrays().values())
    assert lists.used[0] == 2
    restored = Neighbours(1_000, MOST)
    restored.load(lists.save(600), 600)
    assert restored.save(600) == lists.save(600)
    # Older than anything counts: nothing is left, and what comes then counts alone.
    restored.rescale(0.0)
    assert restored.totals.sum() == 0.0
    another: Ints = np.array([8], np.int32)
    meet_each(7, another, 1.0, items.meta, *restored.arrays().values())
    assert shares(restored, 7) == {500: 0.0, 8: 1.0}
