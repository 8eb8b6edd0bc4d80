"""What happens to every recommender sooner or later, played to the learner by people whose tastes are known.

Quality is the true NDCG@10 of the lists as they were shown: by what people want, not by what they clicked. Longer ones
of these stories, of several worlds, are in `benchmarks.reality`; docs/reality.md has their figures.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.comparison import PROMOTE
from tests.support.closed_loop.hosting import Hosted
from tests.support.closed_loop.loop import START_MS, ClosedLoop
from tests.support.closed_loop.story import Story, between, except_between
from tests.support.closed_loop.views import MATCH, a_view


def outcomes(loop: ClosedLoop) -> set[str]:
    """What came of its cycles, without the reasons."""
    return {cycle.outcome.split(":")[0] for cycle in loop.hosted.cycles}


def learnt_of(loop: ClosedLoop, first: float, last: float) -> int:
    """Slates shown in the seconds [first, last) that are held to train on."""
    table = loop.learner.store.table()
    shown_at = {logged.sequence: logged.occurred_at for logged in loop.log}
    at = np.array([(shown_at[int(sequence)] - START_MS) / 1_000 for sequence in np.unique(table.sequences)])
    return int(((at >= first) & (at < last)).sum())


def test_when_tastes_turn_at_once_the_loop_finds_them_again_and_its_first_model_never() -> None:
    loop = ClosedLoop(a_view(), Story(mood=lambda at: 1.0 if at < 40 else -1.0)).run(90)
    before = loop.served(30, 40)
    assert before > 0.8
    assert loop.served(40, 42) < 0.5 * before, "the turn is felt"
    assert loop.served(82, 90) > 0.95 * before
    assert loop.frozen(82, 90) < 0.6 * before


def test_when_tastes_turn_by_and_by_the_loop_follows() -> None:
    loop = ClosedLoop(a_view(), Story(mood=lambda at: float(np.clip(1 - (at - 30) / 15, -1, 1)))).run(95)
    before = loop.served(20, 30)
    assert loop.served(85, 95) > 0.9 * before
    assert loop.frozen(85, 95) < 0.6 * before


@pytest.mark.parametrize(
    ("objective", "kept"),
    [
        pytest.param("rank", 0.95, id="rank: the gate lets none of it through"),
        # Two thirds of what is held to train on is garbage then, and who foresees garbage foresees what is clicked.
        pytest.param("click", 0.75, id="click: it is let through and taken back"),
    ],
)
def test_a_burst_of_clicks_at_random_costs_little_and_passes(objective: str, kept: float) -> None:
    loop = ClosedLoop(a_view(objective=objective), Story(garbage=between(35, 45))).run(49)
    before = loop.served(25, 35)
    assert learnt_of(loop, 35, 45) > 100, "the garbage was there to be learnt from"
    loop.run(70)
    lowest = min(loop.served(at, at + 5) for at in range(35, 65, 5))
    assert lowest > kept * before
    assert loop.served(62, 70) > 0.95 * before


def test_an_empty_hour_is_no_time_and_makes_no_model() -> None:
    loop = ClosedLoop(a_view(learn_every="3s"), Story(lists_per_s=lambda at: 0 if 30 <= at < 3_630 else 60))
    loop.run(30)
    before, n_before = loop.served(20, 30), len(loop.hosted.cycles)
    loop.run(3_630)
    cut_at = [loop.log[cycle.cut.sequence - 1].occurred_at - START_MS for cycle in loop.hosted.cycles]
    assert max(cut_at) < 60_000, "there was something to learn of the last lists only"
    loop.run(3_640)
    assert loop.served(3_630, 3_640) > 0.95 * before
    assert len(loop.hosted.cycles) > n_before + 2
    assert outcomes(loop) <= {"made", "nothing_due"}
    assert loop.learner.held is None, "nobody was asked, so nobody was silent"


def test_a_flood_of_clicks_on_one_item_breaks_nobodys_lists() -> None:
    item = "sim-item-7"
    flood = [
        (35 + k / 250, InteractionRecorded(id=f"bot-{k}", user="bot", session="bot", item=item))
        for k in range(5_000)
    ]
    loop = ClosedLoop(a_view(), Story(besides=flood)).run(55)
    assert loop.served(36, 55) > 0.95 * loop.served(25, 35)
    # It did arrive: in half a minute of nothing but lists, no item has ever been clicked so often.
    state = State(loop.view)
    state.apply_all(loop.log)
    rates = state.vectors("sim-user-1", None, [item, "sim-item-8"], None, {}, state.clock)
    rate = loop.view.columns.index("rate_2m")
    assert rates[0, rate] > 5 * rates[1, rate]
    assert loop.learner.examples.joiner.interactions["no_slate"] == 5_000, "of no list, so nobody's label"


def test_a_field_that_clients_cease_to_send_costs_what_it_was_worth_and_no_more() -> None:
    story = Story(match_weight=1.5, sends_match=lambda at: at < 35)
    loop = ClosedLoop(a_view(MATCH), story).run(70)
    never = ClosedLoop(a_view(MATCH), Story(match_weight=1.5, sends_match=lambda at: False)).run(45)
    assert loop.served(25, 35) > 1.1 * never.served(35, 45), "it was worth something"
    assert loop.served(60, 70) > 0.95 * never.served(35, 45), "as well as if it had never been there"
    assert outcomes(loop) == {"made"}
    match = loop.view.columns.index("match")
    assert np.isnan(loop.learner.store.table(newest=100).vectors[:, match]).all(), (
        "learnt from as it was: unknown"
    )


def test_labels_later_than_the_window_are_counted_and_teach_features_only() -> None:
    story = Story(late_s=lambda at: 4.0 if at >= 30 and round(1_000 * at) % 3 == 0 else 0.0)
    loop = ClosedLoop(a_view(), story).run(60)
    interactions = loop.learner.examples.joiner.interactions
    assert interactions["slate_closed"] > 200
    assert sum(interactions.values()) == sum(isinstance(e.event, InteractionRecorded) for e in loop.log)
    assert loop.served(50, 60) > 0.95 * loop.served(20, 30)
    assert loop.learner.held is None, "two of three still came"
    late = [logged for logged in loop.log if logged.id.startswith("click-")]
    state = State(loop.view)
    state.apply_all(loop.log)
    assert state.sequence >= late[-1].sequence


def test_when_clicks_stall_nothing_is_learnt_until_they_are_back() -> None:
    view = a_view(max_examples=60_000)
    loop = ClosedLoop(view, Story(clicks_arrive=except_between(35, 50))).run(35)
    before = loop.served(25, 35)
    loop.run(50)
    held = loop.learner.held
    assert held is not None
    assert "0 answered" in held
    n_cycles = len(loop.hosted.cycles)
    assert loop.hosted.cycles[-1].outcome.startswith("held: ")
    loop.run(70)
    assert loop.learner.held is None, "it closed by itself"
    assert outcomes(loop) - {"nothing_due"} == {"made", "held"}
    assert len(loop.hosted.cycles) > n_cycles + 3, "and went on"
    assert loop.served(60, 70) > 0.95 * before
    # Labels ripen three seconds later, and a click takes about one.
    assert learnt_of(loop, 36, 49) == 0
    stalled = loop.learner.examples.joiner.slates["stalled"]
    n_silent = len(loop.between(35, 50))
    assert 0.9 * n_silent < stalled < 1.2 * n_silent
    assert sum(loop.learner.examples.joiner.slates.values()) + loop.learner.examples.joiner.n_pending == sum(
        isinstance(logged.event, SlateServed) for logged in loop.log
    ), "none was lost without being counted"
    careless = relearnt(loop, a_view(max_examples=60_000, breaker={"share": 0}))
    assert learnt_of_log(careless, loop, 36, 49) > 500, "without the breaker all of it would have been learnt"
    # Who starts again and reads the same log knows the same.
    again = relearnt(loop, view)
    assert again.learner.digest == loop.learner.digest
    assert [(c.cut, c.outcome, c.champion) for c in again.cycles] == [
        (c.cut, c.outcome, c.champion) for c in loop.hosted.cycles
    ]


def relearnt(loop: ClosedLoop, view: View) -> Hosted:
    """Another learner that has read the same log."""
    hosted = Hosted(view)
    hosted.read(loop.log)
    hosted.move_fold()
    loop.hosted.move_fold()
    return hosted


def learnt_of_log(hosted: Hosted, loop: ClosedLoop, first: float, last: float) -> int:
    """As `learnt_of`, by another learner."""
    mine, loop.hosted = loop.hosted, hosted
    try:
        return learnt_of(loop, first, last)
    finally:
        loop.hosted = mine


def test_what_is_measured_is_what_people_want() -> None:
    loop = ClosedLoop(a_view(), Story()).run(30)
    last = loop.between(20, 30)
    ordered, unordered = (
        float(np.mean([getattr(one, kind) for one in last])) for kind in ("ndcg", "unordered")
    )
    assert unordered < 0.55 < 0.75 < ordered <= 1.0
    assert math.isnan(loop.shown[0].frozen), "there was no first model yet"
    assert any(d.outcome == PROMOTE for cycle in loop.hosted.cycles for d in cycle.decisions)
