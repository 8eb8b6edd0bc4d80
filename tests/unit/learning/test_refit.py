"""Our gradients are LightGBM's, and a refit moves each leaf as far as the new labels reach."""

from __future__ import annotations

import dataclasses

import lightgbm as lgb
import numpy as np
import pytest
from numpy.typing import NDArray

from eddyline_features.view import Learning, Policy
from eddyline_learning.boosters import Abandoned, Columns, Fitted, train, training_rows
from eddyline_learning.gradients import gradients_of
from eddyline_learning.metrics import mean_of, ndcg
from eddyline_learning.onnx_export import to_onnx
from eddyline_learning.store import Table
from eddyline_learning.strategies.refit import refit
from eddyline_learning.verification import edge_rows, verify_export

COLUMNS = Columns(["taste", "noise", "position", "code"], categorical=[3], position=2)
QUICK = Policy(refit_rows=20)


def settings_of(objective: str, **told: float) -> Learning:
    whole = {name: int(value) if name == "trees" else value for name, value in told.items()}
    return Learning(objective=objective, leaves=7, min_data_in_leaf=5, policy=QUICK, **{"trees": 15, **whole})  # type: ignore[arg-type]


def a_table(objective: str, n_slates: int = 300, *, seed: int = 1, sign: float = 1.0, size: int = 8) -> Table:
    """Slates whose labels follow the column ``taste`` (or its opposite), the code, and the position."""
    rng = np.random.default_rng(seed)
    n = size * n_slates
    vectors = rng.normal(size=(n, 4)).astype(np.float32)
    positions = np.tile(np.arange(size), n_slates).astype(np.int32)
    vectors[:, 2] = 0.0
    vectors[:, 3] = rng.integers(0, 9, n)
    pull = sign * vectors[:, 0] + (vectors[:, 3] % 3 == 1) - 0.2 * positions + rng.normal(size=n)
    labels = pull * 2 + 3 if objective == "rating" else (pull > 1) * 1.0 + (pull > 2) * 2.5
    if objective == "rating":
        labels = np.where(rng.random(n) < 0.5, labels, np.nan)
    if objective == "click":
        labels = np.minimum(labels, 1.0)
    sizes = np.full(n_slates, size, np.int32)
    return Table(vectors, labels.astype(np.float32), positions, sizes, np.arange(1, n_slates + 1))


def goodness(fitted: Fitted, table: Table, objective: str) -> float:
    with training_rows(table, COLUMNS, objective) as rows:
        raw = fitted.raw_scores(rows.vectors)
        if objective == "rank":
            return mean_of(ndcg(raw, rows.labels, rows.sizes, 10)).mean
        if objective == "click":
            return -float((np.logaddexp(0.0, raw) - rows.labels * raw).mean())
        return -float(((raw - rows.labels) ** 2).mean())


@pytest.mark.parametrize("size", [8, 50])
@pytest.mark.parametrize("start", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("objective", ["rank", "click", "rating"])
def test_the_leaves_of_one_tree_of_lightgbm_are_sums_of_our_gradients(
    objective: str, start: float, size: int
) -> None:
    # Slates of 50 are longer than LambdaMART looks; at 0 all scores are equal; at 30 its sigmoid is flat.
    told = settings_of(objective, lambda_l2=0.3, lambda_l1=0.05)
    scores = start * np.random.default_rng(2).normal(size=300 * size)
    with training_rows(a_table(objective, size=size), COLUMNS, objective) as rows:
        scores = scores[: len(rows.target)]
        parameters = {
            "objective": {"rank": "lambdarank", "click": "binary", "rating": "regression"}[objective],
            "num_leaves": 7,
            "learning_rate": 0.1,
            "lambda_l1": 0.05,
            "lambda_l2": 0.3,
            "boost_from_average": False,
            "verbosity": -1,
            "num_threads": 1,
        }
        if rows.label_gain is not None:
            parameters["label_gain"] = rows.label_gain
        group = rows.sizes if objective == "rank" else None
        dataset = lgb.Dataset(rows.vectors, rows.target, group=group, init_score=scores, params=parameters)
        booster = lgb.train(parameters, dataset, 1)
        leaves = booster.predict(rows.vectors, pred_leaf=True).ravel()
        slopes, bends = gradients_of(objective, rows.target, rows.sizes, rows.label_gain)(scores)
    assert leaves.max() >= 3
    for leaf in range(int(leaves.max()) + 1):
        g, h = slopes[leaves == leaf].sum(), bends[leaves == leaf].sum()
        g = np.sign(g) * max(0.0, abs(g) - told.lambda_l1)
        assert booster.get_leaf_output(0, leaf) == pytest.approx(-0.1 * g / (h + 0.3), rel=2e-4, abs=1e-7)


def test_a_slate_with_nothing_to_order_pulls_at_nothing() -> None:
    sizes = np.array([3, 1, 2], np.int32)
    target = np.array([1, 1, 1, 1, 0, 0], np.int32)
    slopes, bends = gradients_of("rank", target, sizes, [0.0, 1.0])(np.arange(6.0))
    assert not slopes.any()
    assert not bends.any()


@pytest.mark.parametrize("objective", ["rank", "click", "rating"])
def test_after_a_turn_of_taste_a_refit_is_better_on_labels_that_it_has_not_seen(objective: str) -> None:
    told = settings_of(objective)
    before = train(a_table(objective), COLUMNS, told)
    after = refit(before, a_table(objective, seed=2, sign=-1.0), COLUMNS, told)
    unseen = a_table(objective, seed=3, sign=-1.0)
    assert goodness(after, unseen, objective) > goodness(before, unseen, objective) + 0.02
    assert after.n_trees == before.n_trees
    assert after.bias == before.bias
    onnx = to_onnx(after.booster, 4, after.bias)
    verify_export(after, onnx, edge_rows(after, unseen.vectors, 2_000, seed=1))


def test_leaves_without_new_rows_keep_their_value_to_the_bit_and_others_move() -> None:
    told, table = settings_of("click"), a_table("click")
    before = train(table, COLUMNS, told)
    few = Table(
        table.vectors[:8], table.labels[:8], table.positions[:8], table.sizes[:1], table.sequences[:1]
    )
    after = refit(before, few, COLUMNS, told)
    with training_rows(few, COLUMNS, "click") as rows:
        visited = before.booster.predict(rows.vectors, pred_leaf=True)
    moved = 0
    for tree in range(before.n_trees):
        for leaf in range(7):
            old, new = (each.booster.get_leaf_output(tree, leaf) for each in (before, after))
            if leaf in visited[:, tree]:
                moved += old != new
            else:
                assert old == new
    assert moved > before.n_trees


def test_the_more_rows_a_refit_wants_the_less_a_leaf_moves() -> None:
    told, newest = settings_of("rank"), a_table("rank", seed=2, sign=-1.0)
    before = train(a_table("rank"), COLUMNS, told)
    assert 0.0 < distance(before, newest, told, 100_000) < distance(before, newest, told, 100)
    assert distance(before, newest, told, 10**9) < 1e-4


def distance(before: Fitted, newest: Table, told: Learning, refit_rows: int) -> float:
    slow = dataclasses.replace(told, policy=Policy(refit_rows=refit_rows))
    moved: NDArray[np.float64] = refit(before, newest, COLUMNS, slow).raw_scores(newest.vectors)
    return float(np.abs(moved - before.raw_scores(newest.vectors)).mean())


def test_the_same_labels_give_the_same_bytes_and_the_vectors_stay_as_they_were_served() -> None:
    told, newest = settings_of("rank"), a_table("rank", seed=2)
    before = train(a_table("rank"), COLUMNS, told)
    served = newest.vectors.copy()
    once, again = (to_onnx(refit(before, newest, COLUMNS, told).booster, 4) for _ in range(2))
    assert once == again
    assert newest.vectors.tobytes() == served.tobytes()


def test_a_refit_without_any_label_changes_nothing() -> None:
    told = settings_of("rating")
    before = train(a_table("rating"), COLUMNS, told)
    table = a_table("rating", 3)
    table.labels[:] = np.nan
    after = refit(before, table, COLUMNS, told)
    assert to_onnx(after.booster, 4, after.bias) == to_onnx(before.booster, 4, before.bias)


def test_a_refit_can_be_abandoned_between_two_trees() -> None:
    before = train(a_table("click"), COLUMNS, settings_of("click"))
    with pytest.raises(Abandoned):
        refit(before, a_table("click"), COLUMNS, settings_of("click"), should_stop=lambda: True)
