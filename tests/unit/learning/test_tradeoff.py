"""What unlike items cost: measured by hand on two slates."""

import numpy as np
import pytest

from eddyline_learning.scored import CHAMPION, ScoredSlates
from eddyline_learning.tradeoff import tradeoffs


def _slates() -> ScoredSlates:
    slates = ScoredSlates()
    scores = dict.fromkeys(slates.scores, np.array([4.0, 3.0, 2.0, 1.0]))
    genres = [["war"], ["war"], ["love"], ["war", "love"]]
    slates.add("s1", scores, np.array([0, 1, 0, 0], np.float32), values=[genres])
    slates.add("s2", scores, np.zeros(4, np.float32), values=[genres])
    return slates


def test_the_dial_costs_relevance_and_gives_difference() -> None:
    by_score, diverse = tradeoffs(_slates(), [1.0], 2)
    assert (by_score.dial, diverse.dial) == (0.0, 1.0)
    # By score the two of war, of which the second is right; then war and love, of which none is.
    assert by_score.ndcg.mean == pytest.approx(1 / np.log2(3))
    assert (by_score.difference.mean, by_score.values.mean) == (0.0, 1.0)
    assert (diverse.ndcg.mean, diverse.difference.mean, diverse.values.mean) == (0.0, 1.0, 2.0)
    assert diverse.change.mean == -by_score.ndcg.mean
    # The other slate has no right item, so nobody can say what it costs.
    assert by_score.ndcg.n == by_score.difference.n == 1


def test_without_a_dial_it_is_the_order_by_score() -> None:
    slates = _slates()
    (only,) = tradeoffs(slates, [0.0], 3)
    assert only.ndcg == slates.measured("rank", 3)[CHAMPION]["ndcg@3"]
    assert only.change.mean == 0.0


def test_one_item_is_as_different_as_nobody_knows() -> None:
    (only,) = tradeoffs(_slates(), [0.0], 1)
    assert only.difference.n == 0
    assert only.as_json()["ild@1"] == {"mean": None, "se": None, "n": 0}


def test_nothing_scored_gives_nothing() -> None:
    (only,) = tradeoffs(ScoredSlates(), [0.0], 10)
    assert only.ndcg.n == 0
