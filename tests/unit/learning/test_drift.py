"""A model that gets worse is noticed soon, one that does not is left alone, and a restart changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json

from eddyline_features.view import Policy
from eddyline_learning.drift import DriftWatch

BOTH = pytest.mark.parametrize("detector", ["adwin", "page_hinkley"])


def losses(seed: int, n: int, mean: float) -> list[float]:
    """Of slates: 1 less an NDCG of 0 to 1, spread as such ones are (a standard deviation of about 0.3)."""
    a = 2.0 * mean
    drawn: list[float] = np.random.default_rng(seed).beta(a, 2.0 - a, n).tolist()
    return drawn


@BOTH
def test_a_rise_of_the_loss_is_noticed_within_one_cycle_of_250_slates(detector: str) -> None:
    for seed in range(20):
        watch = DriftWatch(Policy(drift=detector))
        assert watch.observe(losses(seed, 2_000, 0.40)) is None
        since = watch.observe(losses(seed + 100, 250, 0.65))
        assert since is not None
        assert since <= 320, "and what came before the change is left behind"
        assert watch.n_drifts == 1


@BOTH
def test_a_loss_that_stays_as_it_is_is_no_drift(detector: str) -> None:
    alarms = 0
    for seed in range(20):
        watch = DriftWatch(Policy(drift=detector))
        watch.observe(losses(seed, 10_000, 0.40))
        alarms += watch.n_drifts
    assert alarms <= 2


@BOTH
def test_a_loss_that_falls_is_no_drift(detector: str) -> None:
    watch = DriftWatch(Policy(drift=detector))
    watch.observe(losses(1, 1_000, 0.60))
    assert watch.observe(losses(2, 1_000, 0.30)) is None


def test_after_a_fall_the_lower_level_is_what_is_compared_with() -> None:
    # Not so for Page-Hinkley, which compares with the mean of all it has seen.
    watch = DriftWatch(Policy(drift="adwin"))
    watch.observe(losses(1, 1_000, 0.60))
    watch.observe(losses(2, 1_000, 0.30))
    assert watch.observe(losses(3, 400, 0.55)) is not None


def test_nothing_is_watched_where_the_view_says_so_and_unknown_losses_say_nothing() -> None:
    off = DriftWatch(Policy(drift="none"))
    assert off.observe([0.0] * 500 + [1.0] * 500) is None
    watch, same = DriftWatch(Policy()), DriftWatch(Policy())
    watch.observe([0.5, float("nan"), 0.25])
    same.observe([0.5, 0.25])
    assert watch.as_json() == same.as_json()


@BOTH
@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=4), st.integers(0, 1_000))
def test_whoever_goes_on_from_what_was_written_down_notices_the_same(
    detector: str, cuts: list[int], seed: int
) -> None:
    stream = [*losses(seed, 4_500, 0.35), *losses(seed + 1, 600, 0.6), *losses(seed + 2, 900, 0.3)]
    whole = DriftWatch(Policy(drift=detector))
    found = [whole.observe([loss]) for loss in stream]
    assert any(found)
    again, watch, at = [], DriftWatch(Policy(drift=detector)), 0
    for cut in [*sorted(cuts), len(stream)]:
        again += [watch.observe([loss]) for loss in stream[at:cut]]
        at = max(at, cut)
        told = json.decode(json.encode(watch.as_json()))
        assert len(told["losses"]) < 4_000
        watch = DriftWatch(Policy(drift=detector))
        watch.recall(told)
    assert again == found
    assert watch.as_json() == whole.as_json()
