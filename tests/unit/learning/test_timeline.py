"""Stretches of scored slates, and the bins of predictions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from eddyline_learning.calibration import calibration_metrics, reliability
from eddyline_learning.scored import BASELINES, CHAMPION, FROZEN, ScoredSlates
from eddyline_learning.timeline import stretches


def scored(n: int) -> ScoredSlates:
    """The champion is right everywhere, the frozen model in the earlier half; sealed in another order than shown."""
    slates = ScoredSlates()
    for index in reversed(range(n)):
        right, wrong = np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0])
        scores = dict.fromkeys((CHAMPION, *BASELINES), right)
        scores[FROZEN] = right if index < n // 2 else wrong
        slates.add(f"s{index}", scores, np.array([1, 0, 0], np.float32), shown_at=1_000 * index)
    return slates


def test_stretches_follow_the_time_at_which_slates_were_shown() -> None:
    found = stretches(scored(400), "rank", 10)
    assert [each.n for each in found] == [25] * 16
    assert found[0].at_ms == 0
    assert found[-1].until_ms == 399_000
    assert all(before.until_ms < after.at_ms for before, after in pairwise(found))
    frozen = [each.measured[FROZEN]["ndcg@10"].mean for each in found]
    assert frozen == [1.0] * 8 + [0.5] * 8
    assert {each.measured[CHAMPION]["ndcg@10"].mean for each in found} == {1.0}


def test_there_are_never_more_than_forty_and_few_slates_make_one() -> None:
    assert len(stretches(scored(5_000), "rank", 10)) == 40
    assert [each.n for each in stretches(scored(7), "rank", 10)] == [7]
    assert stretches(ScoredSlates(), "rank", 10) == []


def test_bins_add_up_to_the_calibration_error() -> None:
    rng = np.random.default_rng(4)
    sizes = np.full(300, 7, np.int32)
    predicted = rng.beta(2, 8, size=2_100)
    labels = (rng.random(2_100) < predicted * 1.5).astype(np.float32)
    bins = reliability(predicted, labels, sizes)
    assert len(bins) == 10
    assert sum(each.n for each in bins) == 2_100
    error = sum(abs(each.observed - each.predicted) * each.n for each in bins) / 2_100
    assert error == pytest.approx(calibration_metrics(predicted, labels, sizes)["ece"].mean)
    assert all(0 < each.se < 0.1 for each in bins)
    assert reliability(np.empty(0), np.empty(0, np.float32), np.empty(0, np.int32)) == []
    assert [each.n for each in reliability(np.full(14, 0.2), labels[:14], sizes[:2])] == [14]
