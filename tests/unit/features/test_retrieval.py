"""Candidates: what is popular, by several half-lives, and what goes with a person's own; never what was seen."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_features.retrieval.candidates import Candidates, Retrieval
from eddyline_features.retrieval.own import Own
from eddyline_features.retrieval.popular import Popular

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def a_retrieval(items: int = 200) -> Retrieval:
    return Retrieval([10 * MINUTE, DAY], HOUR, items=items, most=50)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3 * DAY)), min_size=1, max_size=120),
    st.integers(1, 12),
)
def test_the_kept_top_is_the_top(acts: list[tuple[int, int]], top: int) -> None:
    half_lives = [10 * MINUTE, 2 * HOUR, 30 * DAY]
    popular = Popular(half_lives, 40, top)
    expected = np.zeros((3, 40))
    now = 4_000 * DAY
    for row, later in acts:
        # Some come late, and one gap is long enough for counters to be scaled.
        popular.add(row, now + later)
        expected[:, row] += [2.0 ** (later / half_life) for half_life in half_lives]
    for h in range(3):
        kept = popular.tops[h, : popular.n[h]]
        assert len(set(kept.tolist())) == len(kept) == min(top, np.count_nonzero(expected[h]))
        best = np.sort(expected[h])[::-1][: len(kept)]
        np.testing.assert_allclose(expected[h, kept], best, rtol=1e-9)


def test_a_long_silence_leaves_the_order_as_it_is() -> None:
    popular = Popular([MINUTE], 10, 5)
    for row, times in ((3, 5), (1, 3), (2, 1)):
        for _ in range(times):
            popular.add(row, 1_000 * DAY)
    popular.add(7, 1_001 * DAY)
    assert popular.tops[0, : popular.n[0]].tolist() == [7, 3, 1, 2]


def test_an_item_that_is_forgotten_is_no_candidate() -> None:
    retrieval = a_retrieval(items=3)
    for number, item in enumerate("abcd"):
        retrieval.learn(item, "abcd"[:number], number * MINUTE)
    found = retrieval.candidates(["d"], (), 10)
    assert sorted(found.items) == ["b", "c", "d"]


def test_what_goes_with_a_persons_own_comes_before_what_is_popular() -> None:
    retrieval = a_retrieval()
    at = 0
    for number in range(40):
        at += MINUTE
        retrieval.learn(f"popular {number % 8}", [], at)
    retrieval.learn("rare", ["mine"], at)
    retrieval.learn("mine", ["rare"], at)
    assert retrieval.candidates(["mine"], {"mine"}, 3).items[0] == "rare"
    assert "rare" not in retrieval.candidates([], (), 3).items


def test_it_never_proposes_what_was_seen_nor_anything_twice() -> None:
    rng = random.Random(2)
    retrieval, own = a_retrieval(items=60), Own(30)
    for step in range(1_500):
        person, item = f"u{rng.randrange(20)}", f"i{int(rng.expovariate(0.05))}"
        acts = own.of(person)
        found = retrieval.candidates(acts.recent, acts.seen, 25)
        assert len(set(found.items)) == len(found.items) <= 25
        assert not acts.seen.keys() & set(found.items)
        assert found.popular.shape == (2, len(found.items))
        assert found.together.shape == (len(found.items),)
        retrieval.learn(item, list(acts.recent), step * MINUTE)
        own.add(person, item)


def same(one: Candidates, other: Candidates) -> bool:
    return (
        one.items == other.items
        and one.popular.tobytes() == other.popular.tobytes()
        and one.together.tobytes() == other.together.tobytes()
    )


def test_asking_changes_nothing() -> None:
    asked, silent = a_retrieval(), a_retrieval()
    rng = random.Random(5)
    for step in range(400):
        beside = [f"i{rng.randrange(40)}" for _ in range(3)]
        if step % 3 == 0:
            asked.candidates(beside, {beside[0], "unknown"}, 20)
        for retrieval in (asked, silent):
            retrieval.learn(f"i{step % 41}", beside, step * MINUTE)
    assert same(asked.candidates(["i3"], {"i4"}, 20), silent.candidates(["i3"], {"i4"}, 20))


def test_own_acts_are_bounded_and_the_newest_come_first() -> None:
    own = Own(2, recent=3, seen=4)
    for number in (1, 2, 3, 1, 4, 5):
        own.add("u", f"i{number}")
    assert own.of("u").recent == ["i5", "i4", "i1"]
    assert list(own.of("u").seen) == ["i3", "i1", "i4", "i5"]
    own.add("v", "i1")
    own.add("u", "i1")
    own.add("w", "i1")
    assert not own.of("v").seen
    assert own.of("u").recent[0] == "i1"
