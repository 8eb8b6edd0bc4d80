"""Contributions are LightGBM's own, whatever the trees ask, and sum up to the score that serves."""

from __future__ import annotations

from contextlib import suppress

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eddyline_learning.boosters import Fitted
from eddyline_learning.explaining.served_trees import NoTrees, read_trees
from eddyline_learning.explaining.tree_shap import TreeExplainer
from eddyline_learning.onnx_export import export
from eddyline_learning.scoring import OnnxScorer
from eddyline_learning.trees import as_text, from_text, joined
from tests.support.bundles import linear_onnx

N_ROWS, N_COLUMNS = 1_500, 9
CODED = [0, 1]
N_CODES = (12, 150)
CLOSE = 1e-9


def some_rows(seed: int, n: int = N_ROWS) -> NDArray[np.float32]:
    """Two columns of codes, some without and some with missing values, tiny ones and infinite ones."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, N_COLUMNS)).astype(np.float32)
    rows[:, 2] = rng.integers(0, 3, n)
    rows[:, 3] *= 1e-38
    rows[:, 5:][rng.random((n, N_COLUMNS - 5)) < 0.2] = np.nan
    rows[rng.random(n) < 0.02, 4] = np.inf
    for column, n_codes in zip(CODED, N_CODES, strict=True):
        rows[:, column] = rng.integers(0, n_codes, n)
        rows[rng.random(n) < 0.05, column] = np.nan
    return rows


def a_booster(seed: int, *, n_trees: int = 12, coded: bool = True, **more: object) -> lgb.Booster:
    rows, rng = some_rows(seed), np.random.default_rng(seed + 1)
    known = np.nan_to_num(rows, posinf=3.0)
    target = (
        known[:, 0] % 3
        + (known[:, 1] % 7 > 3)
        + known[:, 2] * known[:, 6]
        + np.isnan(rows[:, 5])
        + known[:, 4]
    )
    target += rng.normal(size=len(rows))
    told = {
        "objective": "regression", "verbosity": -1, "num_threads": 1, "seed": seed, "boost_from_average": False,
        "min_data_in_leaf": 3, "min_data_per_group": 5, "cat_smooth": 1.0, **more,
    }  # fmt: skip
    data = lgb.Dataset(rows, target, categorical_feature=CODED if coded else [])
    return lgb.train(told, data, n_trees)


def explained(booster: lgb.Booster, bias: float = 0.0) -> tuple[TreeExplainer, bytes]:
    onnx, covers = export(booster, N_COLUMNS, bias)
    return TreeExplainer(read_trees(onnx), covers), onnx


def assert_as_lightgbm(booster: lgb.Booster, rows: NDArray[np.float32]) -> None:
    explainer, _ = explained(booster)
    theirs = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))
    np.testing.assert_allclose(explainer.contributions(rows), theirs[:, :-1], rtol=0, atol=CLOSE)
    np.testing.assert_allclose(explainer.mean, theirs[:, -1], rtol=0, atol=CLOSE)


def assert_adds_up(booster: lgb.Booster, bias: float, rows: NDArray[np.float32]) -> None:
    explainer, onnx = explained(booster, bias)
    sums = explainer.mean + explainer.contributions(rows).sum(axis=1)
    np.testing.assert_allclose(sums, OnnxScorer(onnx).raw_scores(rows), rtol=0, atol=CLOSE)


@pytest.mark.parametrize("leaves", [2, 5, 31, 128])
@pytest.mark.parametrize("coded", [False, True])
def test_contributions_are_lightgbms_own(leaves: int, coded: bool) -> None:
    booster = a_booster(leaves, coded=coded, num_leaves=leaves)
    assert_as_lightgbm(booster, some_rows(99, 60))


@pytest.mark.parametrize(
    "more", [{"use_missing": False}, {"lambda_l1": 50.0}, {"objective": "binary"}, {"max_cat_to_onehot": 200}]
)
def test_contributions_are_lightgbms_own_however_it_was_trained(more: dict[str, object]) -> None:
    booster = (
        a_booster(7, **more) if more.get("objective") != "binary" else lgb.train(
            {"objective": "binary", "verbosity": -1, "num_threads": 1, "boost_from_average": False},
            lgb.Dataset(some_rows(7), some_rows(7)[:, 2] > 1),
            10,
        )
    )  # fmt: skip
    assert_as_lightgbm(booster, some_rows(98, 60))


def test_boosters_that_were_joined_or_cut_or_got_other_leaves_are_explained_as_any() -> None:
    first, more = a_booster(1, num_leaves=8), a_booster(2, num_leaves=31)
    both = from_text(joined(as_text(first, 7), as_text(more)))
    assert both.num_trees() == 19
    both.set_leaf_output(3, 2, 1.25)
    fitted = Fitted(from_text(as_text(both)), 0.37).first(15)
    assert fitted.n_trees == 15
    rows = some_rows(97, 60)
    assert_as_lightgbm(fitted.booster, rows)
    assert_adds_up(fitted.booster, fitted.bias, rows)


def test_a_model_whose_trees_found_nothing_says_its_mean_and_nothing_else() -> None:
    booster = a_booster(3, min_data_in_leaf=10_000)
    explainer, onnx = explained(booster, 0.37)
    rows = some_rows(96, 5)
    assert not explainer.contributions(rows).any()
    assert (OnnxScorer(onnx).raw_scores(rows) == explainer.mean).all()
    assert explainer.mean != 0.37
    assert np.isnan(explainer.shares_below(rows)).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 8), st.floats(-100, 100), st.data())
def test_mean_and_contributions_add_up_to_the_score(
    seed: int, leaves: int, n_trees: int, bias: float, data: st.DataObject
) -> None:
    booster = a_booster(seed, n_trees=n_trees, num_leaves=leaves)
    numbers = st.floats(width=32, allow_nan=True, allow_infinity=True)
    rows = np.array(
        data.draw(
            st.lists(st.lists(numbers, min_size=N_COLUMNS, max_size=N_COLUMNS), min_size=1, max_size=20)
        ),
        np.float32,
    )
    assert_adds_up(booster, bias, rows)


def test_who_else_is_explained_at_once_changes_no_bit() -> None:
    explainer, _ = explained(a_booster(5))
    rows = some_rows(95, 40)
    together = explainer.contributions(rows)
    alone = np.concatenate([explainer.contributions(row[None]) for row in rows])
    assert together.tobytes() == alone.tobytes()


def test_a_value_lies_above_the_splits_that_are_smaller_than_it_by_the_rows_that_met_them() -> None:
    rows = some_rows(6)
    target = np.where(rows[:, 2] > 1, 3.0, np.where(rows[:, 2] > 0, 1.0, 0.0))
    told = {
        "objective": "regression",
        "verbosity": -1,
        "num_threads": 1,
        "num_leaves": 3,
        "boost_from_average": False,
    }
    booster = lgb.train(told, lgb.Dataset(rows, target), 1)
    asked = some_rows(94, 4)
    asked[:, 2] = [0.0, 1.0, 2.0, np.nan]
    n_second = int((rows[:, 2] <= 1).sum())
    shares = explained(booster)[0].shares_below(asked)[:, 2]
    np.testing.assert_allclose(shares[:3], [0.0, n_second / (N_ROWS + n_second), 1.0])
    assert np.isnan(shares[3])


def test_models_that_are_no_trees_of_ours_are_refused_in_words() -> None:
    with pytest.raises(NoTrees, match="0 ensembles"):
        read_trees(linear_onnx(4, 0))
    with pytest.raises(NoTrees, match="cannot be read"):
        read_trees(b"\xff\xff\xff")
    onnx, covers = export(a_booster(8), N_COLUMNS)
    with pytest.raises(NoTrees, match="counts of rows for"):
        TreeExplainer(read_trees(onnx), covers[:-1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(place: int, byte: int) -> None:
    onnx = bytearray(_ONNX)
    onnx[place % len(onnx)] = byte
    for raw in (bytes(onnx), bytes(onnx[: place % len(onnx)])):
        with suppress(NoTrees):
            read_trees(raw)


_ONNX = export(a_booster(9, n_trees=2, num_leaves=5), N_COLUMNS)[0]
