"""Trends and uncertainties, with numbers computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eddyline_features import entities, values, window_rings
from eddyline_features.kinds import counts, rates, trends, uncertainties
from eddyline_features.view import ViewError, load_view
from tests.support.builders import HOUR, START, a_click, a_log, a_slate, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns


def test_a_trend_is_the_rate_of_lately_over_that_of_longer() -> None:
    state = a_state(
        "name: t, kind: trend, actions: click, short: 1h, long: 2h, strength: 1",
        events=[
            logged(a_slate(["i1", "i2"]), 1, START),
            logged(a_click("i1"), 2, START),
            logged(a_slate(["i1", "i2"]), 3, START + 2 * HOUR),
            logged(a_click("i2"), 4, START + 2 * HOUR),
        ],
    )
    # By 2h what was two hours ago counts 1/2, by 1h 1/4.
    base = 1.5 / 3
    fallen, risen = (0.5 + base) / (1.5 + 1), (1 + base) / (1.5 + 1)
    at = START + 2 * HOUR
    assert columns(state, "i1", at=at)["t"] == pytest.approx((0.25 + fallen) / (1.25 + 1) / fallen)
    assert columns(state, "i2", at=at)["t"] == pytest.approx((1 + risen) / (1.25 + 1) / risen)
    assert columns(state, "i1", at=at)["t"] < 1 < columns(state, "i2", at=at)["t"]
    assert columns(state, "nobody knows", at=at)["t"] == 1.0


def test_a_trend_of_counts_is_one_at_a_steady_pace() -> None:
    minute = HOUR // 60
    feature = "name: t, kind: trend, measure: count, actions: click, short: 1h, long: 10h, strength: 0.001"
    steady = a_state(feature, events=a_log(*(a_click("i1") for _ in range(6_000)), start=START, every=minute))
    assert columns(steady, at=START + 6_000 * minute)["t"] == pytest.approx(1.0, abs=0.02)
    fresh = a_state(feature, events=[logged(a_click("i1"), 1, START)])
    assert columns(fresh, at=START)["t"] == pytest.approx((1 * 10 + 0.001) / (1 + 0.001))
    # What nobody does any more comes near to nothing.
    assert columns(steady, at=START + 6_000 * minute + 10 * HOUR)["t"] == pytest.approx(0, abs=0.02)


def test_trends_of_values_are_reduced() -> None:
    state = a_state(
        "name: t, kind: trend, by: item.tags, measure: count, short: 1h, long: 2h, strength: 1, reduce: [mean, max]",
        events=[
            logged(an_item("i1", tags=["a", "b"]), 1, START),
            logged(an_item("i2", tags="b"), 2, START),
            logged(a_click("i2"), 3, START),
        ],
    )
    risen = (1 * 2 + 1) / (1 + 1)
    assert columns(state, "i1", at=START) == {"t_mean": pytest.approx((1 + risen) / 2), "t_max": risen}
    assert math.isnan(columns(state, "nobody knows", at=START)["t_mean"])


@pytest.mark.parametrize("measure", ["rate", "count"])
def test_what_people_dislike_has_no_negative_trend_and_none_without_end(measure: str) -> None:
    head = HEAD.replace("buy: 5", "buy: 5, hide: -3")
    features = f"name: t, kind: trend, measure: {measure}, short: 1h, long: 2h, strength: 0.001"
    for actions in (["hide"] * 3, ["hide", "click", "click", "click"], ["click", "hide"]):
        events = [
            logged(a_slate(["i1", "i2"]), 1, START),
            *(logged(a_click("i1", action=a), n, START + n * HOUR) for n, a in enumerate(actions, 2)),
        ]
        state = a_state(features, head=head, events=events)
        for hours in range(8):
            assert 0.0 <= columns(state, at=START + hours * HOUR)["t"] <= 1_000.0


def test_a_rate_that_crosses_zero_makes_no_leap() -> None:
    head = HEAD.replace("buy: 5", "buy: {weight: 0.06, gain: 1}, hide: -3")
    feature = "name: t, kind: trend, short: 1h, long: 100h, strength: 0.001"
    shown = [logged(a_slate(["i1", "i2"]), 1, START), logged(a_click("i2", action="click"), 2, START)]
    hidden = [*shown, logged(a_click("i1", action="hide"), 3, START)]
    later = [
        logged(a_slate(["i1", "i2"]), 4, START + 20 * HOUR),
        *(logged(a_click("i2"), n, START + 20 * HOUR) for n in range(5, 9)),
    ]
    liked = [*later, logged(a_click("i1", action="buy"), 9, START + 20 * HOUR)]
    at = START + 20 * HOUR
    # Disliked once, and now hardly liked: a few hundredths of what is common, and not as much as can be.
    crossed = columns(a_state(feature, head=head, events=[*hidden, *liked]), at=at)["t"]
    assert 1.0 < crossed < 20.0
    assert columns(a_state(feature, head=head, events=[*hidden, *later]), at=at)["t"] == 1.0


def test_uncertainty_is_the_deviation_of_a_beta_distribution() -> None:
    state = a_state(
        "name: u, kind: uncertainty, half_lives: [forever], strength: 2",
        events=a_log(
            a_slate(["i1", "i2"]), a_slate(["i1", "i3"]), a_click("i1"), a_click("i3", action="buy")
        ),
    )
    # Overall 6 for 4 impressions, which is at most 1: Beta(1 + 2, 1 + 0) for i1, whose rate is 3/4.
    assert columns(state, "i1")["u_forever"] == pytest.approx(math.sqrt(3 * 1 / (4**2 * 5)))
    # More actions than impressions: certain that it is acted on.
    assert columns(state, "i3")["u_forever"] == 0.0
    assert columns(state, "nobody knows")["u_forever"] == 0.0


def test_the_less_was_shown_the_less_is_certain() -> None:
    shown = [a_slate(["i1", "i2"]), *(a_slate(["i1"]) for _ in range(50)), a_click("i1")]
    state = a_state(
        "name: u, kind: uncertainty, half_lives: [1h, forever], strength: 5",
        "name: tag, kind: uncertainty, by: item.tags, half_lives: forever, strength: 5, reduce: [mean, max]",
        events=a_log(an_item("i1", tags=["a", "b"]), an_item("i2", tags="b"), *shown, every=0),
    )
    often, seldom, never = (columns(state, item, at=START)["u_forever"] for item in ("i1", "i2", "i9"))
    assert often < seldom < never
    # And what was known long ago is forgotten.
    assert columns(state, "i1", at=START + 9 * HOUR)["u_1h"] > columns(state, "i1", at=START)["u_1h"]
    of_tags = columns(state, "i1", at=START)
    assert of_tags["tag_forever_mean"] < of_tags["tag_forever_max"]


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ("kind: trend, short: 1h", "add, for example, `long: 7d`"),
        ("kind: trend, long: 1h", "add, for example, `short: 1h`"),
        ("kind: trend, short: 7d, long: 1h", "is not shorter than `long`"),
        ("kind: trend, measure: count, short: 7d, long: forever", "a duration is expected"),
        ("kind: trend, by: user, short: 1h, long: 7d", "here it can be item, item.<field>"),
        ("kind: uncertainty, by: global, half_lives: 1h", "here it can be item, item.<field>"),
        ("kind: uncertainty", "add, for example, `half_lives: [1h, 7d]`"),
    ],
)
def test_a_trend_that_is_none_is_refused_with_the_remedy(feature: str, told: str) -> None:
    with pytest.raises(ViewError) as caught:
        load_view(HEAD + f"  - {{name: x, {feature}}}")
    assert told in str(caught.value)


def test_the_kernels_own_constants_agree_with_those_of_the_tables() -> None:
    assert {counts._LAST_SEEN, rates._LAST_SEEN, window_rings._LAST_SEEN} == {entities.LAST_SEEN}
    assert window_rings.NEVER == values.NEVER
    assert trends.MOST == rates.MOST


def test_how_uncertain_a_rate_is_beside_one_of_which_nothing_is_known() -> None:
    state = a_state(
        "name: u, kind: uncertainty, half_lives: [forever], strength: 2",
        events=[
            *(logged(a_slate(["i1", "i2"]), k, START) for k in range(1, 41)),
            *(logged(a_click("i1"), k, START) for k in range(41, 49)),
        ],
    )
    known, less, unknown = state.deviations(["i1", "i2", "nobody knows"], START).tolist()
    # The prior believes in the overall rate as much as `prior.strength` impressions say.
    strength, base = float(state.view.prior.strength), 8 / 80
    factor = (strength + 1) / (base * (1 - base))
    of_first = (8 + strength * base) / (40 + strength)
    assert unknown == 1.0
    assert known == pytest.approx(
        math.sqrt(of_first * (1 - of_first) / (40 + strength + 1) * factor), rel=1e-5
    )
    assert 0.0 < less < known < 1.0
    # With no impression at all there is nothing to tell items apart by.
    assert a_state("name: u, kind: uncertainty, half_lives: [1h]").deviations(["i1"], START).tolist() == [1.0]


def test_relative_deviations_are_the_same_to_the_bit_compiled_and_uncompiled() -> None:
    rng = np.random.default_rng(1)
    counters = rng.uniform(-1.0, 50.0, (200, 2))
    rows = np.array([-1, *range(200)], np.int32)
    overall, plan, half_life_of = (
        np.array([[300.0, 5_000.0]]),
        np.array([0, 1], np.int32),
        np.zeros(2, np.int32),
    )
    found = []
    compiled = uncertainties.relative_deviations
    for run in (compiled, getattr(compiled, "py_func", compiled)):
        out = np.empty(len(rows))
        run(out, rows, counters, overall, half_life_of, np.array([0.37]), plan, 10.0)
        assert np.isfinite(out).all()
        assert (out > 0.0).all()
        found.append(out.tobytes())
    assert found[0] == found[1]
