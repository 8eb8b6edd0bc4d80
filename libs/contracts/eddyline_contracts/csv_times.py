"""How times are written in a column of a CSV file: found by its first time, and held to after that."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from msgspec import Struct

_LAST_MS = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeForm(Struct, frozen=True):
    """How times are written."""

    name: str
    per_second: int
    """Units of numbers; 0 for dates in words."""

    @classmethod
    def of(cls, cell: str) -> TimeForm | None:
        """The form of a first cell, by the size of its number; None where it is no time."""
        value = plain_number(cell)
        if value is None:
            return _DATES if _date(cell) is not None else None
        for form, below in _NUMBERS:
            if abs(value) < below:
                return form
        return None

    def read(self, cell: str) -> int | None:
        """Milliseconds since 1970, or None."""
        if not self.per_second:
            at = _date(cell)
        else:
            value = plain_number(cell)
            at = None if value is None else _scaled(value, cell, self.per_second)
        return at if at is not None and 0 <= at < _LAST_MS else None


_SECONDS = TimeForm("seconds since 1970", 1)
_MILLISECONDS = TimeForm("milliseconds since 1970", 1_000)
_MICROSECONDS = TimeForm("microseconds since 1970", 1_000_000)
_NANOSECONDS = TimeForm("nanoseconds since 1970", 1_000_000_000)
_DATES = TimeForm("dates, UTC where they name no offset", 0)
# As seconds, 1e11 would be the year 5138; as milliseconds, 1973.
_NUMBERS = ((_SECONDS, 1e11), (_MILLISECONDS, 1e14), (_MICROSECONDS, 1e17), (_NANOSECONDS, 1e20))
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d*)?(?:[eE][+-]?\d{1,2})?")


def plain_number(cell: str) -> float | None:
    """A number in digits, or None: neither `nan` nor `1_000` is one."""
    return float(cell) if _NUMBER.fullmatch(cell) else None


def _scaled(value: float, cell: str, per_second: int) -> int | None:
    if per_second >= 1_000 and cell.isdigit():
        # Exact, as a float is not for nanoseconds.
        return int(cell) // (per_second // 1_000)
    scaled = value * 1_000 / per_second
    return math.floor(scaled + 1e-3) if math.isfinite(scaled) else None


def _date(cell: str) -> int | None:
    if len(cell) < 10 or "-" not in cell:
        return None
    try:
        parsed = datetime.fromisoformat(cell.replace(" UTC", "+00:00"))
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    delta = parsed - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000
