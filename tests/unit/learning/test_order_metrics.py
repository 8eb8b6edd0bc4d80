"""Metrics of an order against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eddyline_learning.metrics import order_metrics, overall_auc

SIZES = np.array([4, 3, 2, 1], np.int32)
SCORES = np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0, 2.0, 5.0, 6.0, 1.0])
LABELS = np.array([0, 1, 0, 2, 1, 0, 0, 0, 0, 3], np.float32)
"""By score: 0 1 0 2 | 0 1 0 (the last two equal) | no positive | a positive alone."""


def of(name: str, k: int) -> list[float]:
    found: list[float] = order_metrics(SCORES, LABELS, SIZES, k)[name].tolist()
    return found


def test_the_metrics_at_2_of_each_slate() -> None:
    nan = pytest.approx(math.nan, nan_ok=True)
    first = (1 / math.log2(3)) / (2 + 1 / math.log2(3))
    assert of("ndcg@2", 2) == [pytest.approx(first), pytest.approx(1 / math.log2(3)), nan, 1.0]
    assert of("mrr@2", 2) == [0.5, 0.5, nan, 1.0]
    # (1/2) / min(2, 2 positives); (1/2) / min(2, 1 positive).
    assert of("map@2", 2) == [0.25, 0.5, nan, 1.0]
    assert of("hr@2", 2) == [1.0, 1.0, nan, 1.0]
    assert of("precision@2", 2) == [0.5, 0.5, nan, 1.0]
    assert of("recall@2", 2) == [0.5, 1.0, nan, 1.0]
    assert of("f1@2", 2) == [0.5, pytest.approx(2 / 3), nan, 1.0]


def test_what_is_not_among_the_first_k_counts_as_missed() -> None:
    nan = pytest.approx(math.nan, nan_ok=True)
    for name in ("mrr@1", "map@1", "hr@1", "precision@1", "recall@1", "f1@1", "ndcg@1"):
        assert of(name, 1) == [0.0, 0.0, nan, 1.0], name


def test_average_precision_counts_the_precision_at_each_positive() -> None:
    assert of("map@10", 10)[0] == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_slate_auc_is_the_share_of_ordered_pairs_and_half_of_equal_ones() -> None:
    nan = pytest.approx(math.nan, nan_ok=True)
    # 0>1, 0>2, 1>0, 0>2: one of four. 1=0 half, 1<2: a half of two.
    assert of("slate_auc", 10) == [0.25, 0.25, nan, nan]


def test_overall_auc_is_over_the_pairs_of_all_slates() -> None:
    positive, negative = [3.0, 1.0, 1.0, 1.0], [4.0, 2.0, 1.0, 2.0, 5.0, 6.0]
    won = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    found = overall_auc(SCORES, LABELS, SIZES)
    assert found.mean == pytest.approx(won / 24)
    assert found.n == 4
    assert math.isnan(overall_auc(SCORES, np.zeros(10, np.float32), SIZES).mean)


def test_the_standard_error_of_the_overall_auc_is_that_of_whole_slates_drawn_again() -> None:
    rng = np.random.default_rng(1)
    sizes = np.full(300, 5, np.int32)
    labels = (rng.random(1500) < 0.3).astype(np.float32)
    # Rows of a slate lean the same way, so rows are no independent draws.
    scores = labels * 0.7 + np.repeat(rng.normal(size=300), 5) * labels + rng.normal(size=1500)
    drawn = []
    for _ in range(400):
        rows = (rng.integers(0, 300, 300)[:, None] * 5 + np.arange(5)).ravel()
        drawn.append(overall_auc(scores[rows], labels[rows], sizes).mean)
    assert overall_auc(scores, labels, sizes).se == pytest.approx(np.std(drawn), rel=0.12)


def test_no_slates_at_all_give_no_figures() -> None:
    none, sizes = np.empty(0), np.empty(0, np.int32)
    assert all(
        len(values) == 0 for values in order_metrics(none, none.astype(np.float32), sizes, 10).values()
    )
    assert overall_auc(none, none.astype(np.float32), sizes).n == 0
