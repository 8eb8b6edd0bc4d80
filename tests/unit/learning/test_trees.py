"""Boosters that were put together give the scores of their ONNX form, bit for bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eddyline_features.view import Learning
from eddyline_learning.boosters import Columns, Fitted, train
from eddyline_learning.onnx_export import to_onnx
from eddyline_learning.scoring import OnnxScorer
from eddyline_learning.store import Table
from eddyline_learning.strategies.extend import best_length, extend
from eddyline_learning.trees import as_text, from_text, joined

COLUMNS = Columns(["a", "b", "code", "position"], [2], 3)


def a_table(seed: int, n: int, objective: str, turned: float = 1.0) -> Table:
    """Slates of 6; the first column decides, in the direction of ``turned``."""
    rng = np.random.default_rng(seed)
    rows = n * 6
    vectors = rng.normal(size=(rows, 4)).astype(np.float32)
    vectors[:, 2] = rng.integers(0, 5, rows)
    vectors[rng.random((rows, 4)) < 0.05] = np.nan
    vectors[:, 3] = 0
    clean = np.nan_to_num(vectors[:, 0])
    labels = (rng.random(rows) < 1 / (1 + np.exp(-2 * turned * clean))).astype(np.float32)
    if objective == "rating":
        labels = (3 + turned * clean).astype(np.float32)
    sizes = np.full(n, 6, np.int32)
    return Table(
        vectors, labels, np.tile(np.arange(6, dtype=np.int32), n), sizes, np.arange(n, dtype=np.int64)
    )


@pytest.mark.parametrize("objective", ["rank", "click", "rating"])
def test_an_extended_booster_has_the_old_trees_first_and_is_exact_in_onnx(objective: str) -> None:
    settings = Learning(objective=objective, trees=12, leaves=5, min_data_in_leaf=10, extend_trees=4, tail=8)
    fitted = train(a_table(1, 200, objective), COLUMNS, settings)
    for seed in (2, 3):
        newer = a_table(seed, 150, objective)
        before = fitted
        kept_back = before.first(best_length(before, newer, settings))
        fitted = extend(kept_back, newer, COLUMNS, settings)
        assert fitted.n_trees == kept_back.n_trees + 4 <= before.n_trees + 4
        rows = np.vstack([newer.vectors, a_table(9, 50, objective).vectors])
        kept = fitted.n_trees - 4
        assert fitted.raw_scores(rows, kept).tobytes() == before.raw_scores(rows, kept).tobytes()
        scores = OnnxScorer(to_onnx(fitted.booster, 4, fitted.bias)).raw_scores(rows)
        assert fitted.raw_scores(rows).tobytes() == scores.tobytes()
        # From its text, as a restarted trainer has it.
        again = Fitted(from_text(as_text(fitted.booster)), fitted.bias)
        assert again.raw_scores(rows).tobytes() == fitted.raw_scores(rows).tobytes()
        assert as_text(again.booster) == as_text(fitted.booster)


def test_joining_texts_is_adding_trees() -> None:
    settings = Learning(trees=7, leaves=4, min_data_in_leaf=10)
    one, other = (train(a_table(seed, 100, "rank"), COLUMNS, settings) for seed in (1, 2))
    both = from_text(joined(as_text(one.booster), as_text(other.booster, 3)))
    rows = a_table(5, 40, "rank").vectors
    assert both.num_trees() == 10
    together = both.predict(rows, raw_score=True)
    assert np.allclose(together, one.raw_scores(rows) + other.raw_scores(rows, 3), rtol=0, atol=1e-12)


def test_trees_of_a_time_that_is_over_are_dropped_and_useful_ones_stay() -> None:
    settings = Learning(trees=10, leaves=5, min_data_in_leaf=10, extend_trees=5, tail=20, learning_rate=0.3)
    base = train(a_table(1, 50, "rank"), COLUMNS, dataclasses.replace(settings, learning_rate=0.01))
    with_tail = train(a_table(2, 300, "rank", turned=-1.0), COLUMNS, settings, start=base, n_trees=10)
    assert with_tail.n_trees == 20
    assert best_length(with_tail, a_table(3, 200, "rank"), settings) == 10
    assert best_length(with_tail, a_table(3, 200, "rank", turned=-1.0), settings) > 10
