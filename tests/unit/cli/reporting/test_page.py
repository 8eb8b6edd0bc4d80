"""The page of a running system: whole in itself, safe with any name, and with a word where there is nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eddyline_cli.demo.freshness import Freshness
from eddyline_cli.demo.timings import Percentiles
from eddyline_cli.reporting.figures.calibration import calibration_served
from eddyline_cli.reporting.figures.cost import cost_of_cycles
from eddyline_cli.reporting.figures.decisions import gate_decisions
from eddyline_cli.reporting.figures.importance import importance_and_drift
from eddyline_cli.reporting.figures.simulation import back_after
from eddyline_cli.reporting.of_running import page_of, page_of_simulated
from eddyline_cli.reporting.page import html_of
from eddyline_cli.reporting.running import RunningSystem
from eddyline_cli.reporting.slates import Shown
from eddyline_cli.reporting.told import CycleTold, DecisionTold, VersionTold, marks_of
from eddyline_cli.simulating.outcomes import Shown as Seen
from eddyline_cli.simulating.summary import Lists, Rates, SimulationSummary
from eddyline_cli.simulating.timeline import timeline_of
from eddyline_features.view import load_view
from tests.support.pages import examined, figure_of, words_of

NASTY = '<script>alert("x")</script> & $a_b$ ]]> \x07 日本'
NOW = 1_795_500_000_000
VIEW = load_view(
    """
view: shop
actions: {click: 1}
label_window: 10s
features:
  - {name: clicks, kind: rate, by: item, half_lives: [1h]}
learning: {objective: click}
"""
)


def empty() -> RunningSystem:
    return RunningSystem(
        view=VIEW,
        since_ms=NOW - 3_600_000,
        now_ms=NOW,
        newest_ms=None,
        n_events=0,
        shown=[],
        n_items=0,
        left_out={},
        versions=[],
        decisions=[],
        cycles=[],
    )


def full() -> RunningSystem:
    rng = np.random.default_rng(3)
    models = [letter * 64 for letter in "abc"]
    start = NOW - 600_000
    shown = [
        Shown(
            recorded_at=start + 1_000 * index,
            model=None if index < 100 else models[min(2, index // 200)],
            policy="live-priors" if index < 100 else NASTY if index % 10 == 0 else "greedy",
            person=f"u{index % 37}",
            items=rng.choice(30, 8, replace=False).astype(np.int32),
            labels={int(rng.integers(8)): 1.0} if rng.random() < 0.4 else {},
            scores=None if index < 100 else rng.normal(-2, 1, 8).astype(np.float32),
            sources=bytes(rng.integers(0, 2, 8).tolist()) if index % 3 == 0 else None,
            ripe=index < 590,
        )
        for index in range(600)
    ]
    decisions = [
        DecisionTold(
            at_ms=start + 100_000 * (index + 1),
            challenger=model,
            opponent="item-priors" if index == 0 else models[index - 1],
            outcome="promote" if index < 2 else "roll_back",
            reason=NASTY,
            n=200,
            mean=0.01 * index,
            lower=-0.02,
            upper=0.05,
            delta=0.005,
            against_champion=True,
        )
        for index, model in enumerate(models)
    ]
    cycles = [
        CycleTold(
            number=index + 1,
            at_ms=start + 50_000 * index,
            outcome="made",
            strategy="extend",
            model=models[index % 3],
            seconds={"fold": 0.1, "train": 0.4, NASTY: 0.01},
            joules=5.0 + index,
            joules_by="cpu_seconds x 10 W",
            slates=100 * index,
            loss=0.4,
            drift=index == 5,
        )
        for index in range(10)
    ]
    versions = [
        VersionTold(
            model=model,
            role="champion" if index == 2 else "former",
            made_at=start,
            promoted_at=start + 100_000 * (index + 1),
            labelled_at=start + 90_000 * (index + 1),
            strategy="extend",
            n_trees=100,
            n_slates=300,
            importance={"price": 0.5 - 0.1 * index, NASTY: 0.3, "x" * 300: 0.2 + 0.1 * index},
        )
        for index, model in enumerate(models)
    ]
    return dataclasses.replace(
        empty(),
        newest_ms=NOW,
        n_events=1_234,
        shown=shown,
        n_items=40,
        left_out={"no_room": 3},
        versions=versions,
        decisions=decisions,
        cycles=cycles,
        marks=marks_of(decisions, cycles),
        fresh=Freshness(
            event_to_log_ms=Percentiles(2.0, 9.0),
            event_to_fold_ms=Percentiles(3.0, 12.0),
            event_to_served_model_s=Percentiles(None, None),
            model_age_s=None,
            decisions={},
            cycles={},
            cycle_seconds={},
        ),
        sources=["popular", NASTY],
        skew={"compared": 50, "different": 2, "largest": 0.25, "columns": ["price"]},
    )


@pytest.fixture(scope="module")
def full_page() -> str:
    return html_of(page_of(full()))


def test_a_full_page_is_whole_in_itself_and_takes_no_name_for_markup(full_page: str) -> None:
    html = full_page
    root = examined(html)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    words = words_of(root)
    for word in ("$a_b$", "日本", "3 lists that found no room", "2 promotions, 1 roll-back", "0.25", "±"):
        assert word in words, word
    assert root.find(".//li[@class='alarm']") is not None
    slugs = {figure.attrib["id"] for figure in root.iter("figure")}
    assert slugs == {
        *("clicks", "versions", "policies", "sources", "ndcg", "gate", "loss", "cost", "fresh", "importance"),
        *("exposure", "lorenz", "calibration"),
    }
    for slug in slugs:
        assert figure_of(root, slug).find(".//svg") is not None, slug
    # What a picture says by colour, its legend says in words.
    for word in ("as served", "without a model", "promoted", "rolled back", "drift", "clicks may still come"):
        assert word in words_of(figure_of(root, "clicks")), word


def test_the_same_figures_give_the_same_bytes() -> None:
    told = full()
    once, again = (
        [gate_decisions(told.decisions), importance_and_drift(told.versions), cost_of_cycles(told.cycles)]
        for _ in range(2)
    )
    assert once == again
    assert all(plate.svg for plate in once)


def test_an_empty_system_says_what_is_missing_and_how_to_go_on() -> None:
    root = examined(html_of(page_of(empty())))
    words = words_of(root)
    for word in (
        "The log is empty",
        "eddyline import",
        "none yet",
        "No list was shown",
        "learning.min_slates",
    ):
        assert word in words, word
    assert root.find(".//svg") is None


@pytest.mark.parametrize("n", [1, 30])
def test_a_young_system_has_a_page_at_every_moment(n: int) -> None:
    told = full()
    young = dataclasses.replace(
        told,
        shown=told.shown[:n],
        versions=told.versions[: n - 1],
        decisions=told.decisions[: n - 2],
        cycles=told.cycles[: n - 2],
        skew=None,
        fresh=None,
    )
    examined(html_of(page_of(young)))


def test_times_without_lists_or_clicks_are_told() -> None:
    quiet = dataclasses.replace(empty(), newest_ms=NOW - 10**9)
    assert "look further back with --since" in words_of(examined(html_of(page_of(quiet))))
    no_lists = dataclasses.replace(empty(), newest_ms=NOW, n_events=7)
    assert "no list that was shown" in words_of(examined(html_of(page_of(no_lists))))
    unclicked = [dataclasses.replace(each, labels={}) for each in full().shown[:3]]
    nobody = dataclasses.replace(no_lists, shown=unclicked)
    assert "Nobody acted on what was shown" in words_of(examined(html_of(page_of(nobody))))


def test_scores_of_rank_have_no_calibration_and_the_page_says_why() -> None:
    plate = calibration_served(full().shown, "rank")
    assert not plate.svg
    assert "only order items" in plate.missing


def test_a_simulation_comes_first_and_its_turn_is_marked_everywhere() -> None:
    def ndcg(at: int) -> float:
        frozen = at % 10 == 0
        return 0.8 if at < 300 else 0.4 if frozen or at < 420 else 0.78

    seen = [
        Seen(float(at) / 10, at % 17, at % 10 == 0, at % 3 == 0, 0.6, 0.3, 0.5 if at < 300 else 0.4, ndcg(at))
        for at in range(600)
    ]
    chosen = [Seen(float(at), at % 17, False, at % 2 == 0, 0.99, 0.3, 0.9) for at in range(60)]
    none = Rates(before=None, lowest=None, recovered=None, frozen=None)
    told = SimulationSummary(
        click_rate=none,
        click_rate_se=none,
        lists=Lists(before=0, lowest=0, recovered=0, frozen=0),
        recovered_share=None,
        frozen_share=None,
        scale=None,
        promotions=0,
        decisions={},
        models_seen=0,
        events_acknowledged=0,
        lists_shown=600,
        event_to_slate_ms=Percentiles(None, None),
        rank_ms=Percentiles(None, None),
        freshness=None,
        degraded={},
        repeated_requests=0,
        restarts=0,
        began_at=NOW - 300_000,
        shift_at_s=30.0,
        timeline=timeline_of(seen, 60.0, chosen),
        seed=1,
        seconds=60.0,
    )
    assert [moment.expected for moment in told.timeline] == [0.5] * 15 + [0.4] * 15
    assert {moment.ndcg for moment in told.timeline[15:21]} == {0.4}
    assert back_after(told, lambda moment: moment.ndcg) == pytest.approx(14.0)
    assert back_after(told, lambda moment: moment.frozen_ndcg) is None
    assert {moment.frozen_lists for moment in told.timeline} == {2}
    assert {(m.chosen_lists, m.chosen, m.chosen_expected) for m in told.timeline} == {(2, 0.5, 0.9)}
    marked = dataclasses.replace(empty(), newest_ms=NOW, n_events=9, shown=full().shown[200:400], n_items=40)
    root = examined(html_of(page_of_simulated(marked, told)))
    first = next(root.iter("figure"))
    assert first.attrib["id"] == "simulation"
    for word in (
        "as served",
        "first model, frozen",
        "best order",
        "random order",
        "chosen from all items",
        "tastes turn",
        "14.0 s later",
        "frozen model was not back",
    ):
        assert word in words_of(first), word
    for slug in ("clicks", "ndcg", "exposure"):
        assert "tastes turn" in words_of(figure_of(root, slug))
