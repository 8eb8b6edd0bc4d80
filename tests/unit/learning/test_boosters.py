"""The same examples give the same model, and what is trained is what the objective says."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eddyline_contracts.bundle import model_name
from eddyline_features.view import Learning
from eddyline_learning.boosters import Columns, Fitted, train
from eddyline_learning.metrics import mean_of, ndcg
from eddyline_learning.onnx_export import to_onnx
from eddyline_learning.store import Table
from eddyline_learning.strategies.extend import extend
from eddyline_learning.verification import edge_rows, verify_export

COLUMNS = Columns(["taste", "noise", "position", "code"], categorical=[3], position=2)
SETTINGS = Learning(objective="rank", trees=15, leaves=7, min_data_in_leaf=5)


def a_table(n_slates: int = 300, *, objective: str = "rank", seed: int = 1) -> Table:
    """Slates of 8 whose labels follow the column ``taste``, the code, and the position."""
    rng = np.random.default_rng(seed)
    n = 8 * n_slates
    vectors = rng.normal(size=(n, 4)).astype(np.float32)
    positions = np.tile(np.arange(8), n_slates).astype(np.int32)
    vectors[:, 2] = 0.0
    vectors[:, 3] = rng.integers(0, 9, n)
    pull = vectors[:, 0] + (vectors[:, 3] % 3 == 1) - 0.2 * positions + rng.normal(size=n)
    labels = pull * 2 + 3 if objective == "rating" else (pull > 1).astype(np.float32)
    if objective == "rating":
        labels = np.where(rng.random(n) < 0.5, labels, np.nan)
    sizes = np.full(n_slates, 8, np.int32)
    return Table(vectors, labels.astype(np.float32), positions, sizes, np.arange(1, n_slates + 1))


def test_it_learns_to_order_slates_and_leaves_the_vectors_as_they_were_served() -> None:
    table = a_table()
    before = table.vectors.tobytes()
    fitted = train(table, COLUMNS, SETTINGS)
    assert table.vectors.tobytes() == before
    fresh = a_table(seed=2)
    learnt = mean_of(ndcg(fitted.raw_scores(fresh.vectors), fresh.labels, fresh.sizes, 10))
    chance = mean_of(ndcg(fresh.vectors[:, 1].astype(float), fresh.labels, fresh.sizes, 10))
    assert learnt.mean > chance.mean + 5 * learnt.se


def test_the_position_is_known_in_training_and_codes_are_split_by_sets() -> None:
    fitted = train(a_table(), COLUMNS, SETTINGS)
    used = dict(zip(COLUMNS.names, fitted.booster.feature_importance(), strict=True))
    assert used["position"] > 0
    assert '"decision_type": "=="' in str(fitted.booster.dump_model()).replace("'", '"')


@pytest.mark.parametrize("objective", ["rank", "click", "rating"])
def test_the_same_examples_give_the_same_bytes_on_any_number_of_threads(objective: str) -> None:
    table, settings = a_table(objective=objective), dataclasses.replace(SETTINGS, objective=objective)
    exported = {
        to_onnx((fitted := train(table, COLUMNS, settings, num_threads=n)).booster, 4, fitted.bias)
        for n in (1, 2, 1)
    }
    assert len(exported) == 1
    verify_export(fitted, exported.pop(), edge_rows(fitted, table.vectors, 2_000, seed=1))


def test_the_same_examples_give_the_same_bytes_in_another_process() -> None:
    root = Path(__file__).parents[3]
    program = (
        "from tests.unit.learning.test_boosters import *\n"
        "print(model_name(to_onnx(train(a_table(), COLUMNS, SETTINGS).booster, 4)))"
    )
    there = subprocess.run(
        [sys.executable, "-c", program], cwd=root, check=True, capture_output=True, text=True, timeout=60
    )
    assert there.stdout.strip() == model_name(to_onnx(train(a_table(), COLUMNS, SETTINGS).booster, 4))


def test_a_model_without_trees_to_speak_of_says_the_mean_or_the_log_odds() -> None:
    rating = train(
        a_table(objective="rating"), COLUMNS, dataclasses.replace(SETTINGS, objective="rating", trees=1)
    )
    assert rating.bias == pytest.approx(np.nanmean(a_table(objective="rating").labels), abs=1e-6)
    click = train(a_table(), COLUMNS, dataclasses.replace(SETTINGS, objective="click", trees=40))
    as_shown = a_table().vectors.copy()
    as_shown[:, 2] = a_table().positions
    chances = 1 / (1 + np.exp(-click.raw_scores(as_shown)))
    assert chances.mean() == pytest.approx(a_table().labels.mean(), abs=0.03)
    assert click.bias < 0


def test_labels_of_any_size_become_grades_whose_gains_are_the_labels() -> None:
    table = a_table()
    valued = Table(
        table.vectors,
        table.labels * np.random.default_rng(3).gamma(2.0, 10.0, table.n_rows).astype(np.float32),
        table.positions,
        table.sizes,
        table.sequences,
    )
    fitted = train(valued, COLUMNS, SETTINGS)
    learnt = mean_of(ndcg(fitted.raw_scores(table.vectors), valued.labels, table.sizes, 10))
    chance = mean_of(ndcg(table.vectors[:, 1].astype(float), valued.labels, table.sizes, 10))
    assert learnt.mean > chance.mean + 5 * learnt.se


def rare_clicks(n_slates: int, surprising: float, seed: int) -> Table:
    """One click in each slate of 50: on what is liked most, but for a share of surprises."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(50 * n_slates, 4)).astype(np.float32)
    liked = vectors[:, 0].reshape(n_slates, 50).argmax(axis=1)
    chosen = np.where(rng.random(n_slates) < surprising, rng.integers(0, 50, n_slates), liked)
    labels = np.zeros((n_slates, 50), np.float32)
    labels[np.arange(n_slates), chosen] = 1.0
    positions = np.tile(np.arange(50, dtype=np.int32), n_slates)
    sizes = np.full(n_slates, 50, np.int32)
    return Table(vectors, labels.ravel(), positions, sizes, np.arange(1, n_slates + 1))


def test_a_sure_model_that_meets_surprises_is_extended_without_losing_all_measure() -> None:
    columns = Columns(["x0", "x1", "x2", "x3"], categorical=[])
    settings = Learning(objective="click", trees=100)
    fresh = rare_clicks(100, 0.3, 9)

    def loss(fitted: Fitted) -> float:
        raw = fitted.raw_scores(fresh.vectors)
        return float((np.logaddexp(0.0, raw) - fresh.labels * raw).mean())

    before = train(rare_clicks(200, 0.0, 1), columns, settings)
    after = extend(before, rare_clicks(100, 0.3, 2), columns, settings)
    assert np.abs(before.raw_scores(fresh.vectors)).max() > 6, "it was sure"
    assert loss(after) < loss(before), "it learnt from what it had not expected"
