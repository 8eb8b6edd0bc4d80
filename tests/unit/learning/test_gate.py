"""No challenger that is worse is promoted, however often one looks; one that is better soon is."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
from msgspec import json
from numpy.typing import NDArray

from eddyline_features.view import Gate, Learning
from eddyline_learning.boosters import Columns, Fitted, train
from eddyline_learning.bounds import Pair, boundary
from eddyline_learning.comparison import GIVE_UP, PROMOTE, REJECT, ROLL_BACK, WAIT, Decision
from eddyline_learning.evidence import Evidence
from eddyline_learning.gate import PRIORS, Contest
from eddyline_learning.metrics import ndcg
from eddyline_learning.store import Table

GATE = Gate()


# The bound -----------------------------------------------------------------------------------------------


def test_looking_after_every_slate_does_not_make_errors_more_likely() -> None:
    rng = np.random.default_rng(1)
    n_runs, n_slates, alpha = 1_000, 3_000, 0.05
    n = np.arange(1, n_slates + 1)
    # Differences as those of NDCG are: mostly none, sometimes large; their true mean is 0.
    steps = rng.choice([-0.5, -0.1, 0.0, 0.0, 0.0, 0.1, 0.5], (n_runs, n_slates))
    mean = np.cumsum(steps, axis=1) / n
    squares = np.cumsum(steps**2, axis=1) - n * mean**2
    bounds = np.array([boundary(int(k), alpha) for k in n])
    width = np.sqrt((squares + 0.25) / n) * bounds
    from_first = slice(GATE.min_slates - 1, None)
    wrong = (mean - width > 0.0)[:, from_first].any(axis=1).mean()
    assert wrong <= alpha
    # A bound for one look is broken much more often, so the test can tell.
    naive = 1.645 * np.sqrt(np.maximum(squares, 0.0)) / n
    assert (mean - naive > 0.0)[:, from_first].any(axis=1).mean() > 3 * alpha


def test_the_bound_shrinks_with_slates_and_grows_with_confidence() -> None:
    widths = [Pair(n, 0.0, 0.01 * n).half_width(0.05) for n in (100, 1_000, 10_000)]
    assert widths == sorted(widths, reverse=True)
    assert widths[1] < 0.012
    assert Pair(500, 0.0, 5.0).half_width(0.01) > Pair(500, 0.0, 5.0).half_width(0.05)
    assert Pair(0, 0.0, 0.0).half_width(0.05) == math.inf
    assert boundary(500, 0.05) == pytest.approx(2.78 / math.sqrt(500), rel=0.01)


def test_models_that_never_differed_are_not_taken_for_equal_at_once() -> None:
    assert Pair(100, 0.0, 0.0).half_width(0.05) > GATE.delta
    assert Pair(400, 0.0, 0.0).half_width(0.05) < GATE.delta


def test_sums_do_not_depend_on_how_slates_come_in_and_survive_being_written() -> None:
    rng = np.random.default_rng(2)
    slates = rng.random((300, 3))
    slates[5, 1] = np.nan
    whole, pieces = Evidence(), Evidence()
    for evidence in (whole, pieces):
        for model in "abc":
            evidence.enter(model)
    whole.observe(slates)
    for slate in slates[:150]:
        pieces.observe(slate[None])
    pieces = Evidence.from_json(json.decode(json.encode(pieces.as_json())))
    pieces.observe(slates[150:])
    assert whole.as_json() == pieces.as_json()
    known = np.delete(slates, 5, axis=0)
    difference = known[:, 0] - known[:, 2]
    pair = whole.pair("a", "c")
    assert pair.n == 299
    assert pair.mean == pytest.approx(difference.mean())
    assert pair.squares == pytest.approx(difference.var() * 299)
    back = whole.pair("c", "a")
    assert (back.mean, back.squares) == (-pair.mean, pair.squares)


# Challengers -------------------------------------------------------------------------------------------


SETTINGS = Learning(trees=15, leaves=7, min_data_in_leaf=20)
COLUMNS = Columns([f"c{k}" for k in range(5)], [])
N_ITEMS = 8


def slates_of(rng: np.random.Generator, n: int) -> Table:
    """Slates in which items with a high first and second column are liked more often."""
    vectors = rng.normal(size=(n * N_ITEMS, 5)).astype(np.float32)
    chance = 1.0 / (1.0 + np.exp(-(1.2 * vectors[:, 0] + 0.8 * vectors[:, 1] - 1.0)))
    labels = (rng.random(len(chance)) < chance).astype(np.float32)
    return Table(
        vectors=vectors,
        labels=labels,
        positions=np.tile(np.arange(N_ITEMS, dtype=np.int32), n),
        sizes=np.full(n, N_ITEMS, np.int32),
        sequences=np.arange(n, dtype=np.int64),
    )


def compete(
    contest: Contest, models: dict[str, Fitted], rng: np.random.Generator, *, n_slates: int, every: int
) -> list[Decision]:
    """Show slates to all live models, and let the gate judge after each ``every``."""
    decisions: list[Decision] = []
    for _ in range(n_slates // every):
        table = slates_of(rng, every)
        goodness = [_goodness(models.get(model), table) for model in contest.live]
        contest.observe(np.stack(goodness, axis=1))
        decisions += contest.judge()
    return decisions


def _goodness(model: Fitted | None, table: Table) -> NDArray[np.float64]:
    # Item priors know a little of what there is to know.
    raw = table.vectors[:, 1].astype(np.float64) if model is None else model.raw_scores(table.vectors)
    return ndcg(raw, table.labels, table.sizes, 10)


def promoted(decisions: Sequence[Decision]) -> set[str]:
    return {decision.challenger for decision in decisions if decision.outcome == PROMOTE}


@pytest.mark.parametrize("opponent", ["champion", PRIORS])
def test_a_challenger_trained_on_shuffled_labels_is_never_promoted_in_twenty_seeds(opponent: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        table = slates_of(rng, 400)
        models = {"champion": train(table, COLUMNS, SETTINGS)}
        shuffled = dataclasses.replace(table, labels=rng.permutation(table.labels))
        models["shuffled"] = train(shuffled, COLUMNS, SETTINGS)
        contest = Contest(GATE)
        if opponent == "champion":
            contest.crown("champion")
        contest.enter("shuffled", 1)
        decisions = compete(contest, models, rng, n_slates=1_500, every=50)
        assert promoted(decisions) == set()
        assert decisions[-1].outcome in (REJECT, WAIT)
        assert contest.champion == opponent


def test_a_better_challenger_is_promoted_within_a_few_hundred_slates() -> None:
    for seed in range(5):
        rng = np.random.default_rng(100 + seed)
        models = {
            "champion": train(slates_of(rng, 30), COLUMNS, SETTINGS),
            "better": train(slates_of(rng, 800), COLUMNS, SETTINGS),
        }
        contest = Contest(GATE)
        contest.crown("champion")
        contest.enter("better", 1)
        decisions = compete(contest, models, rng, n_slates=800, every=50)
        (row,) = [d for d in decisions if d.outcome == PROMOTE and d.opponent == "champion"]
        assert row.lower is not None
        assert row.lower >= -GATE.delta
        assert row.n >= GATE.min_slates
        assert contest.champion == "better"
        assert contest.formers[-1] == "champion"


# Who is compared with whom -------------------------------------------------------------------------------


def shown(contest: Contest, n: int, *, spread: float = 0.02, **goodness: float) -> None:
    """Slates on which models did so well, with some noise that they share and a little of their own."""
    rng = np.random.default_rng(n)
    own = rng.normal(0.0, spread, (n, len(contest.live)))
    mean = np.array([goodness.get(model.replace("-", "_"), 0.5) for model in contest.live])
    contest.observe(mean + own + rng.normal(0.0, 0.3, (n, 1)))


def outcomes(decisions: Sequence[Decision]) -> dict[str, str]:
    return {decision.challenger: decision.outcome for decision in decisions}


def test_nothing_is_decided_before_enough_slates() -> None:
    contest = Contest(GATE)
    contest.enter("a", 1)
    assert outcomes(contest.judge()) == {"a": WAIT}
    shown(contest, GATE.min_slates - 1, a=0.9)
    assert outcomes(contest.judge()) == {"a": WAIT}
    shown(contest, 1, a=0.9)
    assert outcomes(contest.judge()) == {"a": PROMOTE}


def test_what_slowly_gets_worse_is_held_by_the_best_of_the_last_champions() -> None:
    contest = Contest(Gate(champions=3))
    best = 0.6
    contest.crown("m0")
    goodness = {"m0": best}
    for step in range(1, 12):
        name = f"m{step}"
        goodness[name] = goodness[contest.champion] - 0.004
        contest.enter(name, step)
        shown(contest, 2_000, spread=0.002, **goodness)
        contest.judge()
    assert goodness[contest.champion] > best - 0.004 * 3
    assert contest.champion != "m0", "a little worse is not shown to be worse"


def test_of_several_that_are_no_worse_the_best_is_taken_and_older_ones_go() -> None:
    contest = Contest(GATE)
    for cut, name in enumerate("abc", 1):
        contest.enter(name, cut)
    shown(contest, 1_000, a=0.55, b=0.7, c=0.6)
    decisions = contest.judge()
    assert outcomes(decisions) == {"a": GIVE_UP, "b": PROMOTE, "c": WAIT}
    assert contest.champion == "b"
    assert list(contest.contenders) == ["c"]
    shown(contest, 1_000, a=0.55, b=0.7, c=0.6)
    assert outcomes(contest.judge()) == {"c": REJECT}


def test_the_least_promising_makes_room_and_who_takes_too_long_gives_way() -> None:
    contest = Contest(Gate(contenders=2, patience=500, delta=0.0))
    contest.crown("m")
    contest.enter("a", 1)
    contest.enter("b", 2)
    shown(contest, 200, m=0.5, a=0.47, b=0.5)
    assert outcomes(contest.enter("c", 3)) == {"a": GIVE_UP}
    assert list(contest.contenders) == ["b", "c"]
    shown(contest, 300, m=0.5, b=0.5, c=0.5)
    assert outcomes(contest.judge()) == {"b": GIVE_UP, "c": WAIT}


def test_a_champion_that_falls_below_the_one_before_is_taken_back() -> None:
    contest = Contest(GATE)
    contest.crown("old")
    contest.enter("new", 1)
    shown(contest, 500, old=0.5, new=0.52)
    assert outcomes(contest.judge()) == {"new": PROMOTE}
    shown(contest, 2_000, old=0.5, new=0.45)
    assert outcomes(contest.judge()) == {"old": ROLL_BACK}
    assert contest.champion == "old"


def test_a_champion_by_hand_is_taken_back_too_by_slates_from_then_on_unless_it_is_pinned() -> None:
    for pinned in (False, True):
        contest = Contest(GATE)
        contest.crown("old")
        contest.enter("new", 1)
        # What was seen before the decision, however bad, does not speak against it.
        shown(contest, 90, old=0.5, new=0.2)
        contest.crown("new", pinned=pinned)
        assert contest.judge() == []
        shown(contest, GATE.min_slates - 1, old=0.5, new=0.45)
        assert contest.judge() == []
        shown(contest, 1, old=0.5, new=0.45)
        assert outcomes(contest.judge()) == ({} if pinned else {"old": ROLL_BACK})
        assert contest.champion == ("new" if pinned else "old")


def test_nobody_follows_on_a_pinned_champion_until_it_is_released() -> None:
    contest = Contest(GATE)
    contest.crown("old")
    contest.crown("held", pinned=True)
    contest.enter("better", 1)
    shown(contest, 500, held=0.5, old=0.5, better=0.7)
    contest.recall(json.decode(json.encode(contest.as_json())))
    assert {(d.outcome, d.reason) for d in contest.judge()} == {(WAIT, "the champion is pinned by hand")}
    contest.crown("held")
    assert outcomes(contest.judge()) == {"better": PROMOTE}


def test_a_roll_back_by_hand_is_not_taken_back() -> None:
    contest = Contest(GATE)
    contest.crown("old")
    contest.crown("new")
    contest.crown("old", returns=True)
    shown(contest, 1_000, old=0.4, new=0.6)
    assert contest.judge() == []
    assert contest.champion == "old"


def test_a_contest_goes_on_from_what_was_written_of_it() -> None:
    contest = Contest(GATE)
    contest.crown("m")
    contest.enter("a", 1)
    contest.enter("b", 2)
    shown(contest, 300, m=0.5, a=0.52, b=0.49)
    copy = Contest(GATE)
    copy.recall(json.decode(json.encode(contest.as_json())))
    for one in (contest, copy):
        shown(one, 300, m=0.5, a=0.52, b=0.49)
    assert contest.judge() == copy.judge()
    assert contest.as_json() == copy.as_json()


def test_deciding_costs_next_to_nothing() -> None:
    contest = Contest(Gate(contenders=4))
    contest.crown("m")
    for cut, name in enumerate("abcd", 1):
        contest.enter(name, cut)
    started = time.perf_counter()
    shown(contest, 1_000)
    contest.judge()
    assert time.perf_counter() - started < 2.0
