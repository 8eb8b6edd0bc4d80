"""Orders are judged by clicks that came after them, and no order knows anything of them."""

from __future__ import annotations

import math

import pytest

from eddyline_cli.demo.prequential import ITEM_RATE, RANKER, SHOWN, Prequential
from eddyline_cli.demo.timings import Percentiles, percentiles
from eddyline_contracts.events import InteractionRecorded, SlateItem, SlateServed
from eddyline_features.view import load_view

VIEW = load_view(
    "view: test\nlabel_window: 1m\nactions: {click: 1, buy: 3}\n"
    "features: [{name: price, kind: number, field: item.price}]\n"
)


def a_slate(id: str, *items: str, user: str = "u1") -> SlateServed:
    return SlateServed(id=id, user=user, items=[SlateItem(item=item) for item in items])


def a_click(
    item: str, slate: str | None = None, action: str = "click", user: str = "u1"
) -> InteractionRecorded:
    return InteractionRecorded(user=user, item=item, slate=slate, action=action)


def gain_at(place: int) -> float:
    return 1 / math.log2(place + 2)


def test_the_three_orders_are_judged_by_the_same_clicks() -> None:
    judged = Prequential(VIEW)
    for n in range(5):
        judged.slate(a_slate(f"s{n}", "a", "b", "c"), ["c", "a", "b"])
        judged.interaction(a_click("c", f"s{n}"))
    found = judged.last_fifth()
    assert found[RANKER].mean == 1.0
    assert found[SHOWN].mean == pytest.approx(gain_at(2))
    # Four times c was clicked before the fifth slate.
    assert found[ITEM_RATE].mean == 1.0
    assert found[RANKER].n == 1


def test_the_item_rate_knows_only_clicks_that_arrived_before_the_slate() -> None:
    judged = Prequential(VIEW)
    for n in range(5):
        judged.slate(a_slate(f"s{n}", "a", "b"), ["a", "b"])
    for n in range(5):
        judged.interaction(a_click("b", f"s{n}"))
    assert judged.last_fifth()[ITEM_RATE].mean == pytest.approx(gain_at(1))


def test_only_slates_with_a_click_are_judged_and_only_the_last_fifth_of_them() -> None:
    judged = Prequential(VIEW)
    for n in range(20):
        judged.slate(a_slate(f"s{n}", "a", "b"), ["a", "b"] if n < 16 else ["b", "a"])
        if n % 2 == 0:
            judged.interaction(a_click("b", f"s{n}"))
    found = judged.last_fifth()
    assert found[RANKER].n == 2
    assert found[RANKER].mean == 1.0


def test_gains_of_actions_are_labels_and_other_actions_are_none() -> None:
    judged = Prequential(VIEW)
    for n in range(5):
        judged.slate(a_slate(f"s{n}", "a", "b"), ["a", "b"])
        judged.interaction(a_click("a", f"s{n}"))
        judged.interaction(a_click("b", f"s{n}", "buy"))
        judged.interaction(a_click("a", f"s{n}", "dislike"))
    best = 3 * gain_at(0) + gain_at(1)
    assert judged.last_fifth()[RANKER].mean == pytest.approx((gain_at(0) + 3 * gain_at(1)) / best)


def test_an_interaction_without_a_slate_belongs_to_the_newest_that_showed_the_item_to_that_person() -> None:
    judged = Prequential(VIEW)
    for n in range(5):
        judged.slate(a_slate(f"s{n}", "a", "b"), ["b", "a"])
        judged.slate(a_slate(f"t{n}", "a", "b", user="u2"), ["a", "b"])
        judged.interaction(a_click("b", user="u1"))
    assert judged.last_fifth()[RANKER].mean == 1.0
    assert judged.last_fifth()[SHOWN].mean == pytest.approx(gain_at(1))


def test_the_live_figure_leaves_out_slates_whose_clicks_may_be_still_to_come() -> None:
    judged = Prequential(VIEW)
    for n in range(10):
        judged.slate(a_slate(f"s{n}", "a", "b"), ["a", "b"])
        judged.interaction(a_click("a", f"s{n}"))
    assert judged.lately(n=4, settled=3)[RANKER].n == 4
    assert judged.lately(n=4, settled=10)[RANKER].n == 0


def test_percentiles_are_values_that_occurred() -> None:
    assert percentiles([]) == Percentiles(None, None)
    assert percentiles([3.0]) == Percentiles(3.0, 3.0)
    assert percentiles([float(n) for n in range(1, 101)]) == Percentiles(50.0, 99.0)
