"""Moments as clocks and calendars show them: whole numbers only, of any year, with no time zone database."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from eddyline_features.field_values import moment

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1)


class Moment(NamedTuple):
    """A point in time, and what a clock on the wall shows then."""

    utc: int
    """ms since 1970."""
    local: int
    """ms since 1970 by the clock on the wall."""


def local_moment(value: Any, offset_ms: int) -> Moment | None:
    """The moment that a JSON value names: RFC 3339, or seconds or milliseconds since 1970; None if it is none.

    A time with its own offset is the time of that clock. One without is of a clock that is ``offset_ms`` ahead.
    """
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return None
        shift = parsed.utcoffset()
        passed = parsed.replace(tzinfo=None) - _EPOCH
        local = passed.days * DAY_MS + passed.seconds * 1_000 + passed.microseconds // 1_000
        own = offset_ms if shift is None else (shift.days * 86_400 + shift.seconds) * 1_000
        return Moment(local - own, local)
    utc = moment(value)
    return None if utc != utc else Moment(int(utc), int(utc) + offset_ms)


def date_of(day: int) -> tuple[int, int, int]:
    """Year, month and day of the month of a day, counted from 1970-01-01 (0), in the Gregorian calendar.

    Eras of 400 years that begin with March, so that the leap day is the last of its year (Howard Hinnant,
    "chrono-compatible low-level date algorithms").
    """
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, of_year - (153 * from_march + 2) // 5 + 1


def weekday_of(day: int) -> int:
    """1 is Monday, 7 Sunday; of a day counted from 1970-01-01."""
    return (day + 3) % 7 + 1
