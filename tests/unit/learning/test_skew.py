"""What was served and what is replayed are compared bit for bit, and told apart by column."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eddyline_learning.pending import PendingSlate
from eddyline_learning.skew import DIFFERENT, EQUAL, OTHER_VIEW, Difference, Skew, difference

COLUMNS = ["price", "ctr_1h", "taste"]
BITS = st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=12).map(
    lambda bits: bits[: len(bits) // 3 * 3]
)
"""Any float32 there is: NaNs of every writing, infinities, both zeros."""


def table(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def sent(vectors: NDArray[np.float32]) -> list[bytes]:
    return [row.astype("<f4").tobytes() for row in vectors]


def a_slate(vectors: NDArray[np.float32], served: list[bytes] | None, view: str = "shop-1") -> PendingSlate:
    items = [str(k) for k in range(len(vectors))]
    return PendingSlate(
        id="s",
        sequence=2,
        features_sequence=1,
        occurred_at=0,
        ranked_at=0,
        user="u",
        session=None,
        candidates=items,
        item_fields=None,
        context={},
        places={item: k for k, item in enumerate(items)},
        view=view,
        served_vectors=served,
        vectors=vectors,
    )


@given(BITS)
def test_the_same_bits_are_equal_whatever_numbers_they_are(bits: list[int]) -> None:
    vectors = np.array(bits, np.uint32).view(np.float32).reshape(-1, 3)
    assert difference([row.tobytes() for row in vectors], vectors, COLUMNS) is None


@given(BITS, st.integers(0), st.integers(0, 31))
def test_any_changed_bit_is_seen_in_its_column(bits: list[int], place: int, bit: int) -> None:
    ours = np.array(bits, np.uint32)
    theirs = ours.copy()
    theirs[place % len(bits)] ^= np.uint32(1 << bit)
    found = difference(
        [row.tobytes() for row in theirs.reshape(-1, 3)], ours.view(np.float32).reshape(-1, 3), COLUMNS
    )
    assert found is not None
    assert found.columns == {COLUMNS[place % len(bits) % 3]: 1}
    assert found.largest >= 0


def test_the_largest_difference_is_that_of_two_numbers() -> None:
    found = difference(sent(table([1, 2, 3], [4, 5.5, 6.25])), table([1, 2, 3], [4, 5, 6]), COLUMNS)
    assert found == Difference(0.5, {"ctr_1h": 1, "taste": 1})


@pytest.mark.parametrize(
    ("served", "replayed", "largest"),
    [
        (math.nan, 1.0, math.inf),
        (1.0, math.nan, math.inf),
        (math.inf, 1.0, math.inf),
        (math.inf, -math.inf, math.inf),
    ],
)
def test_unknown_against_a_number_is_beyond_all_differences(
    served: float, replayed: float, largest: float
) -> None:
    found = difference(sent(table([served, 1, 2])), table([replayed, 1, 2]), COLUMNS)
    assert found == Difference(largest, {"price": 1})


def test_unknown_on_both_sides_is_equal_only_if_it_is_written_the_same() -> None:
    both = table([math.nan, math.nan, 0.0])
    assert difference(sent(both), both, COLUMNS) is None
    other = both.copy()
    other.view(np.uint32)[0, 1] ^= 1
    other[0, 2] = -0.0
    assert difference(sent(other), both, COLUMNS) == Difference(0.0, {"ctr_1h": 1, "taste": 1})


def test_another_shape_is_a_difference_and_no_error() -> None:
    vectors = table([1, 2, 3], [4, 5, 6])
    for served in (sent(vectors)[:1], [], [row + b"\0" for row in sent(vectors)], sent(vectors[:, :2])):
        assert difference(served, vectors, COLUMNS) == Difference(math.inf, {})


def test_slates_are_counted_and_what_was_served_is_let_go_of() -> None:
    skew = Skew("shop-1", COLUMNS)
    vectors = table([1, 2, math.nan])
    wrong = sent(table([1, 2.5, math.nan]))
    slates = [
        a_slate(vectors, sent(vectors)),
        a_slate(vectors, None),
        a_slate(vectors, wrong),
        a_slate(vectors, wrong, view="shop-2"),
    ]
    for slate in slates:
        skew.compare(slate)
        assert slate.served_vectors is None
    assert skew.slates == {EQUAL: 1, DIFFERENT: 1, OTHER_VIEW: 1}
    assert (skew.columns, skew.largest) == ({"ctr_1h": 1}, 0.5)
    assert skew.newest == ("s", Difference(0.5, {"ctr_1h": 1}))
