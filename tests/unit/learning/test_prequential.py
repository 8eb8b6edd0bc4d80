"""A history gone through as if it were live: no score knows anything that came later, and nothing else decides it."""

from __future__ import annotations

import dataclasses
import itertools
import random
import time
from collections.abc import Sequence

import numpy as np
import pytest

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged
from eddyline_eventlog.admission import Offline
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.cycle import Learner
from eddyline_learning.metrics import Floats
from eddyline_learning.prequential import Evaluation, NothingToLearn, Prequential
from eddyline_learning.scored import BASELINES, CHAMPION
from eddyline_learning.warmup import Warmup
from eddyline_runtime.cost import Energy, Meter
from tests.support.serving import DATA, fixture_view

N_WARM = 100


def the_log() -> list[Logged]:
    intake = Offline()
    taken = [intake.take_decoded(line) for line in (DATA / "events.jsonl").read_bytes().splitlines()]
    return [logged for logged in taken if logged is not None]


@pytest.fixture(scope="module")
def log() -> list[Logged]:
    return the_log()


@pytest.fixture(scope="module")
def view() -> View:
    """Short cycles, and a gate that is passed easily: much is promoted."""
    view = fixture_view()
    gate = dataclasses.replace(view.learning.gate, delta=0.5, min_slates=5)
    learning = dataclasses.replace(view.learning, learn_every=20, gate=gate)
    return dataclasses.replace(view, learning=learning)


def evaluated(
    view: View, log: Sequence[Logged], *, warmup: Warmup | None = None, seed: int = 1, step: int = 100
) -> Evaluation:
    run = Prequential(
        view,
        State(view),
        warmup or Warmup(n_slates=N_WARM),
        seed=seed,
        now=time.perf_counter,
        cpu=time.process_time,
        meter=lambda: Meter(Energy()),
    )
    for first in range(0, len(log), step):
        run.read(log[first : first + step])
    return run.finish()


@pytest.fixture(scope="module")
def whole(view: View, log: list[Logged]) -> Evaluation:
    return evaluated(view, log)


def scores_of(found: Evaluation) -> dict[str, dict[str, list[float]]]:
    """By slate, by who scored."""
    return {
        slate: {name: of_all[index].tolist() for name, of_all in found.slates.scores.items()}
        for index, slate in enumerate(found.slates.ids)
    }


def slates_of(log: Sequence[Logged]) -> list[Logged]:
    return [logged for logged in log if isinstance(logged.event, SlateServed)]


def test_every_slate_after_the_warm_up_is_scored_also_those_that_never_ripen(
    whole: Evaluation, log: list[Logged]
) -> None:
    assert sorted(whole.slates.ids) == sorted(logged.id for logged in slates_of(log)[N_WARM:])
    assert whole.unscored == {}


def test_a_score_is_a_function_of_the_log_before_the_slate(
    view: View, log: list[Logged], whole: Evaluation
) -> None:
    expected = scores_of(whole)
    slates = slates_of(log)
    # The newest slates before a promotion are the ones that might be given the model which comes after them.
    promoting = [
        after.cut for before, after in itertools.pairwise(whole.cycles) if before.champion != after.champion
    ]
    assert len(promoting) >= 2
    newest = [next(s for s in reversed(slates) if s.sequence < cut) for cut in promoting]
    for last in (slates[N_WARM], slates[-1], *newest):
        short = scores_of(evaluated(view, [logged for logged in log if logged.sequence <= last.sequence]))
        assert last.id in short
        assert short == {slate: expected[slate] for slate in short}


def test_a_slates_own_interactions_change_no_score_of_it_nor_of_any_before(
    view: View, log: list[Logged], whole: Evaluation
) -> None:
    rng = random.Random(3)
    expected = scores_of(whole)
    for slate in [slates_of(log)[-1], *rng.sample(slates_of(log)[N_WARM:], 3)]:
        assert isinstance(slate.event, SlateServed)
        items = [shown.item for shown in slate.event.items]
        changed = [
            logged if not _answers(logged, slate) else _redirected(logged, rng.choice(items), slate)
            for logged in log
        ]
        found = scores_of(evaluated(view, changed))
        before = [logged.id for logged in slates_of(log)[N_WARM:] if logged.sequence <= slate.sequence]
        assert {s: found[s] for s in before} == {s: expected[s] for s in before}


def _answers(logged: Logged, slate: Logged) -> bool:
    return isinstance(logged.event, InteractionRecorded) and logged.event.slate == slate.id


def _redirected(logged: Logged, item: str, slate: Logged) -> Logged:
    event = logged.event
    assert isinstance(event, InteractionRecorded)
    other = InteractionRecorded(
        id=event.id,
        occurred_at=event.occurred_at,
        user=event.user,
        session=event.session,
        item=item,
        slate=slate.id,
        action=event.action,
    )
    return Logged(logged.sequence, logged.id, logged.occurred_at, logged.recorded_at, other)


def test_the_model_of_a_slate_is_the_champion_of_its_moment(whole: Evaluation) -> None:
    champions = [cycle.champion for cycle in whole.cycles]
    assert len(set(champions)) >= 3, "the gate has promoted some"
    served_by_frozen = [
        np.array_equal(champion, frozen)
        for champion, frozen in zip(whole.slates.scores[CHAMPION], whole.slates.scores["frozen"], strict=True)
    ]
    assert served_by_frozen[0]
    assert not all(served_by_frozen)


def test_cycles_say_where_how_and_with_what_numbers(whole: Evaluation, view: View) -> None:
    first, *later = whole.cycles
    assert first.strategy == "rebuild"
    assert first.decisions == []
    assert first.champion == first.model
    assert first.n_slates >= 50
    assert [cycle.cut for cycle in whole.cycles] == sorted({cycle.cut for cycle in whole.cycles})
    decided = [decision for cycle in later for decision in cycle.decisions]
    assert "promote" in {decision["outcome"] for decision in decided}
    for decision in decided:
        assert {"challenger", "opponent", "n", "mean", "lower", "upper", "delta", "reason"} <= decision.keys()
        assert decision["delta"] == view.learning.gate.delta


def test_how_the_log_is_cut_into_batches_changes_nothing(
    view: View, log: list[Logged], whole: Evaluation
) -> None:
    for step in (7, len(log)):
        found = evaluated(view, log, step=step)
        assert scores_of(found) == scores_of(whole)
        assert found.digest == whole.digest
        assert [cycle.model for cycle in found.cycles] == [cycle.model for cycle in whole.cycles]


def test_the_digest_is_that_of_whoever_reads_the_same_log_whatever_is_measured(
    view: View, log: list[Logged], whole: Evaluation
) -> None:
    learner = Learner(view, State(view), starts_by_itself=False)
    learner.ahead(log)
    learner.behind([logged for logged in log if logged.sequence <= learner.fold_until])
    learner.collect()
    assert whole.digest == learner.digest
    assert evaluated(view, log, warmup=Warmup(n_slates=150)).digest == whole.digest


def test_a_seed_decides_the_random_order_and_a_slates_id_its_own(
    view: View, log: list[Logged], whole: Evaluation
) -> None:
    def of_random(found: Evaluation) -> list[list[float]]:
        return [scores["random"] for scores in scores_of(found).values()]

    assert of_random(evaluated(view, log)) == of_random(whole)
    other = of_random(evaluated(view, log, seed=2))
    assert all(a != b for a, b in zip(other, of_random(whole), strict=True))
    assert len({tuple(scores[:3]) for scores in of_random(whole)}) == len(whole.slates)


def test_the_baselines_are_what_they_say(whole: Evaluation, log: list[Logged]) -> None:
    rate: dict[str, list[float]] = {}
    shown: dict[str, int] = {}
    clicks: dict[str, float] = {}
    gains = {"click": 1.0, "bookmark": 1.0}
    for logged in log:
        event = logged.event
        if isinstance(event, SlateServed):
            items = list(dict.fromkeys(s.item for s in event.items))
            overall = 10 * sum(clicks.values()) / max(1, sum(shown.values()))
            rate[logged.id] = [(clicks.get(i, 0) + overall) / (shown.get(i, 0) + 10) for i in items]
            for item in items:
                shown[item] = shown.get(item, 0) + 1
        elif isinstance(event, InteractionRecorded):
            clicks[event.item] = clicks.get(event.item, 0) + gains.get(event.action, 0.0)
    for slate, scores in scores_of(whole).items():
        assert scores["item_rate"] == pytest.approx(rate[slate], rel=1e-12)
        assert scores["shown_order"] == sorted(scores["shown_order"], reverse=True)


def test_figures_are_there_for_all_that_scored_and_a_model_beats_chance(whole: Evaluation) -> None:
    measured = whole.slates.measured("rank", 10)
    assert set(measured) == {CHAMPION, *BASELINES}
    for one, other in itertools.pairwise(measured.values()):
        assert one.keys() == other.keys()
    assert measured[CHAMPION]["ndcg@10"].mean > measured["random"]["ndcg@10"].mean + 0.05
    assert measured[CHAMPION]["ndcg@10"].n <= len(whole.slates)


@pytest.mark.parametrize("objective", ["click", "rating"])
def test_where_scores_are_probabilities_or_values_they_are_judged_as_such(
    view: View, log: list[Logged], objective: str
) -> None:
    other = dataclasses.replace(view, learning=dataclasses.replace(view.learning, objective=objective))
    found = evaluated(other, log)
    measured = found.slates.measured(objective, 10)
    if objective == "click":
        assert len(found.slates) == len(slates_of(log)) - N_WARM
        for name in (CHAMPION, "frozen", "item_rate"):
            assert 0 < measured[name]["log_loss"].mean < 0.7
            assert measured[name]["predicted"].mean == pytest.approx(measured[name]["observed"].mean, abs=0.1)
            assert 0 <= measured[name]["ece"].mean < 0.15
        assert "log_loss" not in measured["random"]
    else:
        assert measured[CHAMPION]["rmse"].mean < 1.0
        assert "rmse" not in measured["shown_order"]


def test_a_warm_up_that_teaches_nothing_or_takes_everything_is_an_error(
    view: View, log: list[Logged]
) -> None:
    with pytest.raises(NothingToLearn, match="longer"):
        evaluated(view, log, warmup=Warmup(n_slates=2))
    with pytest.raises(NothingToLearn, match="shorter"):
        evaluated(view, log, warmup=Warmup(n_slates=10_000))


def scores_are_finite(scores: list[Floats]) -> bool:
    return all(np.isfinite(of_slate).all() for of_slate in scores)


def test_all_scores_are_numbers(whole: Evaluation) -> None:
    assert all(scores_are_finite(scores) for scores in whole.slates.scores.values())
