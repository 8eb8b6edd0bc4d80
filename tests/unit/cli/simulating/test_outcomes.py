"""Click rates, their errors, and the phases that they are of."""

from __future__ import annotations

import io
import random

import pytest
from rich.console import Console

from eddyline_cli.demo.timings import Percentiles
from eddyline_cli.simulating.live_figures import sparkline
from eddyline_cli.simulating.outcomes import ClickRate, Outcomes, Shown, click_rate, ratio
from eddyline_cli.simulating.phases import Phases
from eddyline_cli.simulating.summary import Lists, Measured, Rates, Recommended, SimulationSummary, show
from eddyline_cli.simulating.traffic import is_frozen


def shown(at: float, clicked: bool, *, user: int = 0, frozen: bool = False) -> Shown:
    return Shown(at, user, frozen, clicked, 0.6, 0.4)


def test_a_rate_is_the_share_of_lists_that_were_clicked() -> None:
    rate = click_rate(
        [shown(0, True, user=1), shown(1, False, user=2), shown(2, True, user=3), shown(3, False)]
    )
    assert rate.mean == 0.5
    assert rate.lists == 4
    assert click_rate([]) == ClickRate(None, None, 0)
    assert click_rate([shown(0, True)]).se is None


def test_the_error_is_that_of_people_and_not_of_lists() -> None:
    rng = random.Random(1)
    # Each one clicks always or never: a hundred lists of one person say no more than one.
    few = [shown(0, user % 2 == 0, user=user) for user in range(20) for _ in range(100)]
    apart = [shown(0, rng.random() < 0.5, user=user) for user in range(2_000)]
    assert click_rate(few).se == pytest.approx(0.115, rel=0.1)
    assert click_rate(apart).se == pytest.approx((0.25 / 2_000) ** 0.5, rel=0.1)


def test_a_share_has_the_errors_of_both() -> None:
    share = ratio(ClickRate(0.45, 0.01, 100), ClickRate(0.5, 0.02, 100))
    assert share == (pytest.approx(0.9), pytest.approx((0.01**2 + (0.9 * 0.02) ** 2) ** 0.5 / 0.5))
    assert ratio(ClickRate(0.4, 0.01, 9), ClickRate(None, None, 0)) is None


def test_phases_are_measured_when_there_was_time_to_learn() -> None:
    phases = Phases(120.0, 54.0)
    assert phases.before == (27.0, 54.0)
    assert phases.after == (87.0, 120.0)
    assert phases.steps_after[0] == (54.0, 59.0)
    assert phases.steps_after[-1][1] <= 120.0
    told = [phases.name(at) for at in (0, 26, 28, 53, 55, 68, 70, 119)]
    assert told == ["warm-up", "warm-up", "steady", "steady", "shift", "shift", "recovery", "recovery"]
    assert Phases(120.0, None).after is None


def test_what_is_told_is_of_the_right_people_at_the_right_time() -> None:
    outcomes, phases = Outcomes(), Phases(100.0, 50.0)
    for k in range(1_000):
        at = k / 10.0
        good = at < 50.0 or at >= 75.0
        outcomes.shown.append(shown(at, good and k % 2 == 0, user=k))
        outcomes.shown.append(shown(at, at < 50.0 and k % 2 == 0, user=k, frozen=True))
    found = Measured.of(outcomes, phases)
    assert [r.mean for r in (found.before, found.lowest, found.recovered, found.frozen)] == [
        0.5,
        0.0,
        0.5,
        0.0,
    ]
    assert found.recovered.lists == found.frozen.lists == 250


def test_a_tenth_of_the_people_is_served_by_the_frozen_model() -> None:
    n = sum(is_frozen(f"sim-user-{k}") for k in range(10_000))
    assert 900 < n < 1_150


def test_a_curve_shows_rise_fall_and_gaps() -> None:
    assert sparkline([0.0, None, 0.5, 1.0]) == "▁ ▅█"
    assert sparkline([]) == ""


def test_what_was_chosen_is_told_by_time_and_every_list_is_counted() -> None:
    none = Rates(before=None, lowest=None, recovered=None, frozen=None)
    times = Percentiles(None, None)
    told = SimulationSummary(
        click_rate=none,
        click_rate_se=none,
        lists=Lists(before=0, lowest=0, recovered=0, frozen=0),
        recovered_share=None,
        frozen_share=None,
        scale=None,
        promotions=1,
        decisions={"wait": 7, "promote": 3, "give_up": 2},
        models_seen=3,
        events_acknowledged=9,
        lists_shown=600,
        event_to_slate_ms=times,
        rank_ms=times,
        freshness=None,
        degraded={"model": 610},
        repeated_requests=0,
        restarts=0,
        began_at=0,
        shift_at_s=30.0,
        timeline=[],
        seed=1,
        seconds=60.0,
        recommended=Recommended(
            lists=400,
            click_rate=0.7,
            se=0.01,
            expected=0.7,
            best=0.99,
            random=0.3,
            sources={"popular": 1.0},
            recommend_ms=times,
            before=0.9,
            lowest=0.05,
            recovered=0.88,
        ),
    )
    screen = Console(file=io.StringIO(), width=160)
    show(screen, told)
    said = screen.file.getvalue()
    assert "click rate 90.0% before, 5.0% at its lowest, 88.0% after recovery  (400 lists)" in said
    assert "1,000; 610 before the first model" in said
    assert "the gate promoted 3, gave up on 2; 7 times it waited for more lists" in said
