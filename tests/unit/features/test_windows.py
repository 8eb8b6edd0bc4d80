"""Window counts and rates, with days counted by hand."""

from __future__ import annotations

import dataclasses
import math
from random import Random

import pytest

from eddyline_features.state import State
from eddyline_features.view import Limits, ViewError, load_view
from tests.support.builders import DAY, HOUR, a_click, a_log, a_slate, a_user, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns

MIDNIGHT = 20_500 * DAY
"""Of a day, in UTC."""


def test_a_day_is_one_of_the_calendar_and_today_is_among_the_last() -> None:
    state = a_state(
        "name: n, kind: window_count, of: click, periods: [1, 2, 7]",
        events=[
            logged(a_click("i1"), 1, MIDNIGHT - 6 * DAY),
            logged(a_click("i1"), 2, MIDNIGHT - 6 * DAY - 1),
            logged(a_click("i1"), 3, MIDNIGHT - 1),
            logged(a_click("i1"), 4, MIDNIGHT),
            logged(a_click("i1"), 5, MIDNIGHT + HOUR),
        ],
    )
    assert columns(state, at=MIDNIGHT + 23 * HOUR) == {"n_1d": 2.0, "n_2d": 3.0, "n_7d": 4.0}
    assert columns(state, at=MIDNIGHT + DAY) == {"n_1d": 0.0, "n_2d": 2.0, "n_7d": 3.0}
    assert columns(state, at=MIDNIGHT + 7 * DAY) == {"n_1d": 0.0, "n_2d": 0.0, "n_7d": 0.0}
    assert columns(state, "nobody knows", at=MIDNIGHT) == {"n_1d": 0.0, "n_2d": 0.0, "n_7d": 0.0}


@pytest.mark.parametrize(("offset", "today"), [("+01:00", 2.0), ("+00:00", 1.0), ("-03:30", 2.0)])
def test_days_begin_at_local_midnight(offset: str, today: float) -> None:
    state = a_state(
        f'name: n, kind: window_count, of: click, periods: [1], offset: "{offset}"',
        events=[
            # Half past eleven in the evening and a quarter past midnight, by UTC.
            logged(a_click("i1"), 1, MIDNIGHT - HOUR // 2),
            logged(a_click("i1"), 2, MIDNIGHT + HOUR // 4),
        ],
    )
    assert columns(state, at=MIDNIGHT + HOUR)["n_1d"] == today


def test_late_events_go_to_their_bucket_while_it_is_kept() -> None:
    state = a_state(
        "name: n, kind: window_count, of: click, bucket: 1h, periods: [1, 3]",
        events=[
            logged(a_click("i1"), 1, MIDNIGHT),
            logged(a_click("i1"), 2, MIDNIGHT - 2 * HOUR),
            logged(a_click("i1"), 3, MIDNIGHT - 3 * HOUR),
            logged(a_click("i1"), 4, 0),
            logged(a_click("i1"), 5, -5),
        ],
    )
    assert columns(state, at=MIDNIGHT) == {"n_1h": 1.0, "n_3h": 2.0}
    assert columns(state, at=MIDNIGHT + HOUR) == {"n_1h": 0.0, "n_3h": 1.0}


def test_sums_stay_exact_while_days_pass_and_late_events_come() -> None:
    rng = Random(5)
    days = [rng.randrange(60) for _ in range(400)]
    state = a_state("name: n, kind: window_count, of: [click, buy], periods: [1, 3, 30]")
    counted: dict[int, float] = {}
    newest = 0
    for sequence, day in enumerate(sorted(days, key=lambda day: day + rng.randrange(40)), 1):
        action = rng.choice(("click", "buy"))
        state.apply(logged(a_click("i1", action=action), sequence, MIDNIGHT + day * DAY))
        newest = max(newest, day)
        counted[day] = counted.get(day, 0.0) + (5.0 if action == "buy" else 1.0) * (day > newest - 30)
        if sequence % 7 == 0:
            for ahead in (0, 1, 5, 29, 40):
                today = newest + ahead
                found = columns(state, at=MIDNIGHT + today * DAY)
                for n in (1, 3, 30):
                    expected = sum(counted.get(day, 0.0) for day in range(today - n + 1, today + 1))
                    assert found[f"n_{n}d"] == expected


def test_people_visits_values_and_all_together_have_windows_too() -> None:
    state = a_state(
        "name: mine, kind: window_count, by: user, of: impression, periods: 1",
        "name: now, kind: window_count, by: session, of: click, periods: 1",
        "name: tag, kind: window_count, by: item.tags, of: click, periods: 1, reduce: [mean, max]",
        "name: all, kind: window_count, by: global, of: [click, buy], periods: 1, value: true",
        events=a_log(
            an_item("i1", tags=["a", "b"]),
            an_item("i2", tags="b"),
            a_slate(["i1", "i2"], user="u1", session="s1"),
            a_click("i1", user="u1", session="s1"),
            a_click("i2", user="u1", session="s2", action="buy", value=2.5),
            a_click("i2", user=None, session="s1"),
            start=MIDNIGHT,
        ),
    )
    assert columns(state, "i1", user="u1", session="s1", at=MIDNIGHT) == {
        "mine_1d": 2.0,
        "now_1d": 2.0,
        "tag_1d_mean": pytest.approx((1 + 2) / 2),
        "tag_1d_max": 2.0,
        "all_1d": pytest.approx(1 + 5 * 2.5 + 1),
    }
    stranger = columns(state, "nobody knows", user="u9", session="s9", at=MIDNIGHT)
    assert (stranger["mine_1d"], stranger["now_1d"], stranger["all_1d"]) == (0.0, 0.0, 14.5)
    assert math.isnan(stranger["tag_1d_mean"])


def test_users_of_a_country_and_requests_of_a_device_have_windows_too() -> None:
    phone, desk = {"device": "phone"}, {"device": "desk"}
    state = a_state(
        "name: there, kind: window_count, by: user.country, of: [impression, click], periods: [1, 2], ttl: 2d",
        "name: phones, kind: window_count, by: context.device, of: click, periods: 1",
        "name: r, kind: window_rate, by: context.device, actions: click, periods: [1], strength: 2",
        events=[
            logged(a_user("u1", country="fr"), 1, MIDNIGHT - HOUR),
            logged(a_user("u2", country=["fr", "de"]), 2, MIDNIGHT - HOUR),
            logged(a_slate(["i1", "i2"], user="u1", context=desk), 3, MIDNIGHT - HOUR),
            logged(a_slate(["i1", "i2"], user="u2", context=phone), 4, MIDNIGHT),
            # Of the context of her last slate.
            logged(a_click("i2", user="u2"), 5, MIDNIGHT),
            # Without a slate, of none; without a country, of none.
            logged(a_click("i2", user="u3"), 6, MIDNIGHT),
        ],
    )
    base = 2 / 2
    found = columns(state, user="u1", context=phone, at=MIDNIGHT)
    assert found == {
        "there_1d": 3,
        "there_2d": 5,
        "phones_1d": 1,
        "r_1d": pytest.approx((1 + 2 * base) / (2 + 2)),
    }
    found = columns(state, user="u3", context=desk, at=MIDNIGHT)
    assert math.isnan(found.pop("there_1d"))
    assert math.isnan(found.pop("there_2d"))
    assert found == {"phones_1d": 0, "r_1d": pytest.approx((0 + 2 * base) / (0 + 2))}
    assert columns(state, user="u3", context={}, at=MIDNIGHT)["r_1d"] == base
    assert math.isnan(columns(state, user="u1", context=phone, at=MIDNIGHT + 2 * DAY + 1)["there_2d"])
    again = State.restore(state.view, state.snapshot())
    assert again.snapshot() == state.snapshot()
    assert columns(again, user="u1", context=phone, at=MIDNIGHT)["there_2d"] == 5


def test_windows_of_groups_are_bounded_and_whoever_gets_a_place_begins_without_a_past() -> None:
    view = load_view(
        HEAD
        + "  - {name: n, kind: window_count, by: context.device, of: impression, periods: 3}\n"
        + "  - {name: m, kind: window_count, by: user.country, of: impression, bucket: 1h, periods: 2}"
    )
    state = State(dataclasses.replace(view, limits=Limits(groups=8)))
    devices = [f"d{n}" for n in range(20)]
    for n, device in enumerate(devices):
        state.apply(logged(a_user("u1", country=f"c{n}"), 2 * n + 1, MIDNIGHT))
        state.apply(logged(a_slate(["i1"], user="u1", context={"device": device}), 2 * n + 2, MIDNIGHT + n))
    found = [columns(state, context={"device": d}, at=MIDNIGHT + 99)["n_3d"] for d in devices]
    assert found == [0.0] * 16 + [1.0] * 4
    assert state.memory()["group"] == 24 + 8 + 4 * 3


def test_a_rate_is_smoothed_towards_everybodys_in_the_same_days() -> None:
    state = a_state(
        "name: r, kind: window_rate, actions: click, periods: [2, 1], strength: 2",
        "name: tag, kind: window_rate, by: item.tags, actions: click, periods: 1, strength: 2, reduce: [mean, max]",
        "name: mine, kind: window_rate, by: user, actions: click, periods: 1, strength: 2",
        "name: all, kind: window_rate, by: global, actions: click, periods: [1, 2]",
        events=[
            logged(an_item("i1", tags=["a", "b"]), 1, MIDNIGHT - HOUR),
            logged(an_item("i2", tags="b"), 2, MIDNIGHT - HOUR),
            logged(a_slate(["i1", "i2"], user="u1"), 3, MIDNIGHT - HOUR),
            logged(a_slate(["i1", "i2"], user="u2"), 4, MIDNIGHT),
            logged(a_click("i2", user="u1"), 5, MIDNIGHT),
        ],
    )
    today, both = 1 / 2, 1 / 4
    found = columns(state, "i2", user="u1", at=MIDNIGHT)
    assert found["r_1d"] == pytest.approx((1 + 2 * today) / (1 + 2))
    assert found["r_2d"] == pytest.approx((1 + 2 * both) / (2 + 2))
    assert found["mine_1d"] == pytest.approx((1 + 2 * today) / (0 + 2))
    assert (found["all_1d"], found["all_2d"]) == (0.5, 0.25)
    a, b = (0 + 2 * today) / (1 + 2), (1 + 2 * today) / (2 + 2)
    i1 = columns(state, "i1", user="u2", at=MIDNIGHT)
    assert i1["tag_1d_mean"] == pytest.approx((a + b) / 2)
    assert i1["tag_1d_max"] == pytest.approx(max(a, b))
    unknown = columns(state, "nobody knows", user="nobody", at=MIDNIGHT)
    assert (unknown["r_1d"], unknown["r_2d"], unknown["mine_1d"]) == (0.5, 0.25, 0.5)


def test_who_is_new_in_a_row_begins_without_a_past() -> None:
    view = load_view(HEAD + "  - {name: n, kind: window_count, of: click, periods: [3]}")
    state = State(dataclasses.replace(view, limits=Limits(items=2)))
    state.apply_all(a_log(a_click("i1"), a_click("i2"), a_click("i3"), a_click("i3"), start=MIDNIGHT))
    assert [columns(state, item, at=MIDNIGHT)["n_3d"] for item in ("i1", "i2", "i3")] == [0.0, 1.0, 2.0]


def test_no_candidates_have_no_windows() -> None:
    state = a_state("name: n, kind: window_count, by: user, periods: 7", events=a_log(a_click("i1")))
    assert state.vectors("u1", None, [], None, {}, MIDNIGHT).shape == (0, 1)


def test_a_quiet_one_is_unknown_after_its_ttl() -> None:
    state = a_state(
        "name: n, kind: window_count, periods: 7, ttl: 1h",
        "name: r, kind: window_rate, by: user, periods: 7, ttl: 1h",
        "name: tag, kind: window_count, by: item.tags, periods: 7, ttl: 1h",
        events=[
            logged(an_item("i1", tags="a"), 1, MIDNIGHT),
            logged(a_click("i1", user="u1"), 2, MIDNIGHT),
        ],
    )
    assert not any(map(math.isnan, columns(state, user="u1", at=MIDNIGHT + HOUR).values()))
    assert all(map(math.isnan, columns(state, user="u1", at=MIDNIGHT + HOUR + 1).values()))
    assert all(map(math.isnan, columns(state, "nobody knows", user="nobody", at=MIDNIGHT).values()))


def test_equal_tracks_are_kept_once_and_take_four_bytes_a_bucket() -> None:
    one = "name: n, kind: window_count, of: click, periods: [7]"
    shared = a_state(one, "name: m, kind: window_count, of: click, periods: [30, 1]")
    apart = a_state(one, "name: m, kind: window_count, of: click, periods: [30, 1], bucket: 1h")
    bare = a_state("name: place, kind: position").memory()["item"]
    assert shared.memory()["item"] - bare == 8 + 4 * 30
    assert apart.memory()["item"] - bare == 16 + 4 * (30 + 7)


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ("kind: window_count", "add, for example, `periods: [1, 7, 30]`"),
        ("kind: window_count, periods: [0]", "whole numbers from 1 to 366"),
        ("kind: window_count, periods: [1, 400]", "for longer times take longer buckets"),
        ("kind: window_count, periods: [1, 1]", "names something twice"),
        ("kind: window_count, periods: 1, bucket: 0d", "a duration is expected"),
        ("kind: window_count, periods: 1, offset: CET", "hours and minutes ahead of UTC"),
        (
            "kind: window_rate, periods: 1, by: country",
            "here it can be item, item.<field>, user, user.<field>",
        ),
    ],
)
def test_a_window_that_is_none_is_refused_with_the_remedy(feature: str, told: str) -> None:
    with pytest.raises(ViewError) as caught:
        load_view(HEAD + f"  - {{name: x, {feature}}}")
    assert told in str(caught.value)
