"""The quicker way of storing is found on any disk, and found again when the disk changes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from eddyline_ingest.costs import Costs


@dataclass
class Bus:
    """What storing takes, in seconds."""

    single_fixed: float
    single_each: float
    atomic_fixed: float

    def takes(self, n: int, *, atomic: bool) -> float:
        return self.atomic_fixed + n * 0.00001 if atomic else self.single_fixed + (n - 1) * self.single_each


SLOW_SYNC = Bus(single_fixed=0.0005, single_each=0.00003, atomic_fixed=0.025)
FAST_SYNC = Bus(single_fixed=0.0005, single_each=0.00003, atomic_fixed=0.001)
SYNCS_ALWAYS = Bus(single_fixed=0.005, single_each=0.005, atomic_fixed=0.025)


def after(costs: Costs, bus: Bus, sizes: list[int]) -> Costs:
    for n in sizes:
        atomic = costs.prefer_atomic(n)
        costs.took(n, bus.takes(n, atomic=atomic), atomic=atomic)
    return costs


@pytest.mark.parametrize("bus", [SLOW_SYNC, FAST_SYNC, SYNCS_ALWAYS], ids=["slow", "fast", "always"])
def test_on_each_disk_the_choice_is_about_as_quick_as_the_best(bus: Bus) -> None:
    costs = after(Costs(), bus, [1, 2, 30, 700, 1_000, 1, 50, 1, 300, 5] * 20)
    for n in (1, 2, 10, 50, 100, 300, 1_000):
        best = min(bus.takes(n, atomic=False), bus.takes(n, atomic=True) if n > 1 else 1.0)
        assert bus.takes(n, atomic=costs.prefer_atomic(n)) <= 1.5 * best


def test_where_the_ways_differ_much_the_quicker_one_is_taken() -> None:
    sizes = [1, 2, 30, 700, 1_000, 1, 50, 1, 300, 5] * 20
    assert not after(Costs(), SLOW_SYNC, sizes).prefer_atomic(100)
    assert after(Costs(), FAST_SYNC, sizes).prefer_atomic(1_000)
    assert after(Costs(), SYNCS_ALWAYS, sizes).prefer_atomic(20)


def test_a_slow_disk_is_found_out_within_a_few_groups() -> None:
    costs = Costs()
    n_atomic = 0
    for _ in range(30):
        atomic = costs.prefer_atomic(300)
        n_atomic += atomic
        costs.took(300, SLOW_SYNC.takes(300, atomic=atomic), atomic=atomic)
    assert n_atomic <= 5


def test_a_disk_that_became_fast_is_noticed() -> None:
    costs = after(Costs(), SLOW_SYNC, [500] * 100)
    assert not costs.prefer_atomic(500)
    assert after(costs, FAST_SYNC, [500] * 5_000).prefer_atomic(500)


def test_a_lone_event_goes_alone() -> None:
    assert not Costs().prefer_atomic(1)
