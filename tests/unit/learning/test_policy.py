"""What is made at a cut, and of which examples: by drift, growth, time, the tail's room, and new examples."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec import json

from eddyline_contracts.bundle import Bundle
from eddyline_features.view import Learning, Policy, ViewError, load_view
from eddyline_learning.challenger import Challenger, Made, Plan
from eddyline_learning.policy import PolicyState, Situation

ROWS = 10
"""Of each slate."""
CALM = Policy(drift="none")


def asked(policy: PolicyState, n: int, champion: Challenger | None, *, clock: int = 0) -> Plan | None:
    """What is due after ``n`` slates; it is made."""
    now = Situation(n_positive=n, n_seen=n, n_held=n, clock=clock)
    plan = policy.due(now, champion, lambda rows: min(n, rows // ROWS))
    if plan is not None:
        policy.made(plan, now)
    policy.passed()
    return plan


def a_champion(n_seen: int, *, tail: int = 0) -> Challenger:
    made = Made("rebuild", None, 100 + tail, tail, 0, n_seen, 0.0)
    bundle = Bundle(
        model="m",
        view="v",
        features=[],
        objective="rank",
        onnx=b"",
        prior_items=[],
        prior_scores=b"",
        prior_default=0.0,
        first_sequence=1,
        last_sequence=1,
        n_slates=1,
        n_examples=1,
        metrics={"made": dataclasses.asdict(made)},
        parent=None,
    )
    return Challenger(bundle, "trees")


def what(plan: Plan | None) -> tuple[str, str] | None:
    return None if plan is None else (plan.strategy, plan.reason)


def test_growth_comes_before_new_examples_and_a_full_tail_before_more_trees() -> None:
    policy = PolicyState(Learning(policy=CALM, tail=10, extend_trees=5))
    assert what(asked(policy, 200, None)) == ("rebuild", "growth")
    assert what(asked(policy, 250, a_champion(200))) == ("refit+extend", "new examples")
    assert what(asked(policy, 290, a_champion(250, tail=5))) == ("refit+extend", "new examples")
    assert what(asked(policy, 300, a_champion(290, tail=5))) == ("rebuild", "growth")
    assert what(asked(policy, 330, a_champion(300, tail=10))) == ("compact", "tail full")
    assert asked(policy, 340, None) is None, "item priors have no trees"
    assert asked(policy, 340, a_champion(340)) is None, "nothing is new"


@pytest.mark.parametrize("cycle", ["refit", "extend", "rebuild", "none"])
def test_a_cycle_does_what_the_view_says(cycle: str) -> None:
    policy = PolicyState(Learning(policy=dataclasses.replace(CALM, cycle=cycle)))
    asked(policy, 200, None)
    expected = None if cycle == "none" else (cycle, "new examples")
    assert what(asked(policy, 250, a_champion(200))) == expected


def test_few_new_examples_are_refitted_only() -> None:
    policy = PolicyState(Learning(policy=dataclasses.replace(CALM, extend_after=60)))
    asked(policy, 200, None)
    assert what(asked(policy, 250, a_champion(200))) == ("refit", "new examples")
    assert what(asked(policy, 260, a_champion(200))) == ("refit+extend", "new examples")


def test_a_rebuild_may_come_by_time_of_the_events_or_by_number() -> None:
    by_number = PolicyState(Learning(growth=100.0, policy=dataclasses.replace(CALM, rebuild_every=40)))
    asked(by_number, 200, None)
    assert what(asked(by_number, 239, a_champion(200))) == ("refit+extend", "new examples")
    assert what(asked(by_number, 240, a_champion(239))) == ("rebuild", "time")
    assert what(asked(by_number, 279, a_champion(240))) == ("refit+extend", "new examples")
    by_time = PolicyState(Learning(growth=100.0, policy=dataclasses.replace(CALM, rebuild_every_ms=60_000)))
    asked(by_time, 200, None, clock=1_000)
    assert what(asked(by_time, 300, a_champion(200), clock=60_999)) == ("refit+extend", "new examples")
    assert what(asked(by_time, 301, a_champion(300), clock=61_000)) == ("rebuild", "time")


def test_a_compaction_is_made_of_the_newest_rows_only() -> None:
    policy = PolicyState(Learning(growth=100.0, policy=dataclasses.replace(CALM, compact_rows=1_000)))
    asked(policy, 200, None)
    plan = asked(policy, 500, a_champion(400, tail=50))
    assert what(plan) == ("compact", "tail full")
    assert plan is not None
    assert plan.newest == 100


def test_after_a_drift_it_is_rebuilt_of_what_came_since_and_then_each_time_that_this_has_grown() -> None:
    policy = PolicyState(Learning(growth=1.5, policy=Policy(drift_rows=1_000)))
    policy.observe([0.3, 0.2] * 1_000, 2_000)
    first = asked(policy, 2_000, None)
    assert what(first) == ("rebuild", "growth")
    assert first is not None
    assert first.newest is None
    policy.observe([0.8, 0.9] * 150, 2_300)
    assert policy.n_drifts == 1
    assert policy.loss is not None
    assert (policy.loss.n, policy.loss.mean) == (300, pytest.approx(0.85))
    drifted = asked(policy, 2_300, a_champion(2_000))
    assert what(drifted) == ("rebuild", "drift")
    assert drifted is not None
    assert drifted.newest is not None
    assert 290 <= drifted.newest <= 320
    assert policy.loss is None, "of the next cycle nothing is known yet"
    extended = asked(policy, 2_400, a_champion(2_300))
    assert what(extended) == ("refit+extend", "new examples")
    assert extended is not None
    assert extended.newest == drifted.newest + 100, "nor is it replayed"
    grown = asked(policy, 2_480, a_champion(2_400))
    assert what(grown) == ("rebuild", "growth")
    assert grown is not None
    assert grown.newest == drifted.newest + 180, "what was before the drift stays outside"


def test_where_a_drift_began_does_not_depend_on_how_many_examples_come_at_once() -> None:
    # Some say nothing: they are examples all the same.
    losses = [loss for n in range(700) for loss in ((0.2 if n < 400 else 0.9) + n % 2 / 10, float("nan"))]
    begins = set()
    for step in (1, 7, 256, len(losses)):
        policy = PolicyState(Learning(policy=Policy(drift_rows=10)))
        for at in range(0, len(losses), step):
            some = losses[at : at + step]
            policy.observe(some, at + len(some))
        assert policy.n_drifts == 1
        begins.add(policy.as_json()["begins"])
    assert len(begins) == 1


def test_a_drift_that_has_hardly_begun_is_rebuilt_of_the_short_window_of_the_view() -> None:
    policy = PolicyState(Learning(policy=Policy(drift_rows=5_000)))
    policy.observe([0.2] * 1_000, 1_000)
    asked(policy, 1_000, None)
    policy.observe([0.9] * 50, 1_050)
    plan = asked(policy, 1_050, a_champion(1_000))
    assert what(plan) == ("rebuild", "drift")
    assert plan is not None
    assert plan.newest == 500


def test_a_drift_whose_rebuild_could_not_be_made_waits_for_the_next_cut() -> None:
    policy = PolicyState(Learning())
    policy.observe([0.2] * 1_000, 1_000)
    asked(policy, 1_000, None)
    policy.observe([0.9] * 100, 1_100)
    now = Situation(1_100, 1_100, 1_100, 0)
    assert what(policy.due(now, None, lambda rows: rows // ROWS)) == ("rebuild", "drift")
    policy.passed()
    assert what(policy.due(now, None, lambda rows: rows // ROWS)) == ("rebuild", "drift")


def test_what_is_written_down_at_a_cut_is_all_that_decides_afterwards() -> None:
    learning = Learning(growth=100.0, policy=Policy(rebuild_every=400))
    one = PolicyState(learning)
    one.observe([0.2] * 1_000, 1_000)
    asked(one, 1_000, None)
    one.observe([0.9] * 100, 1_100)
    one.passed()
    other = PolicyState(learning)
    other.recall(json.decode(json.encode(one.as_json())))
    for policy in (one, other):
        assert policy.n_drifts == 1
    champion = a_champion(1_000)
    for n in (1_200, 1_300, 1_620):
        assert asked(one, n, champion) == asked(other, n, champion)
        assert one.as_json() == other.as_json()


def test_settings_are_read_and_faults_are_named_with_a_remedy() -> None:
    text = (
        "view: v\nlabel_window: 30m\nactions: {click: 1}\n"
        "features: [{kind: count, name: n, by: item, half_lives: [1d]}]\n"
    )
    told = (
        "learning:\n  policy:\n    cycle: refit\n    rebuild_every: 1d\n    drift: page_hinkley\n"
        "    compact_rows: 20_000\n"
    )
    policy = load_view(text + told).learning.policy
    assert policy == Policy(
        cycle="refit", rebuild_every_ms=86_400_000, drift="page_hinkley", compact_rows=20_000
    )
    with pytest.raises(ViewError) as refused:
        load_view(
            text + "learning:\n  policy:\n    cycle: refti\n    rebuild_every: soon\n    drift_row: 1\n"
        )
    said = str(refused.value)
    assert "`learning.policy.cycle` is 'refti': did you mean `refit`?" in said
    assert "`learning.policy.rebuild_every`: ripe slates, such as 500, or a duration, such as 10m" in said
    assert "did you mean `drift_rows`?" in said
