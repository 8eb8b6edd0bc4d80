"""Laws of metrics over all slates."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eddyline_learning.calibration import calibration_metrics
from eddyline_learning.metrics import order_metrics, overall_auc

Slates = list[list[tuple[int, int]]]
"""Of each slate its rows: (score, label)."""

slates = st.lists(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3)), min_size=1, max_size=8), min_size=1, max_size=8
)
ks = st.integers(1, 10)


def columns(rows: Slates) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int32]]:
    flat = [row for slate in rows for row in slate]
    return (
        np.array([score for score, _ in flat], np.float64),
        np.array([label for _, label in flat], np.float32),
        np.array([len(slate) for slate in rows], np.int32),
    )


@settings(max_examples=80, deadline=None)
@given(rows=slates, k=ks)
def test_every_metric_lies_between_0_and_1_and_is_there_where_a_positive_is(rows: Slates, k: int) -> None:
    scores, labels, sizes = columns(rows)
    has_positive = np.array([any(label > 0 for _, label in slate) for slate in rows])
    for name, values in order_metrics(scores, labels, sizes, k).items():
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= 1 + 1e-12)).all(), name
        if name != "slate_auc":
            assert (~np.isnan(values) == has_positive).all(), name
    auc = overall_auc(scores, labels, sizes)
    assert np.isnan(auc.mean) or 0 <= auc.mean <= 1


@settings(max_examples=80, deadline=None)
@given(rows=slates, k=ks)
def test_the_perfect_order_is_1_and_no_order_is_better(rows: Slates, k: int) -> None:
    scores, labels, sizes = columns(rows)
    perfect = order_metrics(labels.astype(np.float64), labels, sizes, k)
    found = order_metrics(scores, labels, sizes, k)
    for name in (f"ndcg@{k}", f"mrr@{k}", f"map@{k}", f"hr@{k}", "slate_auc"):
        known = ~np.isnan(perfect[name])
        np.testing.assert_allclose(perfect[name][known], 1.0)
    for name in found:
        known = ~np.isnan(found[name])
        assert (found[name][known] <= perfect[name][known] + 1e-12).all(), name


@settings(max_examples=80, deadline=None)
@given(rows=slates, k=ks, data=st.data())
def test_only_the_order_counts(rows: Slates, k: int, data: st.DataObject) -> None:
    scores, labels, sizes = columns(rows)
    found = order_metrics(scores, labels, sizes, k)
    stretched = order_metrics(np.exp(scores) * 7 - 3, labels, sizes, k)
    for name in found:
        np.testing.assert_array_equal(found[name], stretched[name], name)
    # Rows that are alike in everything may change places; and any may, where scores differ.
    distinct = [list({score: (score, label) for score, label in slate}.values()) for slate in rows]
    shuffled = [data.draw(st.permutations(slate)) for slate in distinct]
    one, other = order_metrics(*columns(distinct), k), order_metrics(*columns(shuffled), k)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], name)


@settings(max_examples=80, deadline=None)
@given(rows=slates, data=st.data())
def test_areas_do_not_depend_on_how_ties_are_broken(rows: Slates, data: st.DataObject) -> None:
    shuffled = [data.draw(st.permutations(slate)) for slate in rows]
    one, other = columns(rows), columns(shuffled)
    np.testing.assert_array_equal(
        order_metrics(*one, 10)["slate_auc"], order_metrics(*other, 10)["slate_auc"]
    )
    np.testing.assert_allclose(overall_auc(*one).mean, overall_auc(*other).mean, rtol=1e-12)
    upside_down = overall_auc(-one[0], one[1], one[2]).mean
    np.testing.assert_allclose(overall_auc(*one).mean, 1 - upside_down, rtol=1e-12)


@settings(max_examples=80, deadline=None)
@given(rows=slates, k=ks)
def test_each_slate_is_measured_by_itself(rows: Slates, k: int) -> None:
    together = order_metrics(*columns(rows), k)
    for index, slate in enumerate(rows):
        alone = order_metrics(*columns([slate]), k)
        for name in together:
            np.testing.assert_allclose(together[name][index], alone[name][0], rtol=1e-12)


@settings(max_examples=80, deadline=None)
@given(rows=slates)
def test_calibration_error_and_levels_are_shares_and_losses_are_not_negative(rows: Slates) -> None:
    scores, labels, sizes = columns(rows)
    found = calibration_metrics((scores + 3) / 6, labels, sizes)
    for name in ("ece", "predicted", "observed"):
        assert 0 <= found[name].mean <= 1, name
    assert found["ece"].mean >= abs(found["predicted"].mean - found["observed"].mean) - 1e-12
    assert found["log_loss"].mean >= 0
