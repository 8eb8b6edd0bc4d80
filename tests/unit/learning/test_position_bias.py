"""Training allows for what the ranker's own order made people look at; foreseeing clicks, models know the place."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.position_bias import Visits, fitted, measure, table_of
from eddyline_contracts.bundle import Bundle
from eddyline_features.view import Gate, Learning
from eddyline_learning.boosters import Columns, train
from eddyline_learning.challenger import Challenger
from eddyline_learning.comparison import PROMOTE
from eddyline_learning.examination import Examination
from eddyline_learning.examples import Example
from eddyline_learning.gate import Contest
from eddyline_learning.goodness import Judge
from eddyline_learning.lineup import Lineup
from eddyline_learning.onnx_export import to_onnx
from eddyline_learning.store import ExampleStore, Table
from eddyline_learning.trees import as_text


def test_what_a_misled_order_made_people_click_is_unlearnt() -> None:
    found = measure(Visits(), power=1.0, misled=True, n=1_500, seed=1, n_others=1_500)
    assert found["examination"] > found["none"] + 0.02
    assert found["lightgbm"] > found["none"] + 0.02


@pytest.mark.parametrize("way", ["lightgbm", "examination"])
def test_what_others_ordered_gives_the_same_trees_to_the_bit(way: str) -> None:
    vectors, liked = Visits().draw(np.random.default_rng(1), 300)
    some = liked.any(axis=1)
    places = np.tile(np.arange(20, dtype=np.int32), (int(some.sum()), 1))
    table = table_of(vectors[some], liked[some], places, np.full(len(places), -1, np.int32))
    if way == "lightgbm":
        # It keeps a bias for the one place there is, which moves no order.
        one, other = (fitted(table, each).raw_scores(table.vectors) for each in (way, "none"))
        assert (np.argsort(one, kind="stable") == np.argsort(other, kind="stable")).mean() > 0.99
    else:
        assert as_text(fitted(table, way).booster) == as_text(fitted(table, "none").booster)


def test_a_slate_counts_by_what_its_clicks_stand_for_on_average_one() -> None:
    labels = np.array([1, 0, 0, 1, 1, 0], np.float32)
    told = (np.array([0, 1, 0, 1, 0, 1], np.int32), labels, np.array([2, 2, 2], np.int32))
    ours, mixed = np.array([0, 0, 0], np.int32), np.array([0, 0, -1], np.int32)
    weights = Examination(1.0).slate_weights(*told, ours)
    assert weights is not None
    assert weights.tolist() == pytest.approx([0.75, 1.5, 0.75])
    weights = Examination(1.0).slate_weights(*told, mixed)
    assert weights is not None
    assert weights.tolist() == pytest.approx([2 / 3, 4 / 3, 1.0])
    assert Examination(0.0).slate_weights(*told, ours) is None
    assert Examination(1.0).slate_weights(*told, np.full(3, -1, np.int32)) is None


def test_the_ring_tells_how_slates_were_ordered_and_weighs_them() -> None:
    store = ExampleStore(1, 100)
    for k, shuffled in enumerate((-1, 0, 2)):
        store.append(
            Example(
                slate=f"s{k}",
                sequence=k,
                occurred_at=0,
                items=["a", "b"],
                vectors=np.zeros((2, 1), np.float32),
                positions=np.array([0, 1], np.int32),
                labels=np.array([0, 1], np.float32),
                priors=np.zeros(2, np.float32),
                shuffled=shuffled,
            )
        )
    for table in (store.table(), store.newest_and_replayed(1, 100, 1)):
        assert table.shuffled is not None
        assert table.shuffled.tolist() == [-1, 0, 2]
        assert table.weights is None
    store.examination = Examination(1.0)
    table = store.table(newest=2)
    assert table.weights is not None
    # 2 and 4/3 stand behind the clicks; on average 1.
    assert table.weights.tolist() == pytest.approx([1.2, 0.8])


# Foreseeing clicks --------------------------------------------------------------------------------------


N_ITEMS = 10
POSITION = 2
CLICK = Learning(objective="click", trees=30, leaves=7)


def clicks(rng: np.random.Generator, n: int) -> Table:
    """Slates whose items are looked at less and less; two columns matter, a third is the position."""
    vectors = np.zeros((n * N_ITEMS, 3), np.float32)
    vectors[:, :2] = rng.normal(size=(n * N_ITEMS, 2))
    positions = np.tile(np.arange(N_ITEMS, dtype=np.int32), n)
    liked = 1.0 / (1.0 + np.exp(-(vectors[:, 0] + vectors[:, 1] - 0.5)))
    labels = (rng.random(len(liked)) < liked / (positions + 1.0)).astype(np.float32)
    return Table(vectors, labels, positions, np.full(n, N_ITEMS, np.int32), np.arange(n, dtype=np.int64))


def a_model(table: Table, name: str) -> Challenger:
    made = train(table, Columns(["a", "b", "position"], [], POSITION), CLICK)
    bundle = Bundle(
        model=name,
        view="v",
        features=["a", "b", "position"],
        objective="click",
        onnx=to_onnx(made.booster, 3, made.bias, {}),
        prior_items=[],
        prior_scores=b"",
        prior_default=0.0,
        first_sequence=1,
        last_sequence=2,
        n_slates=1,
        n_examples=1,
    )
    return Challenger(bundle, "")


def examples(table: Table) -> list[Example]:
    def rows(of_all: NDArray[np.generic]) -> list[NDArray[np.generic]]:
        return np.split(of_all, len(table.sizes))

    return [
        Example(
            slate="s",
            sequence=1,
            occurred_at=0,
            items=[],
            vectors=vectors,
            positions=positions,
            labels=labels,
            # What an item was clicked at, wherever it stood.
            priors=np.full(N_ITEMS, table.labels.mean(), np.float32),
        )
        for vectors, positions, labels in zip(
            rows(table.vectors), rows(table.positions), rows(table.labels), strict=True
        )
    ]


def test_with_a_position_column_a_challenger_that_foresees_clicks_is_promoted() -> None:
    rng = np.random.default_rng(5)
    lineup = Lineup(lambda _: None)
    lineup.add(a_model(clicks(rng, 60), "champion"))
    lineup.add(a_model(clicks(rng, 2_000), "better"))
    for position, expected in ((POSITION, True), (None, False)):
        contest, judge = Contest(Gate()), Judge("click")
        contest.enter("better", 1)
        seen = examples(clicks(np.random.default_rng(6), 1_500))
        raw = lineup.scores(contest.live, seen, position=position)
        contest.observe(judge.measure(seen, raw, priors=0))
        # Asked as if everything stood at the top, it foresees too many clicks: that was the fault.
        assert any(decision.outcome == PROMOTE for decision in contest.judge()) is expected
    assert np.all(seen[0].vectors[:, POSITION] == 0.0), "what was served stays as it was"
