"""Log-loss and calibration against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eddyline_learning.calibration import calibration_metrics, probabilities


def test_the_figures_of_four_rows() -> None:
    predicted = np.array([0.9, 0.8, 0.3, 0.5])
    labels = np.array([1, 0, 0, 1], np.float32)
    found = calibration_metrics(predicted, labels, np.array([2, 2], np.int32))
    losses = [-math.log(0.9), -math.log(0.2), -math.log(0.7), -math.log(0.5)]
    assert found["log_loss"].mean == pytest.approx(sum(losses) / 4)
    by_slate = [sum(losses[:2]) / 2, sum(losses[2:]) / 2]
    assert found["log_loss"].se == pytest.approx(np.std(by_slate, ddof=1) / math.sqrt(2))
    assert found["predicted"].mean == pytest.approx(0.625)
    assert found["observed"].mean == 0.5
    # Each row has a bin of its own.
    assert found["ece"].mean == pytest.approx((0.1 + 0.8 + 0.3 + 0.5) / 4)


def test_predictions_that_are_right_on_the_average_of_each_bin_have_no_calibration_error() -> None:
    predicted = np.repeat([0.25, 0.75], 400)
    labels = np.concatenate([np.tile([1, 0, 0, 0], 100), np.tile([1, 1, 1, 0], 100)]).astype(np.float32)
    found = calibration_metrics(predicted, labels, np.full(200, 4, np.int32))
    assert found["ece"].mean == pytest.approx(0.0, abs=1e-12)
    too_high = calibration_metrics(predicted + 0.1, labels, np.full(200, 4, np.int32))
    assert too_high["ece"].mean == pytest.approx(0.1)


def test_standard_errors_are_those_of_whole_slates_drawn_again() -> None:
    rng = np.random.default_rng(2)
    level = np.repeat(rng.uniform(0.05, 0.6, 300), 5)
    predicted = np.clip(level + rng.normal(size=1500) * 0.1 + 0.05, 0.01, 0.99)
    labels = (rng.random(1500) < level).astype(np.float32)
    sizes = np.full(300, 5, np.int32)
    drawn = []
    for _ in range(300):
        rows = (rng.integers(0, 300, 300)[:, None] * 5 + np.arange(5)).ravel()
        drawn.append(calibration_metrics(predicted[rows], labels[rows], sizes))
    found = calibration_metrics(predicted, labels, sizes)
    for name in ("log_loss", "predicted", "observed"):
        assert found[name].se == pytest.approx(np.std([d[name].mean for d in drawn]), rel=0.15), name
    assert found["ece"].se == pytest.approx(np.std([d["ece"].mean for d in drawn]), rel=0.35)


def test_a_sure_and_wrong_prediction_costs_much_but_not_everything() -> None:
    found = calibration_metrics(np.array([0.0]), np.ones(1, np.float32), np.ones(1, np.int32))
    assert 20 < found["log_loss"].mean < 40
    assert math.isnan(found["log_loss"].se)


def test_probabilities_are_the_logistic_function_and_never_overflow() -> None:
    found = probabilities(np.array([-1e6, 0.0, math.log(3), 1e6]))
    assert found.tolist() == [0.0, 0.5, pytest.approx(0.75), 1.0]
