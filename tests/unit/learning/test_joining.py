"""Which interaction belongs to which slate, when a slate is ripe, and what trains nothing and why."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eddyline_contracts.events import ModelPromoted
from eddyline_contracts.record import Logged
from eddyline_features.view import Action
from eddyline_learning.examples import Example, Examples
from eddyline_learning.joining import JoinLimits
from eddyline_learning.labels import Labelling
from eddyline_learning.pending import PendingSlate
from eddyline_learning.skew import EQUAL, OTHER_VIEW, Skew
from tests.support.a_log import ToyFold, a_click, a_log, a_slate, an_item

WINDOW = 100
ACTIONS = {
    "click": Action(weight=1, gain=1),
    "buy": Action(weight=1, gain=5),
    "view": Action(weight=1, gain=0),
}
LATER = 10_000
"""So much later that everything before is ripe, and its vectors are due."""


class Run:
    """What a log gives: examples and counts."""

    def __init__(
        self, *logs: list[Logged], objective: str = "rank", limits: JoinLimits | None = None
    ) -> None:
        self.examples = Examples(ToyFold(), Labelling(objective, ACTIONS), WINDOW, limits)
        self.made: list[Example] = []
        events = [logged for log in logs for logged in log]
        for logged in events:
            self.examples.ahead(logged)
        self.examples.behind([e for e in events if e.sequence <= self.examples.fold_until])
        self.made = self.examples.drain()
        self.slates = dict(self.examples.joiner.slates)
        self.interactions = dict(self.examples.joiner.interactions)

    def labels(self, slate: str) -> dict[str, float]:
        """Labels of a slate by item."""
        example = next(e for e in self.made if e.slate == slate)
        return dict(zip(example.items, example.labels.tolist(), strict=True))

    def state_read(self, slate: str) -> tuple[int, int]:
        """Sequence and time of the state that the slate's vectors were read from."""
        example = next(e for e in self.made if e.slate == slate)
        return int(example.vectors[0, 0]), int(example.vectors[0, 1])


def an_end(first: int, at: int = LATER) -> list[Logged]:
    """Two events long after: the first makes everything ripe, the second lets the fold pass it."""
    return a_log(a_click("z", at=at, user="z"), a_click("z", at=at + LATER, user="z"), first=first)


def test_a_click_that_names_its_slate_labels_its_item() -> None:
    run = Run(a_log(a_slate("s", ["a", "b", "c"], at=0), a_click("b", slate="s", at=5)), an_end(3))
    assert run.labels("s") == {"a": 0.0, "b": 1.0, "c": 0.0}
    assert run.slates == {"used": 1}
    assert run.interactions == {"joined": 1, "no_slate": 2}


def test_the_largest_gain_among_the_actions_is_the_label() -> None:
    run = Run(
        a_log(
            a_slate("s", ["a", "b", "c"], at=0),
            a_click("a", slate="s", at=5),
            a_click("a", slate="s", at=6, action="buy"),
            a_click("a", slate="s", at=7),
            a_click("b", slate="s", at=8, action="view"),
            a_click("b", slate="s", at=8, action="hover"),
        ),
        an_end(7),
    )
    assert run.labels("s") == {"a": 5.0, "b": 0.0, "c": 0.0}
    assert run.interactions["no_meaning"] == 1


def test_under_click_every_slate_teaches_and_labels_are_0_or_1() -> None:
    run = Run(
        a_log(
            a_slate("s", ["a", "b"], at=0),
            a_slate("t", ["a", "b"], at=1),
            a_click("a", slate="s", at=5, action="buy"),
        ),
        an_end(4),
        objective="click",
    )
    assert run.labels("s") == {"a": 1.0, "b": 0.0}
    assert run.labels("t") == {"a": 0.0, "b": 0.0}


def test_under_rating_the_newest_value_is_the_label_and_the_rest_is_unknown() -> None:
    run = Run(
        a_log(
            a_slate("s", ["a", "b"], at=0),
            a_click("b", slate="s", at=5, value=4.0),
            a_click("b", slate="s", at=6, value=-2.0),
            a_slate("t", ["a", "b"], at=7),
        ),
        an_end(5),
        objective="rating",
    )
    assert run.labels("s")["b"] == -2.0
    assert str(run.labels("s")["a"]) == "nan"
    assert run.slates == {"used": 1, "nothing_to_learn": 1}


@pytest.mark.parametrize("clicked", [[], ["a", "b"]])
def test_under_rank_a_slate_whose_items_are_all_alike_teaches_nothing(clicked: list[str]) -> None:
    clicks = [a_click(item, slate="s", at=5) for item in clicked]
    run = Run(a_log(a_slate("s", ["a", "b"], at=0), *clicks), an_end(4))
    assert not run.made
    assert run.slates == {"nothing_to_learn": 1}


def test_a_click_on_an_item_that_the_slate_did_not_show_joins_nothing() -> None:
    run = Run(a_log(a_slate("s", ["a", "b"], at=0), a_click("c", slate="s", at=5)), an_end(3))
    assert run.interactions["not_in_slate"] == 1
    assert "joined" not in run.interactions


def test_a_click_without_slate_joins_the_newest_one_of_its_user_or_session_that_showed_the_item() -> None:
    run = Run(
        a_log(
            a_slate("older", ["a", "b", "c"], at=0, user="u"),
            a_slate("newer", ["a", "b", "c"], at=10, user="u", session="x"),
            a_slate("without", ["c", "d"], at=20, user="u"),
            a_slate("of another", ["a", "b"], at=30, user="v"),
            a_slate("after", ["a", "b"], at=60, user="u"),
            a_click("a", at=50, user="u"),
            a_click("b", at=51, user="somebody", session="x"),
            a_click("b", at=5, user="u"),
        ),
        an_end(9),
    )
    assert run.labels("newer") == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert run.labels("older") == {"a": 0.0, "b": 1.0, "c": 0.0}
    assert {e.slate for e in run.made} == {"older", "newer"}
    assert run.interactions["joined"] == 3


def test_a_missing_user_is_the_session() -> None:
    run = Run(
        a_log(
            a_slate("s", ["a", "b"], at=0, user=None, session="x"),
            a_click("a", at=5, user=None, session="x"),
        ),
        an_end(3),
    )
    assert run.labels("s") == {"a": 1.0, "b": 0.0}


def test_a_click_in_or_after_the_event_that_makes_the_slate_ripe_changes_no_label() -> None:
    run = Run(
        a_log(
            a_slate("s", ["a", "b", "c"], at=0),
            a_click("a", slate="s", at=WINDOW - 1),
            a_click("b", slate="s", at=WINDOW),
            a_click("c", slate="s", at=WINDOW - 1),
        ),
        an_end(5),
    )
    assert run.labels("s") == {"a": 1.0, "b": 0.0, "c": 0.0}
    assert run.interactions["slate_closed"] == 2


def test_a_click_on_an_unknown_slate_is_counted() -> None:
    run = Run(a_log(a_click("a", slate="never", at=5)))
    assert run.interactions == {"unknown_slate": 1}


def test_a_click_after_its_slate_is_done_is_told_from_one_on_an_unknown_slate() -> None:
    log = a_log(a_slate("s", ["a", "b"], at=0), a_click("a", slate="s", at=5))
    run = Run(log, an_end(3), a_log(a_click("b", slate="s", at=6), first=5))
    assert run.interactions["slate_closed"] == 1
    assert "unknown_slate" not in run.interactions


def test_a_clients_slate_counts_as_ranked_just_before_its_own_place() -> None:
    run = Run(
        a_log(
            a_click("a", at=1, user="v"),
            a_slate("s", ["a", "b"], at=3),
            a_click("a", slate="s", at=5),
        ),
        an_end(4),
    )
    assert run.state_read("s") == (1, 3)
    assert run.made[0].vectors[:, 2].tolist() == [1.0, 0.0]


def test_a_rankers_slate_is_read_at_the_place_and_time_that_it_names_however_late_it_comes() -> None:
    run = Run(
        a_log(
            a_click("a", at=1, user="v"),
            a_click("b", at=2, user="v"),
            a_click("a", slate="s", at=9),
            a_click("a", at=10, user="v"),
            a_slate("s", ["a", "b"], at=3, features_sequence=2, ranked_at=4),
        ),
        an_end(6),
    )
    assert run.state_read("s") == (2, 4)
    assert run.labels("s") == {"a": 1.0, "b": 0.0}, "a click may be in the log before its slate"
    assert run.interactions["unknown_slate"] == 1
    assert run.interactions["joined"] == 1


def test_a_click_without_slate_that_came_before_the_rankers_slate_joins_it() -> None:
    run = Run(
        a_log(
            a_click("z", at=1, user="v"),
            a_click("a", at=9, user="u"),
            a_slate("s", ["a", "b"], at=3, user="u", features_sequence=1),
        ),
        an_end(4),
    )
    assert run.labels("s") == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize("named", [True, False])
def test_a_clients_slate_trains_nothing_when_its_click_is_already_in_the_log(named: bool) -> None:
    run = Run(
        a_log(a_click("a", slate="s" if named else None, at=9), a_slate("s", ["a", "b"], at=3)), an_end(3)
    )
    assert run.slates == {"clicked_before": 1}


def test_a_click_without_slate_from_before_a_clients_slate_was_shown_does_not_stop_it() -> None:
    run = Run(
        a_log(a_click("a", at=2), a_slate("s", ["a", "b"], at=3), a_click("b", slate="s", at=9)), an_end(4)
    )
    assert run.labels("s") == {"a": 0.0, "b": 1.0}


def test_a_click_that_was_in_the_log_before_the_ranker_ranked_does_not_stop_its_slate() -> None:
    run = Run(
        a_log(
            a_click("a", at=3, user="u"),
            a_slate("s", ["a", "b"], at=3, features_sequence=1),
            a_click("b", slate="s", at=9),
        ),
        an_end(4),
    )
    assert run.labels("s") == {"a": 0.0, "b": 1.0}


def test_a_slate_ranked_without_features_trains_nothing() -> None:
    run = Run(
        a_log(a_slate("s", ["a", "b"], at=0, policy="bundle-priors"), a_click("a", slate="s", at=5)),
        an_end(3),
    )
    assert run.slates == {"blind": 1}
    assert run.interactions["slate_closed"] == 1


def test_a_slate_that_claims_a_place_not_before_its_own_trains_nothing() -> None:
    run = Run(a_log(a_slate("s", ["a", "b"], at=0, features_sequence=1)))
    assert run.slates == {"from_the_future": 1}


def test_a_slate_that_comes_when_the_fold_has_passed_its_place_trains_nothing() -> None:
    run = Run(
        a_log(
            a_click("a", at=0),
            a_click("a", at=1),
            a_click("a", at=3 * WINDOW),
            a_slate("s", ["a", "b"], at=0, features_sequence=1),
            a_slate("t", ["a", "b"], at=0, features_sequence=2),
        )
    )
    assert run.slates == {"late": 1}
    assert run.examples.joiner.n_pending == 1, "at 2 the fold still stands"


def test_a_slate_that_arrives_after_its_window_waits_as_long_again() -> None:
    log = a_log(
        a_click("z", at=1_000, user="z"),
        a_slate("late", ["a", "b"], at=0),
        a_click("a", slate="late", at=50),
        a_click("z", at=1_000 + WINDOW - 1, user="z"),
        a_click("b", slate="late", at=60),
        a_click("a", slate="late", at=60 + WINDOW),
        a_click("z", at=1_000 + WINDOW, user="z"),
        a_click("z", at=3_000, user="z"),
    )
    before = Run(log[:-2], objective="click")
    assert not before.made, "its own window is over long since; its clicks are still on their way"
    assert before.interactions["outside_window"] == 1
    run = Run(log, objective="click")
    assert run.labels("late") == {"a": 1.0, "b": 1.0}
    assert run.state_read("late") == (1, 1_000), "never before the state's newest event"


def test_when_events_were_recorded_changes_no_example() -> None:
    events = [
        a_click("z", at=1_000, user="z"),
        a_slate("late", ["a", "b"], at=0),
        a_click("a", slate="late", at=50),
        a_slate("s", ["a", "b"], at=1_010),
        a_click("b", slate="s", at=1_020),
    ]
    as_it_happened = Run(a_log(*events), an_end(6))
    imported = Run(
        a_log(*events, recorded_at=[10**9] * 5),
        a_log(*(e.event for e in an_end(6)), first=6, recorded_at=[10**9] * 2),
    )
    assert [e.slate for e in as_it_happened.made] == [e.slate for e in imported.made] == ["late", "s"]
    for one, other in zip(as_it_happened.made, imported.made, strict=True):
        assert one.vectors.tobytes() == other.vectors.tobytes()
        assert one.labels.tobytes() == other.labels.tobytes()


def test_neither_a_catalogue_nor_a_promotion_of_today_makes_yesterdays_slates_ripe() -> None:
    promoted = ModelPromoted(id="p", occurred_at=10**9, model="m", view="v")
    run = Run(
        a_log(
            an_item("a", at=10**9),
            a_slate("s", ["a", "b"], at=0),
            promoted,
            an_item("b", at=10**9 + 1),
            a_click("a", slate="s", at=5),
        ),
        an_end(6),
    )
    assert run.labels("s") == {"a": 1.0, "b": 0.0}


def test_rows_are_the_shown_candidates_in_the_order_in_which_they_were_ranked() -> None:
    run = Run(
        a_log(
            a_click("c", at=0, user="v"),
            a_slate("s", ["b", "a", "b"], at=1, features_sequence=1, candidates=["a", "c", "b"]),
            a_click("b", slate="s", at=5),
        ),
        an_end(4),
    )
    (example,) = run.made
    assert example.items == ["a", "b"]
    assert example.positions.tolist() == [1, 0]
    assert example.labels.tolist() == [0.0, 1.0]
    assert example.vectors[:, 2].tolist() == [0.0, 0.0]


def test_what_does_not_fit_in_memory_trains_nothing_and_is_counted() -> None:
    log = a_log(
        *(a_slate(f"s{n}", ["a", "b"], at=n) for n in range(5)),
        *(a_click("a", slate=f"s{n}", at=10) for n in range(5)),
    )
    run = Run(log, an_end(11), limits=JoinLimits(pending_impressions=6))
    assert run.slates == {"used": 3, "no_room": 2}


def test_vectors_are_kept_for_a_bounded_number_of_slates_that_are_due_before_they_are_ripe() -> None:
    # The ranker's clock is ahead of the events': by their clock the state that it read is old before the slate is.
    ranked = [a_slate(f"s{n}", ["a", "b"], at=90, features_sequence=1) for n in range(5)]
    log = a_log(
        a_click("z", at=0, user="z"),
        a_click("z", at=1, user="z"),
        *ranked,
        a_click("z", at=150, user="z"),
    )
    run = Run(log, objective="click", limits=JoinLimits(held_impressions=4))
    assert run.slates == {"not_held": 3}
    assert run.examples.joiner.n_pending == 2


def test_what_was_held_is_room_again_once_it_is_ripe() -> None:
    log = a_log(
        a_click("z", at=0, user="z"),
        a_click("z", at=1, user="z"),
        a_slate("s", ["a", "b"], at=90, features_sequence=1),
        a_click("z", at=150, user="z"),
        a_click("z", at=1_000, user="z"),
        a_click("z", at=1_001, user="z"),
        a_slate("t", ["a", "b"], at=1_090, features_sequence=5),
        a_click("z", at=1_150, user="z"),
    )
    run = Run(log, objective="click", limits=JoinLimits(held_impressions=2))
    assert run.slates == {"used": 1}, "the second is held in the room of the first"
    assert run.examples.joiner.n_pending == 1


def test_whoever_measures_gets_vectors_of_slates_that_teach_nothing_and_of_those_that_never_ripen() -> None:
    taken: list[PendingSlate] = []
    log = a_log(
        a_slate("nothing", ["a", "b"], at=0),
        a_slate("clicked", ["a", "b"], at=1),
        a_click("a", slate="clicked", at=5),
        a_click("z", at=1_000, user="z"),
        a_slate("unripe", ["a", "b"], at=1_001),
        a_click("b", slate="unripe", at=1_002),
    )
    examples = Examples(ToyFold(), Labelling("rank", ACTIONS), WINDOW, on_taken=taken.append)
    for logged in log:
        examples.ahead(logged)
    examples.behind([e for e in log if e.sequence <= examples.fold_until])
    unmeasured = Run(log)
    assert [e.slate for e in examples.drain()] == [e.slate for e in unmeasured.made]
    assert dict(examples.joiner.slates) == unmeasured.slates
    examples.joiner.finish()
    assert examples.fold_until == log[-1].sequence
    examples.behind([e for e in log if e.sequence > examples.fold_sequence])
    assert [(slate.id, slate.labels, slate.sealed) for slate in taken] == [
        ("nothing", {}, True),
        ("clicked", {"a": 1.0}, True),
        ("unripe", {"b": 1.0}, True),
    ]
    assert all(slate.vectors is not None and len(slate.vectors) == 2 for slate in taken)


def test_what_was_served_is_compared_also_of_slates_that_teach_nothing_and_changes_no_example() -> None:
    def logged(told: bool) -> list[Logged]:
        served = [np.array([1, at, 0], "<f4").tobytes() for at in (2, 3, 4)]
        return a_log(
            an_item("a", at=0),
            *(
                a_slate(
                    f"s{at}",
                    ["a", "b"],
                    at=at,
                    features_sequence=1,
                    view="v" if at != 4 else "w",
                    served_vectors=[row, row] if told else None,
                )
                for at, row in zip((2, 3, 4), served, strict=True)
            ),
            a_click("a", slate="s3", at=5),
        ) + an_end(6)

    skew = Skew("v", ["sequence", "at", "n"])
    examples = Examples(ToyFold(), Labelling("rank", ACTIONS), WINDOW, skew=skew)
    for one in logged(told=True):
        examples.ahead(one)
    examples.behind([e for e in logged(told=True) if e.sequence <= examples.fold_until])
    without = Run(logged(told=False))
    assert [e.slate for e in examples.drain()] == [e.slate for e in without.made] == ["s3"]
    assert dict(examples.joiner.slates) == without.slates
    assert skew.slates == {EQUAL: 2, OTHER_VIEW: 1}
    assert examples.joiner.n_uncompared == 0


def test_no_more_served_vectors_are_kept_than_there_is_room_for_and_the_rest_is_counted() -> None:
    row = np.array([0, 0, 0], "<f4").tobytes()
    log = a_log(
        *(
            a_slate(f"s{n}", ["a", "b"], at=n, features_sequence=0, view="v", served_vectors=[row, row])
            for n in range(5)
        ),
        a_slate("late", ["a", "b"], at=10, features_sequence=99, view="v", served_vectors=[row, row]),
    ) + an_end(7)
    skew = Skew("v", ["sequence", "at", "n"])
    limits = JoinLimits(compared_impressions=6)
    examples = Examples(ToyFold(), Labelling("rank", ACTIONS), WINDOW, limits, skew=skew)
    for one in log:
        examples.ahead(one)
    examples.behind([e for e in log if e.sequence <= examples.fold_until])
    assert sum(skew.slates.values()) == 3
    assert examples.joiner.n_uncompared == 3
    # The room is free again.
    more = a_slate("more", ["a", "b"], at=3 * LATER, features_sequence=8, view="v", served_vectors=[row] * 2)
    log = a_log(more, a_click("z", at=4 * LATER), a_click("z", at=5 * LATER), first=9)
    for one in log:
        examples.ahead(one)
    examples.behind([e for e in log if e.sequence <= examples.fold_until])
    assert sum(skew.slates.values()) == 4


def test_old_strays_are_forgotten_first() -> None:
    strays = [a_click("a", slate=f"s{n}", at=n) for n in range(4)]
    slates = [a_slate(f"s{n}", ["a", "b"], at=0, features_sequence=0) for n in range(4)]
    run = Run(a_log(*strays, *slates), an_end(9), limits=JoinLimits(strays=2))
    assert {e.slate for e in run.made} == {"s2", "s3"}


def test_a_rating_without_a_slate_teaches_by_itself_as_its_item_was_known_just_before() -> None:
    log = a_log(
        a_click("a", at=0, value=2.0),
        a_click("b", at=1, slate="lost", value=4.0),
        a_click("a", at=2, user="v", value=-1e308),
        a_click("a", at=3, value=math.nan),
    )
    run = Run(log, an_end(5), objective="rating")
    alone = [example for example in run.made if example.occurred_at < LATER]
    assert [(e.items, e.labels.tolist()) for e in alone] == [(["a"], [2.0]), (["b"], [4.0]), (["a"], [-1e9])]
    assert [int(e.vectors[0, 0]) for e in alone] == [0, 1, 2]
    assert run.interactions == {"alone": 5, "no_meaning": 1}
    assert "alone" not in Run(log, an_end(5), objective="click").interactions


def test_a_rating_that_comes_after_its_slate_is_done_teaches_by_itself() -> None:
    log = a_log(
        a_slate("s", ["a", "b"], at=0),
        a_click("a", slate="s", at=1, value=3.0),
        a_click("b", slate="s", at=WINDOW + 1, value=4.0),
    )
    run = Run(log, an_end(4), objective="rating")
    first, second = run.made[:2]
    assert {first.slate, second.slate} == {"s", log[2].id}
    assert run.labels("s")["a"] == 3.0
    assert str(run.labels("s")["b"]) == "nan"
    assert run.labels(log[2].id) == {"b": 4.0}


def test_a_rating_is_its_slates_when_that_arrives_after_it() -> None:
    """It was ranked before, so its vectors are not passed: counted is the rating once."""
    log = a_log(
        a_click("z", at=0, user="z"),
        a_click("b", slate="s", at=5, value=4.0),
        a_slate("s", ["a", "b"], at=4, features_sequence=1),
        a_click("c", at=6, value=1.0),
    )
    run = Run(log, an_end(5), objective="rating")
    assert run.labels("s")["b"] == 4.0
    assert log[1].id not in {example.slate for example in run.made}
    assert log[3].id in {example.slate for example in run.made}
    assert run.interactions["joined"] == 1
    assert run.slates == {"used": 1}


def test_where_values_are_opinions_only_they_are_ratings() -> None:
    actions = {"rating": Action(weight=1, gain=1, values=(1.0, 5.0)), "view": Action(weight=1, gain=1)}
    examples = Examples(ToyFold(), Labelling("rating", actions), WINDOW)
    log = [
        *a_log(
            a_click("a", at=0, action="rating", value=99.0),
            a_click("a", at=1, action="view", value=3.0),
        ),
        *an_end(3),
    ]
    for logged in log:
        examples.ahead(logged)
    examples.behind([logged for logged in log if logged.sequence <= examples.fold_until])
    assert [(e.items, e.labels.tolist()) for e in examples.drain()] == [(["a"], [5.0])]
    assert examples.joiner.interactions == {"alone": 1, "no_meaning": 3}
