"""Where a warm-up ends, in each of its forms."""

from __future__ import annotations

import pytest

from eddyline_contracts.record import Logged
from eddyline_learning.warmup import Warmup
from tests.support.a_log import a_click, a_log, a_slate, an_item

LOG = a_log(
    an_item("a", at=10**9),
    a_slate("s1", ["a"], at=1_000),
    a_click("a", slate="s1", at=1_010),
    a_slate("s2", ["a"], at=1_500),
    an_item("b", at=10**9),
    a_click("a", slate="s2", at=1_999),
    a_slate("s3", ["a"], at=2_000),
    a_click("a", slate="s3", at=2_500),
    a_slate("s4", ["a"], at=3_000),
)


def end_of(warmup: Warmup) -> str | None:
    """Id of the first event after it."""
    found: Logged | None = next((logged for logged in LOG if warmup.ends_before(logged)), None)
    return None if found is None else found.id


@pytest.mark.parametrize(
    ("share", "first"), [(0.5, "s3"), (0.25, "s2"), (0.74, "s3"), (0.75, "s4"), (0.1, "s1")]
)
def test_a_share_of_the_slates_ends_just_before_the_next_one(share: float, first: str) -> None:
    assert end_of(Warmup.share(share, 4)) == first


def test_a_share_is_not_cut_short_by_the_inexactness_of_numbers() -> None:
    tenth = [a_slate(f"s{n}", ["a"], at=n) for n in range(10)]
    warmup = Warmup.share(0.7, 10)
    assert next(logged.id for logged in a_log(*tenth) if warmup.ends_before(logged)) == "s7"
    warmup = Warmup.share(0.29, 100)
    many = a_log(*(a_slate(f"s{n}", ["a"], at=n) for n in range(100)))
    assert next(logged.id for logged in many if warmup.ends_before(logged)) == "s29"


def test_a_duration_counts_from_the_first_slate_or_interaction_and_not_from_the_catalogue() -> None:
    assert end_of(Warmup(duration_ms=1_000)) == "s3"
    assert end_of(Warmup(duration_ms=999)) == "click-a-s2-1999"
    assert end_of(Warmup(duration_ms=5_000)) is None


def test_a_time_ends_it_at_the_first_act_at_or_after_it() -> None:
    assert end_of(Warmup(until=2_000)) == "s3"
    assert end_of(Warmup(until=2_001)) == "click-a-s3-2500"
    assert end_of(Warmup(until=0)) == "s1"


def test_exactly_one_form_is_given() -> None:
    with pytest.raises(ValueError, match="one of them"):
        Warmup(n_slates=1, until=2)
    with pytest.raises(ValueError, match="one of them"):
        Warmup()
