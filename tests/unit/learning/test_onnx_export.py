"""The exported graph gives the booster's raw scores bit for bit, wherever a wrong comparison could show."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from eddyline_learning.boosters import Fitted
from eddyline_learning.onnx_export import ExportError, to_onnx
from eddyline_learning.scoring import OnnxScorer
from eddyline_learning.verification import InexactModel, edge_rows, verify_export

N_ROWS, N_COLUMNS, SLATE = 6_000, 20, 20
CODES = {0: 25, 1: 400}
"""Categorical columns of the test data, and how many codes each has."""


def some_rows(n: int, *, seed: int, missing: float = 0.1) -> NDArray[np.float32]:
    """Rows with two columns of codes, some columns without and some with missing values."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, N_COLUMNS)).astype(np.float32)
    rows[:, 2] = rng.integers(0, 3, n)
    rows[:, 3] = np.abs(rows[:, 3]) * 1e-40
    rows[:, 4:][rng.random((n, N_COLUMNS - 4)) < missing] = np.nan
    rows[:, -1] = rng.normal(size=n)
    for column, n_codes in CODES.items():
        rows[:, column] = rng.integers(0, n_codes, n)
        rows[rng.random(n) < 0.05, column] = np.nan
    return rows


def a_booster(objective: str, *, categorical: bool, trees: int = 60, **more: object) -> Fitted:
    """A booster whose target depends on codes, numbers and what is missing."""
    rows = some_rows(N_ROWS, seed=1)
    rng = np.random.default_rng(2)
    signal = (
        np.nan_to_num(rows[:, 0]) % 3
        + (np.nan_to_num(rows[:, 1]) % 7 > 3)
        + np.nan_to_num(rows[:, 5], nan=1.5)
        + rows[:, 2]
        + rng.normal(size=N_ROWS)
    )
    target = signal if objective == "regression" else (signal > 4).astype(float)
    parameters = {
        "objective": objective,
        "verbosity": -1,
        "seed": 1,
        "num_threads": 1,
        "boost_from_average": False,
        "min_data_per_group": 5,
        "cat_smooth": 1.0,
        **more,
    }
    dataset = lgb.Dataset(
        rows,
        target,
        group=[SLATE] * (N_ROWS // SLATE) if objective == "lambdarank" else None,
        categorical_feature=list(CODES) if categorical else [],
    )
    return Fitted(lgb.train(parameters, dataset, trees), bias=0.0 if objective == "lambdarank" else 0.37)


@pytest.mark.parametrize("objective", ["lambdarank", "binary", "regression"])
@pytest.mark.parametrize("categorical", [False, True])
def test_raw_scores_equal_the_boosters_on_100_000_random_and_edge_rows(
    objective: str, categorical: bool
) -> None:
    fitted = a_booster(objective, categorical=categorical)
    exported = to_onnx(fitted.booster, N_COLUMNS, fitted.bias)
    rows = np.concatenate(
        [some_rows(50_000, seed=3), edge_rows(fitted, some_rows(1_000, seed=4), 50_000, seed=5)]
    )
    assert len(rows) == 100_000
    verify_export(fitted, exported, rows)
    sets = next(n for n in onnx.load_from_string(exported).graph.node if n.op_type == "TreeEnsemble")
    assert any(a.name == "membership_values" for a in sets.attribute) == categorical


def test_edge_rows_hold_every_threshold_its_neighbours_and_the_odd_values_of_each_column() -> None:
    fitted = a_booster("lambdarank", categorical=True)
    rows = edge_rows(fitted, some_rows(1_000, seed=4), 50_000, seed=5)
    column = 5
    of_column = rows[:, column]
    thresholds = {
        node["threshold"]
        for tree in fitted.booster.dump_model()["tree_info"]
        for node in splits_of(tree["tree_structure"])
        if node["split_feature"] == column and node["threshold"] < 1e300
    }
    assert len(thresholds) > 5
    for threshold in thresholds:
        single = np.float32(threshold)
        for value in (
            single,
            np.nextafter(single, np.float32(np.inf)),
            np.nextafter(single, np.float32(-np.inf)),
        ):
            assert (of_column == value).any()
    assert np.isnan(rows[:, 2]).any(), "a column that never missed a value must meet a missing one"
    assert {np.inf, -np.inf} <= set(of_column[np.isinf(of_column)].tolist())
    assert (np.signbit(of_column) & (of_column == 0)).any()
    assert ((of_column != 0) & (np.abs(of_column) < np.finfo(np.float32).tiny)).any()
    codes = rows[:, 0]
    assert (codes < 0).any()
    assert (codes > 2**31).any()
    assert (codes > CODES[0]).any()


def splits_of(node: dict) -> list[dict]:  # type: ignore[type-arg]
    if "split_feature" not in node:
        return []
    return [node, *splits_of(node["left_child"]), *splits_of(node["right_child"])]


@pytest.mark.parametrize("n_rows", [0, 1, 2, 7, 50, 100, 128, 129, 1_000])
def test_scores_do_not_depend_on_how_many_rows_are_asked_at_once(n_rows: int) -> None:
    fitted = a_booster("lambdarank", categorical=True)
    scorer = OnnxScorer(to_onnx(fitted.booster, N_COLUMNS))
    rows = some_rows(1_000, seed=6)
    expected = fitted.raw_scores(rows)[:n_rows]
    assert scorer.raw_scores(rows[:n_rows]).tobytes() == expected.tobytes()


@pytest.mark.parametrize("rows", [np.zeros((400, N_COLUMNS), np.float32), some_rows(400, seed=7)])
def test_a_booster_that_found_nothing_to_split_is_exact(rows: NDArray[np.float32]) -> None:
    dataset = lgb.Dataset(rows, np.arange(400) % 2, params={"verbosity": -1})
    parameters = {"objective": "binary", "verbosity": -1, "min_data_in_leaf": 300, "num_threads": 1}
    fitted = Fitted(lgb.train(parameters, dataset, 5), bias=0.0)
    assert "leaf_value" in fitted.booster.dump_model()["tree_info"][0]["tree_structure"]
    verify_export(fitted, to_onnx(fitted.booster, N_COLUMNS), some_rows(500, seed=8))


def test_one_tree_is_exact() -> None:
    fitted = a_booster("lambdarank", categorical=True, trees=1)
    assert fitted.booster.num_trees() == 1
    verify_export(
        fitted, to_onnx(fitted.booster, N_COLUMNS), edge_rows(fitted, some_rows(100, seed=9), 5_000, seed=1)
    )


def test_a_booster_that_was_written_and_read_again_gives_the_same_bytes() -> None:
    fitted = a_booster("lambdarank", categorical=True)
    again = lgb.Booster(model_str=fitted.booster.model_to_string())
    assert to_onnx(again, N_COLUMNS) == to_onnx(fitted.booster, N_COLUMNS)


@pytest.mark.parametrize(
    "more",
    [
        {"zero_as_missing": True},
        {"linear_tree": True},
        {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1},
    ],
)
def test_what_has_no_exact_form_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(ExportError, match="train with"):
        to_onnx(a_booster("regression", categorical=False, trees=5, **more).booster, N_COLUMNS)


def test_a_model_that_is_off_by_one_bit_does_not_pass_verification() -> None:
    fitted = a_booster("lambdarank", categorical=False, trees=1)
    model = onnx.load_from_string(to_onnx(fitted.booster, N_COLUMNS))
    ensemble = next(n for n in model.graph.node if n.op_type == "TreeEnsemble")
    weights = next(a.t for a in ensemble.attribute if a.name == "leaf_weights")
    values = onnx.numpy_helper.to_array(weights).copy()
    values[0] = np.nextafter(values[0], np.inf)
    weights.CopyFrom(onnx.numpy_helper.from_array(values, "weights"))
    with pytest.raises(InexactModel, match="rows differ"):
        verify_export(fitted, model.SerializeToString(), some_rows(5_000, seed=3))
