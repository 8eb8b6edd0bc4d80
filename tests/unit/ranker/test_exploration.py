"""Who gets slates that chance has a say in, and how they are drawn."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_ranker.exploration import is_explored, shuffled


def test_the_share_of_people_is_as_it_is_said() -> None:
    people = [f"user-{k}" for k in range(20_000)]
    assert sum(is_explored(person, 0.05) for person in people) / len(people) == pytest.approx(0.05, abs=0.005)
    assert not any(is_explored(person, 0.0) for person in people)
    assert all(is_explored(person, 1.0) for person in people)


def test_who_is_of_a_share_is_of_every_larger_one() -> None:
    for k in range(2_000):
        assert is_explored(f"u{k}", 0.2) >= is_explored(f"u{k}", 0.1)


@given(st.lists(st.integers(), unique=True, max_size=30), st.integers(2, 40), st.text(max_size=20))
def test_the_first_places_are_drawn_and_the_rest_stays(order: list[int], places: int, slate: str) -> None:
    drawn, n = shuffled(order, places, slate)
    assert n == (min(places, len(order)) if len(order) > 1 else 0)
    assert sorted(drawn[:n]) == sorted(order[:n])
    assert drawn[n:] == order[n:]
    assert shuffled(order, places, slate) == (drawn, n), "a retry gets the same"


def test_every_order_is_as_likely_as_another() -> None:
    n = 12_000
    seen = Counter(tuple(shuffled([0, 1, 2, 3], 3, f"slate-{k}")[0]) for k in range(n))
    assert len(seen) == 6
    assert all(count == pytest.approx(n / 6, rel=0.1) for count in seen.values())
