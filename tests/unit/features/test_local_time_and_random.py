"""The time where the person is, and numbers that nothing determines but who asks, for what, and when."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_features.civil_time import date_of, local_moment, weekday_of
from eddyline_features.view import ViewError
from tests.support.builders import START, a_log, an_item
from tests.unit.features.reading import a_state, columns

ALL = "outputs: [time_of_day, day_of_week, day_of_month, month_of_year, year, second_of_day, second]"
MORNING = {
    "t_time_of_day": 10 + 15 / 60 + 30 / 3600, "t_day_of_week": 5, "t_day_of_month": 3, "t_month_of_year": 12,
    "t_year": 2021, "t_second_of_day": 36_930,
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        ("2021-12-03T10:15:30+01:00", 1_638_522_930),
        ("2021-12-03T10:15:30Z", 1_638_526_530),
        ("2021-12-03T10:15:30", 1_638_522_930),
        (1_638_522_930, 1_638_522_930),
        (1_638_522_930_000, 1_638_522_930),
    ],
)
def test_a_field_tells_the_time_of_its_own_clock(value: Any, utc: int) -> None:
    state = a_state(f"name: t, kind: local_time, field: context.now, {ALL}, offset: +01:00")
    found = columns(state, context={"now": value})
    second = found.pop("t_second")
    assert found == pytest.approx(MORNING)
    assert second == pytest.approx(utc, abs=128)  # all that float32 can tell


@pytest.mark.parametrize("value", [None, "soon", [], True, {"a": 1}, 1e300])
def test_what_is_no_time_is_unknown(value: Any) -> None:
    state = a_state(f"name: t, kind: local_time, field: context.now, {ALL}")
    assert all(math.isnan(column) for column in columns(state, context={"now": value}).values())


def test_without_a_field_it_is_the_time_of_the_request() -> None:
    state = a_state(
        "name: t, kind: local_time", 'name: india, kind: local_time, outputs: time_of_day, offset: "+05:30"',
        'name: rio, kind: local_time, outputs: [day_of_week, time_of_day], offset: "-03:00"',
    )  # fmt: skip
    # 2027-01-15T00:30:00Z is a Friday.
    at = int(datetime.fromisoformat("2027-01-15T00:30:00+00:00").timestamp() * 1_000)
    assert columns(state, at=at) == {
        "t_time_of_day": 0.5, "t_day_of_week": 5, "india_time_of_day": 6.0, "rio_day_of_week": 4,
        "rio_time_of_day": 21.5,
    }  # fmt: skip


@given(st.dates())
def test_dates_are_those_of_the_calendar(day: date) -> None:
    days = (day - date(1970, 1, 1)).days
    assert date_of(days) == (day.year, day.month, day.day)
    assert weekday_of(days) == day.isoweekday()


@given(st.integers(-(10**8), 10**8))
def test_each_day_is_the_one_after_the_day_before(day: int) -> None:
    year, month, of_month = date_of(day)
    assert date_of(day + 1) in {
        (year, month, of_month + 1),
        (year, month + 1, 1),
        (year + 1, 1, 1),
    }
    assert weekday_of(day + 1) % 7 == (weekday_of(day) + 1) % 7


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_a_time_with_an_offset_is_the_same_moment_as_in_utc(local: datetime, minutes: int) -> None:
    sign = "+" if minutes >= 0 else "-"
    text = f"{local.isoformat()}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    moment = local_moment(text, 12_345)
    assert moment is not None
    assert moment.local - moment.utc == minutes * 60_000
    assert datetime(1970, 1, 1) + timedelta(milliseconds=moment.local) == local.replace(
        microsecond=local.microsecond // 1_000 * 1_000
    )


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ("kind: local_time, field: item.x", "the time of a request is in its context"),
        ("kind: local_time, offset: 1h", 'hours and minutes ahead of UTC are expected, as "+01:00"'),
        ("kind: local_time, offset: +25:00", "hours and minutes ahead of UTC"),
        ("kind: local_time, outputs: hour", "use one of time_of_day, day_of_week"),
        ("kind: random, seed: 1", "`features[0].seed` is unknown"),
    ],
)
def test_mistakes_are_told_with_their_remedy(feature: str, told: str) -> None:
    with pytest.raises(ViewError) as caught:
        a_state(f"name: t, {feature}")
    assert told in str(caught.value)


def test_random_numbers_are_uniform_below_one_and_equal_for_equal_arguments() -> None:
    state = a_state("name: a, kind: random", "name: b, kind: random", events=a_log(an_item("i7")))
    items = [f"i{n}" for n in range(4_000)]
    drawn = state.vectors("u1", None, items, None, {}, START)
    assert drawn.tobytes() == state.vectors("u1", "any", items, None, {}, START).tobytes()
    assert (
        drawn.tobytes()
        == a_state("name: a, kind: random", "name: b, kind: random")
        .vectors("u1", None, items, None, {}, START)
        .tobytes()
    )  # known or not
    assert ((drawn >= 0) & (drawn < 1)).all()
    for column in drawn.T:
        counts = [((column >= n / 10) & (column < (n + 1) / 10)).sum() for n in range(10)]
        # Chi-square with 9 degrees of freedom: 27.9 is exceeded once in a thousand times.
        assert sum((count - 400) ** 2 / 400 for count in counts) < 27.9
    for other in (("u2", START), ("u1", START + 1), (None, START)):
        again = state.vectors(other[0], None, items, None, {}, other[1])
        assert abs(float(((again - 0.5) * (drawn - 0.5)).mean())) < 0.01
    assert abs(float(((drawn[:, 0] - 0.5) * (drawn[:, 1] - 0.5)).mean())) < 0.01
