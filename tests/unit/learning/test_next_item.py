"""Protocol next-item: nothing that comes later decides a place, and between syncs only a person's own acts do."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from eddyline_contracts.events import InteractionRecorded, SlateItem, SlateServed
from eddyline_contracts.record import Logged
from eddyline_learning.next_item.evaluation import Foreseen, NextItem
from eddyline_learning.next_item.meetings import BASELINES, CHAMPION, Meeting, Meetings, rankers
from eddyline_learning.warmup import Warmup
from eddyline_runtime.cost import Energy, Meter
from tests.support.next_items import MINUTE, START, a_history, a_view, act

WARM = 200
HOUR = 60 * MINUTE


def evaluated(
    log: Sequence[Logged], *, repeats: bool = False, sync_ms: int = 0, step: int = 90, view: Any = None
) -> Foreseen:
    run = NextItem(
        view or a_view(),
        Warmup(until=START + WARM * MINUTE),
        repeats=repeats,
        sync_ms=sync_ms,
        now=time.perf_counter,
        cpu=time.process_time,
        meter=lambda: Meter(Energy()),
    )
    for first in range(0, len(log), step):
        run.read(log[first : first + step])
    return run.finish([10])


def places(found: Foreseen) -> dict[int, tuple[Any, int, int]]:
    """By place in the log."""
    return {
        meeting.sequence // 2: (
            None if meeting.baselines is None else meeting.baselines.tolist(),
            meeting.champion,
            meeting.frozen,
        )
        for meeting in found.measured.of
    }


@pytest.fixture(scope="module")
def log() -> list[Logged]:
    return a_history()


@pytest.fixture(scope="module")
def whole(log: list[Logged]) -> Foreseen:
    return evaluated(log)


def changed(logged: Logged, item: str) -> Logged:
    return msgspec.structs.replace(logged, event=msgspec.structs.replace(logged.event, item=item))


def test_it_learns_and_foresees_more_than_chance(whole: Foreseen) -> None:
    metrics = whole.measured.metrics()
    assert set(metrics) == {CHAMPION, *BASELINES}
    assert metrics[CHAMPION]["hr@10"].mean > metrics["random"]["hr@10"].mean + 0.1
    assert metrics[CHAMPION]["hr@10"].n == len(whole.measured.of)
    assert len({cycle.champion for cycle in whole.cycles}) > 1
    for of in metrics.values():
        assert 0 <= of["mrr@10"].mean <= of["ndcg@10"].mean <= of["hr@10"].mean <= 1


@pytest.mark.parametrize("sync_ms", [0, HOUR])
def test_what_comes_after_changes_no_earlier_place(log: list[Logged], sync_ms: int) -> None:
    expected = places(evaluated(log, sync_ms=sync_ms))
    rng = random.Random(4)
    for last in (WARM + 90, 451):
        # The one at `last` itself is another too: only where it is foreseen may depend on it.
        tail = [changed(logged, f"i{rng.randrange(60)}") for logged in log[last - 1 :]]
        found = places(evaluated([*log[: last - 1], *tail], sync_ms=sync_ms))
        before = {place for place in expected if place < last}
        assert len(before) > 20
        assert {place: found[place] for place in before} == {place: expected[place] for place in before}
        cut_off = places(evaluated(log[:last], sync_ms=sync_ms))
        assert cut_off == {place: expected[place] for place in expected if place <= last}


def test_how_the_log_is_cut_into_batches_changes_nothing(log: list[Logged], whole: Foreseen) -> None:
    assert places(evaluated(log, step=7)) == places(whole)


def test_between_syncs_what_others_do_changes_nothing_and_ones_own_acts_do(log: list[Logged]) -> None:
    expected = places(evaluated(log, sync_ms=HOUR))
    asked = next(
        logged
        for logged in log
        if logged.sequence > 440 and expected.get(logged.sequence, (None,))[0] is not None
    )
    assert isinstance(asked.event, InteractionRecorded)
    user, item = asked.event.user, asked.event.item
    begins = asked.occurred_at // HOUR * HOUR
    assert begins < asked.occurred_at - MINUTE

    def in_period(logged: Logged) -> bool:
        return begins <= logged.occurred_at < asked.occurred_at

    def others(logged: Logged) -> bool:
        return (
            in_period(logged) and isinstance(logged.event, InteractionRecorded) and logged.event.user != user
        )

    # Whatever others did since the sync, be it with this very item, nobody has learnt of it.
    crowd = [changed(logged, item) if others(logged) else logged for logged in log]
    assert sum(map(others, log)) > 5
    assert places(evaluated(crowd, sync_ms=HOUR))[asked.sequence] == expected[asked.sequence]
    assert places(evaluated(crowd))[asked.sequence] != places(evaluated(log))[asked.sequence]
    # The person's own acts since then count at once: what was seen a minute ago is no candidate any more.
    own = [
        act(logged.sequence, logged.occurred_at, user or "", item)
        if logged.sequence == asked.sequence - 1
        else logged
        for logged in log
    ]
    assert asked.sequence not in places(evaluated(own, sync_ms=HOUR))


def test_every_interval_scores_the_same_interactions(log: list[Logged], whole: Foreseen) -> None:
    late = evaluated(log, sync_ms=HOUR)
    assert set(places(late)) == set(places(whole))
    hour, at_once = late.measured.metrics()[CHAMPION], whole.measured.metrics()[CHAMPION]
    assert hour["hr@10"].mean < at_once["hr@10"].mean


def test_items_seen_before_are_scored_with_repeats_only(log: list[Logged], whole: Foreseen) -> None:
    seen: set[tuple[str | None, str]] = set()
    first, all_of_them = [], []
    for logged in log:
        event = logged.event
        assert isinstance(event, InteractionRecorded)
        if event.action != "hide" and logged.sequence >= WARM:
            all_of_them.append(logged.sequence)
            if (event.user, event.item) not in seen:
                first.append(logged.sequence)
        seen.add((event.user, event.item))
    assert list(places(whole)) == first
    assert list(places(evaluated(log, repeats=True))) == all_of_them
    assert whole.unscored["repeats"] > 0
    assert whole.unscored["no_gain"] > 0


def test_an_item_that_nobody_knew_is_a_miss_for_everybody(log: list[Logged]) -> None:
    found = evaluated([*log, act(501, START + 501 * MINUTE, "u1", "never seen before")])
    last = found.measured.of[-1]
    assert last.baselines is None
    assert found.measured.n_found < len(found.measured.of)
    assert last.champion > 200
    assert last.frozen > 200


def test_slates_that_were_shown_are_known_to_features_and_neither_scored_nor_learnt_from(
    log: list[Logged], whole: Foreseen
) -> None:
    shown = SlateServed(id="shown", occurred_at=START, user="u1", items=[SlateItem(item="i1")])
    slate = Logged(1, "shown", START, START, shown)
    moved = [msgspec.structs.replace(logged, sequence=logged.sequence + 1) for logged in log]
    found = evaluated([slate, *moved])
    assert len(found.measured.of) == len(whole.measured.of)


def test_a_view_that_learns_values_is_made_to_order(log: list[Logged]) -> None:
    view = a_view()
    rating = dataclasses.replace(view, learning=dataclasses.replace(view.learning, objective="rating"))
    assert places(evaluated(log, view=rating)) == places(evaluated(log))


def test_variants_are_chosen_by_the_warm_up_alone() -> None:
    names = rankers(["1h", "1d"])

    def meeting(sequence: int, hour: int, day: int) -> Meeting:
        ranks = np.full(len(names), 5, np.int32)
        ranks[0], ranks[1] = hour, day
        return Meeting(sequence, sequence, ranks, champion=2, frozen=30)

    meetings = Meetings(["1h", "1d"], [meeting(n, 3, 1) for n in range(10)])
    meetings.of += [meeting(n, 0, 50) for n in range(10, 40)]
    meetings.of.append(Meeting(40, 40))
    measured = meetings.measured_after(9, [1, 10])
    assert measured.variants["popular"] == "1d"
    metrics = measured.metrics()
    assert metrics["popular"]["hr@10"].mean == 0.0
    assert measured.popularity()["1h"]["hr@1"].mean == pytest.approx(30 / 31)
    assert metrics[CHAMPION]["mrr@10"].mean == pytest.approx(30 / 31 / 3)
    assert metrics[CHAMPION]["ndcg@10"].mean == pytest.approx(30 / 31 / 2)
    assert metrics[CHAMPION]["hr@1"].mean == 0.0
    (stretch,) = measured.timeline()
    assert stretch["n"] == 31
    assert stretch["at_ms"] == 10
    assert stretch["metrics"]["hr@10"]["mean"] == metrics[CHAMPION]["hr@10"].mean
