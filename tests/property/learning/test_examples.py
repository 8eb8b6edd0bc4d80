"""Laws of examples, over all histories: a function of the log, never of the cuts; never a look into the future."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_contracts.events import Event, InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.view import Action
from eddyline_learning.examples import Example, Examples
from eddyline_learning.joining import JoinLimits
from eddyline_learning.labels import Labelling
from eddyline_learning.pending import pending_of
from eddyline_learning.taking import vectors_of
from tests.support.a_log import ToyFold, a_click, a_slate, an_item

WINDOW = 20
ITEMS = ["a", "b", "c", "d"]
PEOPLE = ["u", "v"]
LIMITS = JoinLimits(pending_impressions=20, held_impressions=6, strays=4, closed=6)
"""Small enough that each of them is met."""


class _Step(NamedTuple):
    """One event to be, with everything as numbers so that hypothesis can make it smaller."""

    kind: str
    ahead: int
    """ms of the clock before it."""
    behind: int
    """ms by which its own time lies behind the clock."""
    recorded_ahead: int
    person: int
    items: list[int]
    slate: int
    """Which slate an interaction names: so many slates back (1 is the newest; below 0, still to come); 0 for none."""
    known: int
    """How many places before its own the state of a ranker's slate stands; 0 for a client's slate."""


steps = st.lists(
    st.builds(
        _Step,
        kind=st.sampled_from(["slate", "click", "click", "click", "item"]),
        ahead=st.sampled_from([0, 1, 1, 2, 5, 30]),
        behind=st.sampled_from([0, 0, 0, 0, 1, 25, 100]),
        recorded_ahead=st.sampled_from([0, 0, 1, 30]),
        person=st.integers(0, len(PEOPLE) - 1),
        items=st.lists(st.integers(0, len(ITEMS) - 1), min_size=1, max_size=4),
        slate=st.sampled_from([1, 1, 1, 2, 3, 0, -1, -2]),
        known=st.sampled_from([0, 0, 1, 2, 5, 20]),
    ),
    min_size=25,
    max_size=80,
)


def history(plan: Sequence[_Step]) -> list[Logged]:
    """The log that the steps describe: places with gaps, times that jump, slates before and after their clicks."""
    log: list[Logged] = []
    clock = recorded = 1_000
    sequence = n_slates = 0
    slates: dict[str, list[str]] = {}
    for step in plan:
        clock += step.ahead
        recorded = max(recorded + step.recorded_ahead, clock)
        sequence += 1 + step.ahead // 5
        at = clock - step.behind
        items = [ITEMS[i] for i in step.items]
        person = PEOPLE[step.person]
        event: Event
        if step.kind == "slate":
            known = max(0, sequence - step.known) if step.known else None
            event = a_slate(f"s{n_slates}", items, at=at, user=person, features_sequence=known)
            slates[f"s{n_slates}"] = items
            n_slates += 1
        elif step.kind == "click":
            named = None
            shown = ITEMS
            if step.slate != 0:
                index = n_slates - step.slate if step.slate > 0 else n_slates - step.slate - 1
                named = f"s{index}"
                shown = slates.get(named, ITEMS)
            # Mostly an item of that slate; sometimes one that it may not show.
            item = items[0] if len(items) == 4 else shown[step.items[0] % len(shown)]
            event = a_click(item, at=at, user=person, slate=named)
        else:
            event = an_item(items[0], at=at)
        log.append(Logged(sequence, event.id or f"e{sequence}", at, recorded, event))
    return log


def labelling(objective: str = "click") -> Labelling:
    return Labelling(objective, {"click": Action(weight=1, gain=1)})


def examples_of(
    log: list[Logged], cuts: Sequence[int] = (), *, objective: str = "click", limits: JoinLimits = LIMITS
) -> tuple[list[Example], dict[str, int]]:
    """Examples when the fold is moved, and examples are drained, after each of the cuts and at the end."""
    examples = Examples(ToyFold(), labelling(objective), WINDOW, limits)
    made: list[Example] = []
    for index, logged in enumerate(log, 1):
        examples.ahead(logged)
        if index in cuts or index == len(log):
            examples.behind([e for e in log if examples.fold_sequence < e.sequence <= examples.fold_until])
            made += examples.drain()
    return made, dict(examples.joiner.slates)


def as_values(made: list[Example]) -> list[tuple[object, ...]]:
    """Everything of examples, comparable to the bit."""
    return [
        (e.slate, e.sequence, e.items, e.vectors.tobytes(), e.positions.tobytes(), e.labels.tobytes())
        for e in made
    ]


@settings(max_examples=100, deadline=None)
@given(plan=steps, cuts=st.sets(st.integers(1, 80)), objective=st.sampled_from(["click", "rank", "rating"]))
def test_where_the_log_is_cut_changes_no_example_no_order_and_no_count(
    plan: list[_Step], cuts: set[int], objective: str
) -> None:
    log = history(plan)
    once, counts = examples_of(log, objective=objective)
    often, counts_often = examples_of(log, sorted(cuts), objective=objective)
    assert as_values(often) == as_values(once)
    assert counts_often == counts


@settings(max_examples=50, deadline=None)
@given(plan=steps, end=st.integers(0, 80), objective=st.sampled_from(["click", "rating"]))
def test_what_comes_later_changes_no_example_that_is_there_already(
    plan: list[_Step], end: int, objective: str
) -> None:
    log = history(plan)
    early, _ = examples_of(log[:end], objective=objective)
    later, _ = examples_of(log, objective=objective)
    assert as_values(later[: len(early)]) == as_values(early)


@settings(max_examples=60, deadline=None)
@given(plan=steps)
def test_vectors_are_those_of_the_state_at_the_place_that_the_slate_was_ranked_by(plan: list[_Step]) -> None:
    log = history(plan)
    for example in examples_of(log)[0]:
        logged = next(e for e in log if e.sequence == example.sequence)
        assert isinstance(logged.event, SlateServed)
        known = logged.event.features_sequence
        fold = ToyFold()
        fold.apply_all([e for e in log if e.sequence <= (logged.sequence - 1 if known is None else known)])
        expected = vectors_of(fold, pending_of(logged, logged.event))
        rows = {item: row for row, item in reversed(list(enumerate(s.item for s in logged.event.items)))}
        assert example.vectors.tolist() == expected[[rows[item] for item in example.items]].tolist()
        assert len(example.items) == len(rows)


@settings(max_examples=40, deadline=None)
@given(plan=steps)
def test_a_rating_is_learnt_from_once_by_itself_or_by_its_slate(plan: list[_Step]) -> None:
    log = history(plan)
    place, at = (log[-1].sequence, log[-1].recorded_at) if log else (0, 0)
    ends = [
        Logged(
            place + n,
            f"end{n}",
            at + 10 * n * WINDOW,
            at + 10 * n * WINDOW,
            a_click("end", at=at + 10 * n * WINDOW, user="end"),
        )
        for n in (1, 2)
    ]
    examples = Examples(ToyFold(), labelling("rating"), WINDOW)
    for logged in [*log, *ends]:
        examples.ahead(logged)
    examples.behind([e for e in [*log, *ends] if e.sequence <= examples.fold_until])
    ratings = {e.sequence for e in log if isinstance(e.event, InteractionRecorded)}
    counts = examples.joiner.interactions
    assert set(counts) <= {"joined", "alone", "claimed"}
    assert counts["joined"] + counts["alone"] - counts["claimed"] == len(ratings) + len(ends)
    alone = [example for example in examples.drain() if example.sequence in ratings]
    assert len(alone) == counts["alone"] - counts["claimed"] - len(ends)


def ripe_at(log: list[Logged], slate: Logged) -> int | None:
    """Index of the event that makes a slate ripe, by the definition; None if none does."""
    event_clock = -1
    due_at = slate.occurred_at + WINDOW
    for index, logged in enumerate(log):
        if logged.sequence == slate.sequence and event_clock >= due_at:
            due_at = event_clock + WINDOW
        if isinstance(logged.event, SlateServed | InteractionRecorded):
            event_clock = max(event_clock, logged.occurred_at)
        if logged.sequence >= slate.sequence and event_clock >= due_at:
            return index
    return None


@settings(max_examples=60, deadline=None)
@given(plan=steps)
def test_labels_are_the_clicks_that_name_the_slate_before_it_is_ripe_and_no_others(plan: list[_Step]) -> None:
    # Without a slate's name a click may join any; those that name one can be told by a simple rule.
    plan = [step for step in plan if step.kind != "click" or step.slate != 0]
    log = history(plan)
    roomy = JoinLimits()
    for example in examples_of(log, limits=roomy)[0]:
        slate = next(e for e in log if e.sequence == example.sequence)
        end = ripe_at(log, slate)
        assert end is not None
        clicked = {
            e.event.item
            for e in log[:end]
            if isinstance(e.event, InteractionRecorded)
            and e.event.slate == example.slate
            and e.occurred_at < slate.occurred_at + WINDOW
        }
        expected = np.array([item in clicked for item in example.items], np.float32)
        assert example.labels.tolist() == expected.tolist()


@settings(max_examples=50, deadline=None)
@given(plan=steps)
def test_every_slate_is_used_waits_or_is_counted_with_its_reason(plan: list[_Step]) -> None:
    log = history(plan)
    examples = Examples(ToyFold(), labelling("rank"), WINDOW, LIMITS)
    for logged in log:
        examples.ahead(logged)
        assert examples.joiner.n_pending <= LIMITS.pending_impressions
    n_slates = sum(isinstance(e.event, SlateServed) for e in log)
    assert examples.joiner.slates.total() + examples.joiner.n_pending == n_slates
