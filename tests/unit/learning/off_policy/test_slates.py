"""Our own log: which slates tell something, of which policies, and how much; with the truth known by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from eddyline_contracts.events import SlateItem
from eddyline_contracts.record import Logged as Event
from eddyline_features.exploration import epsilon
from eddyline_features.exploration.draws import uniforms
from eddyline_features.view import View, load_view
from eddyline_learning.off_policy.estimators import Estimates, estimated
from eddyline_learning.off_policy.slates import SlateLog, UnknownTarget, Wanted
from tests.support.builders import START, a_click, a_slate, logged

MINUTE = 60_000
VIEW = load_view(
    "view: shop\nlabel_window: 10m\nactions: {click: {}, buy: {weight: 5}, bounce: {weight: -1}}\n"
    "features: [{name: r, kind: rate, half_lives: [1h]}]\n"
)
SERVED: dict[str, Any] = {"policy": "epsilon", "features_sequence": 1, "ranked_at": START}


def shown(name: str, ranks: list[int], propensities: list[float], **of_item: Any) -> list[SlateItem]:
    return [
        SlateItem(
            item=f"{name}{rank}",
            score=10.0 - rank,
            propensity=propensity,
            by_score=None if rank == place else rank,
            **of_item,
        )
        for place, (rank, propensity) in enumerate(zip(ranks, propensities, strict=True))
    ]


def found(events: list[Event], target: str, view: View = VIEW) -> tuple[SlateLog, Estimates]:
    slates = SlateLog(view, Wanted.of(target))
    for event in events:
        slates.add(event)
    return slates, estimated(*slates.finish())


def simulated(
    n_slates: int, chance: float = 0.4
) -> tuple[list[Event], NDArray[np.float64], NDArray[np.float64]]:
    """Slates of six items in an order by epsilon, of which four places are drawn; and goodness and attention."""
    rng = np.random.default_rng(7)
    goodness = np.array([0.6, 0.5, 0.3, 0.2, 0.15, 0.1])
    attention = np.arange(1.0, 7.0) ** -0.7
    events: list[Event] = []
    at = START
    for k in range(n_slates):
        at += MINUTE
        ranks = epsilon.draw(4, 4, chance, uniforms(b"e", f"s{k}", 8))
        told = epsilon.probabilities(np.array(ranks), np.arange(4), 4, chance).tolist()
        order = [*ranks, 4, 5]
        items = shown("i", order, [*told, 1.0, 1.0])
        events.append(logged(a_slate(items, user=f"u{k % 400}", id=f"s{k}", **SERVED), len(events) + 1, at))
        for place, rank in enumerate(order):
            if rng.random() < goodness[rank] * attention[place]:
                click = a_click(f"i{rank}", user=f"u{k % 400}", slate=f"s{k}")
                events.append(logged(click, len(events) + 1, at + 1_000))
    events.append(logged(a_click("end"), len(events) + 1, at + 60 * MINUTE))
    return events, goodness, attention


def test_other_policies_are_worth_what_they_are_worth() -> None:
    events, goodness, attention = simulated(2_500)
    best = goodness[:4] @ attention[:4]
    even = goodness[:4].mean() * attention[:4].sum()
    table = np.empty((4, 4))
    for shift in range(4):
        ranks = (np.arange(4) + shift) % 4
        table[ranks, np.arange(4)] = epsilon.probabilities(ranks, np.arange(4), 4, 0.1)
    worth = {
        "greedy": best,
        "epsilon:0": best,
        "shuffled": even,
        "epsilon:1": even,
        "epsilon:0.1": float(goodness[:4] @ table @ attention[:4]),
        "plackett-luce:0.001": best,
        "plackett-luce:1000": even,
    }
    for target, value in worth.items():
        slates, told = found(events, target)
        assert told.n_units == 2_500
        assert not slates.left_out
        assert told.n_clusters == 400
        for estimate in (told.ips, told.snips, told.dr):
            # Of 21 estimates from one log none is beyond 3.2 standard errors but once in thirty logs.
            assert abs(estimate.mean - value) < 3.2 * estimate.se
            assert estimate.se < 0.05
        assert told.mean_weight == pytest.approx(1.0, abs=0.06)
    # All of that can be told apart here.
    assert best - even > 0.13


def test_an_order_by_a_field_of_the_slate_is_a_policy_too() -> None:
    events, goodness, attention = simulated(2_000)
    for event in events:
        for item in getattr(event.event, "items", []):
            item.fields["relevancy"] = float(item.item.removeprefix("i"))
    _, told = found(events, "by:relevancy")
    worst = goodness[3::-1] @ attention[:4]
    assert abs(told.snips.mean - worst) < 3.2 * told.snips.se
    slates, _ = SlateLog(VIEW, Wanted.of("by:price")), None
    for event in events:
        slates.add(event)
    assert slates.left_out == {"an item without the field": 2_000}


def test_items_that_the_target_does_not_tell_apart_stand_as_without_chance_and_not_as_they_were_drawn() -> (
    None
):
    events, goodness, attention = simulated(1_000)
    for event in events:
        for item in getattr(event.event, "items", []):
            item.fields["price"] = 3.0
    _, told = found(events, "by:price")
    assert told.mean_weight == pytest.approx(1.0, abs=0.1)
    assert abs(told.snips.mean - goodness[:4] @ attention[:4]) < 3.2 * told.snips.se


@pytest.mark.parametrize("by_candidates", [True, False])
def test_equal_scores_do_not_tell_how_a_shuffled_slate_would_have_stood(by_candidates: bool) -> None:
    events = []
    for k in range(400):
        order = [f"i{rank}" for rank in np.random.default_rng(k).permutation(3)]
        slate = a_slate(
            [SlateItem(item=item, score=0.5, propensity=1 / 3) for item in order],
            id=f"s{k}",
            candidates=["i0", "i1", "i2"] if by_candidates else None,
        )
        events.append(logged(slate, k + 1, START + k))
    events.append(logged(a_click("end"), len(events) + 1, START + 60 * MINUTE))
    _, told = found(events, "greedy")
    assert told.mean_weight == pytest.approx(1.0, abs=0.15)


def test_a_slate_that_was_chosen_from_more_tells_what_no_chance_is_worth_and_of_other_policies_nothing() -> (
    None
):
    events: list[Event] = []
    for k in range(300):
        # Of 50 candidates two are shown; the second place is mostly that of rank 1, else of one far below.
        ranks, chances = ([0, 1], [0.9, 0.8]) if k % 5 else ([0, 40], [0.9, 0.2 / 49])
        slate = a_slate(
            shown("i", ranks, chances),
            user=f"u{k}",
            id=f"s{k}",
            candidates=[f"i{n}" for n in range(50)],
            **SERVED,
        )
        events.append(logged(slate, len(events) + 1, START + k))
        if ranks[1] == 1:
            events.append(logged(a_click("i1", slate=f"s{k}"), len(events) + 1, START + k))
    events.append(logged(a_click("end"), len(events) + 1, START + 60 * MINUTE))
    _, told = found(events, "greedy")
    # It is clicked whenever it is shown: 0.8 of the slates, each standing for 1 / 0.8.
    assert told.ips.mean == pytest.approx(1.0)
    slates = SlateLog(VIEW, Wanted.of("epsilon:0.2"))
    for event in events:
        slates.add(event)
    assert slates.left_out == {"chosen from more than it shows": 300}
    assert len(slates.finish()[0]) == 0


def test_what_says_nothing_is_counted_by_the_reason() -> None:
    drawn = shown("i", [1, 0], [0.5, 0.5])
    events = [
        logged(a_slate(["a", "b"], id="client"), 1, START),
        logged(a_slate(shown("i", [0, 1], [1.0, 1.0]), id="greedy", **SERVED), 2, START),
        logged(a_slate(drawn, id="used", user="u1", **SERVED), 3, START),
        logged(a_slate(drawn, id="late", user="u2", **SERVED), 4, START + 15 * MINUTE),
        logged(a_click("i1", slate="used"), 5, START + 5 * MINUTE),
        logged(a_click("i1", slate="used"), 6, START + 6 * MINUTE),
        logged(a_click("i0", slate="used", action="bounce"), 7, START + 6 * MINUTE),
        logged(a_click("i0", slate="used"), 8, START + 11 * MINUTE),
        logged(a_click("i0", slate="nobody knows"), 9, START + 16 * MINUTE),
    ]
    slates, told = found(events, "shuffled")
    assert slates.left_out == {"no propensities": 1, "not by chance": 1, "not ripe": 1}
    # A click twice is one; neither what is no reward counts, nor what came after the label window.
    assert (told.n_units, told.as_logged.mean) == (1, 1.0)


def test_shuffled_slates_that_do_not_say_where_an_item_would_have_stood_are_read_by_their_scores() -> None:
    items = [
        SlateItem(item=f"i{rank}", score=10.0 - rank, propensity=0.5 if rank < 2 else 1.0)
        for rank in (1, 0, 2)
    ]
    slates = SlateLog(VIEW, Wanted.of("greedy"))
    slates.add(logged(a_slate(items, id="s", policy="shuffled", features_sequence=1), 1, START))
    slates.add(logged(a_click("end"), 2, START + 60 * MINUTE))
    log, target = slates.finish()
    assert log.choices.tolist() == [1, 0]
    assert target.probabilities(log).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "text", ["gredy", "epsilon", "epsilon:2", "plackett-luce:0", "plackett-luce:x", "by:", "greedy:1"]
)
def test_what_is_no_policy_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(UnknownTarget, match="a policy is expected, as greedy"):
        Wanted.of(text)
