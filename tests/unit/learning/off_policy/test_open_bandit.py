"""Impressions of the Open Bandit form: what is read and refused, and two real policies, each by the other's log."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from eddyline_learning.off_policy.estimators import ESTIMATORS, estimated
from eddyline_learning.off_policy.open_bandit import (
    BadBanditLog,
    Impressions,
    action_distribution,
    as_target,
    impressions_of,
    logged_of,
    names,
)
from tests.support.data import shared_data


def row(item: str = "1", position: str = "1", click: str = "0", propensity: str = "0.5") -> dict[str, str]:
    return {
        "item_id": item,
        "position": position,
        "click": click,
        "propensity_score": propensity,
        "more": "x",
    }


def real(name: str) -> Impressions:
    with gzip.open(shared_data(f"open-bandit/{name}_all.csv.gz"), "rt") as file:
        return impressions_of(csv.DictReader(file))


@pytest.mark.parametrize(("logging", "wanted"), [("random", "bts"), ("bts", "random")])
def test_each_policys_click_rate_is_found_in_the_others_log(logging: str, wanted: str) -> None:
    shown, other = real(logging), real(wanted)
    items, positions = names([shown.items, other.items]), names([shown.positions, other.positions])
    assert (len(items), len(positions)) == (80, 3)
    log = logged_of(shown, items, positions)
    found = estimated(log, as_target(action_distribution(other, items, positions), log))
    truth = float(np.mean(other.clicks))
    for name in ESTIMATORS:
        value = getattr(found, name)
        assert value.lower <= truth <= value.upper
        # No more than a guess would be an interval that holds everything.
        assert 0.0 < value.se < 0.0015
    assert found.mean_weight == pytest.approx(1.0, abs=0.05)
    assert 300 < found.effective_rows < 10_000


def test_a_policy_that_never_changes_is_taken_at_its_word_and_another_by_what_it_did() -> None:
    constant = impressions_of([row("1", propensity="0.8"), row("2", propensity="0.2")])
    assert action_distribution(constant, ["1", "2"], ["1"]).ravel().tolist() == [0.8, 0.2]
    learning = impressions_of(
        [row("1", propensity="0.8"), row("1", propensity="0.4"), row("2", propensity="0.2")]
    )
    assert action_distribution(learning, ["1", "2"], ["1"]).ravel() == pytest.approx([2 / 3, 1 / 3])
    with pytest.raises(BadBanditLog, match="nothing at position 2"):
        action_distribution(learning, ["1", "2"], ["1", "2"])


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"item_id": "1", "position": "1", "click": "0"}, "row 2 has no `propensity_score`"),
        (row(propensity="0"), "row 2: a propensity_score of 0"),
        (row(propensity="1.5"), "row 2: a propensity_score of 1.5"),
        (row(click="yes"), "row 2: click and propensity_score must be numbers"),
        (row(click="nan"), "a click of nan"),
    ],
)
def test_a_row_that_cannot_be_is_named(bad: dict[str, str], said: str) -> None:
    with pytest.raises(BadBanditLog, match=said):
        impressions_of([row(), bad])


def test_no_rows_are_no_log() -> None:
    with pytest.raises(BadBanditLog, match="there are no rows"):
        impressions_of([])
