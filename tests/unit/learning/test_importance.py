"""Gain read from LightGBM's text is what LightGBM says itself."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from eddyline_learning.importance import gain_shares
from eddyline_learning.trees import as_text, joined

NAMES = ["price", "rate", "noise", "constant"]


def a_booster(seed: int, n_trees: int) -> lgb.Booster:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(500, 4))
    x[:, 3] = 1.0
    y = 2.0 * x[:, 0] + x[:, 1] + 0.1 * rng.normal(size=500)
    parameters = {"objective": "regression", "num_leaves": 7, "verbosity": -1, "num_threads": 1}
    return lgb.train(parameters, lgb.Dataset(x, y), n_trees)


def test_shares_of_gain_are_those_of_lightgbm() -> None:
    booster = a_booster(1, 12)
    gains = booster.feature_importance("gain")
    shares = gain_shares(as_text(booster), NAMES)
    for name, gain in zip(NAMES, gains, strict=True):
        assert shares.get(name, 0.0) == pytest.approx(gain / gains.sum(), rel=1e-5)
    assert list(shares)[:2] == ["price", "rate"]
    assert "constant" not in shares


def test_trees_that_were_joined_are_added_up() -> None:
    one, other = a_booster(1, 4), a_booster(2, 6)
    gains = one.feature_importance("gain") + other.feature_importance("gain")
    shares = gain_shares(joined(as_text(one), as_text(other)), NAMES)
    assert shares["price"] == pytest.approx(gains[0] / gains.sum(), rel=1e-5)


def test_a_booster_without_splits_has_none() -> None:
    empty = lgb.train({"verbosity": -1, "num_threads": 1}, lgb.Dataset(np.ones((30, 4)), np.ones(30)), 2)
    assert gain_shares(as_text(empty), NAMES) == {}
    assert gain_shares("", NAMES) == {}
