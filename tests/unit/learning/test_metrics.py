"""NDCG by the book, and means with their standard errors."""

from __future__ import annotations

import math

import numpy as np

from eddyline_learning.metrics import mean_of, ndcg


def test_ndcg_of_each_slate_is_discounted_gain_over_the_best_possible() -> None:
    scores = np.array([3.0, 2.0, 1.0, 0.1, 0.2, 5.0])
    labels = np.array([0, 1, 2, 0, 1, 0], np.float32)
    got = ndcg(scores, labels, np.array([3, 2, 1], np.int32), 10)
    first = (1 / math.log2(3) + 2 / math.log2(4)) / (2 / math.log2(2) + 1 / math.log2(3))
    assert got[0] == first
    assert got[1] == 1.0
    assert math.isnan(got[2]), "a slate without a positive cannot be measured"


def test_only_the_first_k_places_count_and_the_best_is_cut_there_too() -> None:
    scores = np.arange(5, 0, -1.0)
    labels = np.array([0, 0, 1, 1, 1], np.float32)
    assert ndcg(scores, labels, np.array([5], np.int32), 2)[0] == 0.0
    (at_3,) = ndcg(scores, labels, np.array([5], np.int32), 3)
    assert at_3 == 0.5 / (1 + 1 / math.log2(3) + 0.5)


def test_equal_scores_keep_the_order_of_the_rows_and_ratings_that_are_missing_or_negative_gain_nothing() -> (
    None
):
    labels = np.array([1, 0, 0, 1, np.nan, -3], np.float32)
    got = ndcg(np.zeros(6), labels, np.array([3, 3], np.int32), 10)
    assert got.tolist() == [1.0, 1.0]


def test_a_mean_has_its_standard_error_and_tells_how_many_it_is_of() -> None:
    found = mean_of(np.array([1.0, np.nan, 0.0, 0.5]))
    assert (found.mean, found.n) == (0.5, 3)
    assert found.se == 0.5 / math.sqrt(3)
    assert mean_of(np.array([np.nan])).as_json() == {"mean": None, "se": None, "n": 0}
    assert mean_of(np.array([1.0])).as_json() == {"mean": 1.0, "se": None, "n": 1}
