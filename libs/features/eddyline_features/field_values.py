"""JSON values to what features need. Total: whatever a client sent gives a value or "unknown", never an error."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Any

NAN = math.nan
MAX_TEXT_CHARS = 64
MOST_VALUE = 1e9
"""Of an interaction's value, either way: more is a mistake, and would drown all else."""
_SECONDS_BELOW = 1e11
"""Numbers below this are seconds since 1970, others milliseconds (as seconds, it is the year 5138)."""
_LAST_MS = 2.0**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(value: Any) -> float:
    """A number (true is 1.0, false 0.0); NaN for anything else, and for what float64 cannot hold."""
    if isinstance(value, (float, int)):
        try:
            converted = float(value)
        except OverflowError:
            return NAN
        return converted if math.isfinite(converted) else NAN
    return NAN


def is_exact_number(value: Any) -> bool:
    """Whether it is a number, and none of those that `number` makes the same: whole ones from 2^53 on, as ids are."""
    if isinstance(value, bool):
        return False
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**53)


def bounded_value(value: float) -> float:
    """An interaction's value, at most `MOST_VALUE` either way; 1.0 where it is no number."""
    if value == value:
        return min(max(value, -MOST_VALUE), MOST_VALUE)
    return 1.0


def boolean(value: Any) -> float:
    """1.0 or 0.0; NaN for anything but true and false."""
    return float(value) if isinstance(value, bool) else NAN


def moment(value: Any) -> float:
    """A time in ms since 1970: seconds, milliseconds, or RFC 3339 (UTC where it names no offset); NaN otherwise."""
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return NAN
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        delta = parsed - _EPOCH
        return float((delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000)
    if isinstance(value, bool):
        return NAN
    converted = number(value)
    if abs(converted) < _SECONDS_BELOW:
        converted = converted * 1_000.0
    return converted if abs(converted) < _LAST_MS else NAN


def text(value: Any) -> str | None:
    """A string, number or boolean as text that is equal for equal values; None for anything else."""
    if isinstance(value, str):
        spelt = value
    elif isinstance(value, bool):
        spelt = "true" if value else "false"
    elif isinstance(value, int):
        # Hexadecimal for huge ones: the decimal form takes quadratic time, and Python refuses it beyond 4,300 digits.
        spelt = str(value) if abs(value) < 2**63 else hex(value)
    elif isinstance(value, float) and math.isfinite(value):
        spelt = str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    else:
        return None
    if len(spelt) > MAX_TEXT_CHARS:
        return "sha256:" + hashlib.sha256(spelt.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return spelt


def texts(value: Any, most: int) -> list[str]:
    """The distinct texts of a value or list, in order, at most ``most``; what has no text is left out."""
    if not isinstance(value, list):
        one = text(value)
        return [] if one is None else [one]
    found: dict[str, None] = {}
    for member in value:
        spelt = text(member)
        if spelt is not None:
            found[spelt] = None
            if len(found) == most:
                break
    return list(found)
