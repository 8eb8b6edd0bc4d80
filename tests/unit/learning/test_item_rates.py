"""The items' rates so far: smoothed, of the past only, and by the objective."""

from __future__ import annotations

import pytest

from eddyline_features.view import Action
from eddyline_learning.cold_start import Acquaintance
from eddyline_learning.item_rates import CountingFold, ItemRates
from tests.support.a_log import ToyFold, a_click, a_log, a_slate

ACTIONS = {
    "click": Action(weight=1, gain=1),
    "buy": Action(weight=1, gain=5),
    "view": Action(weight=1, gain=0),
}
LOG = a_log(
    a_slate("s", ["a", "b", "a"], at=0),
    a_click("a", slate="s", at=1),
    a_click("a", slate="s", at=2, action="buy"),
    a_click("b", slate="s", at=3, action="view"),
    a_click("b", slate="s", at=3, action="unheard-of"),
    a_slate("t", ["a", "c"], at=4),
)


def rates(objective: str) -> list[float]:
    counted = ItemRates(objective, ACTIONS)
    counted.add(LOG)
    found: list[float] = counted.of(["a", "b", "c", "new"]).tolist()
    return found


def test_under_rank_it_is_gain_per_impression_with_ten_impressions_at_the_overall_rate_added() -> None:
    # a: shown twice (an item counts once a slate), worth 6; b, c: shown once, worth nothing.
    added = 10 * 6 / 4
    assert rates("rank") == pytest.approx([(6 + added) / 12, added / 11, added / 11, added / 10])


def test_under_click_every_interaction_with_a_gain_counts_one() -> None:
    added = 10 * 2 / 4
    assert rates("click") == pytest.approx([(2 + added) / 12, added / 11, added / 11, added / 10])


def test_under_rating_it_is_the_mean_value() -> None:
    counted = ItemRates("rating", ACTIONS)
    counted.add(
        a_log(a_slate("s", ["a", "b"], at=0), a_click("a", at=1, value=5), a_click("b", at=2, value=2))
    )
    added = 10 * 7 / 2
    assert counted.of(["a", "b", "c"]).tolist() == pytest.approx(
        [(5 + added) / 11, (2 + added) / 11, added / 10]
    )


def test_nothing_seen_yet_is_a_rate_of_nothing() -> None:
    assert ItemRates("rank", ACTIONS).of(["a", "b"]).tolist() == [0.0, 0.0]


def test_rates_move_along_with_the_fold() -> None:
    fold = CountingFold(ToyFold(), ItemRates("rank", ACTIONS), Acquaintance())
    fold.apply_all(LOG[:1])
    assert fold.sequence == 1
    assert set(fold.rates.of(["a", "b"]).tolist()) == {0.0}
    fold.apply_all(LOG[1:2])
    assert fold.rates.of(["a"])[0] > fold.rates.of(["b"])[0] > 0
    assert fold.vectors("u", None, ["a"], None, {}, 5).tolist() == [[2.0, 5.0, 1.0]]
