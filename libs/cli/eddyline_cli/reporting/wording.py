"""Numbers, times and names as people read them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

LETTERS = 8
"""Of a model's name."""
_LONGEST = 34
"""Letters of any other name."""
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NOTHING = "–"


def short(model: str | None) -> str:
    """The first letters of a model's name; other words as they are."""
    if model is None:
        return NOTHING
    is_digest = len(model) == 64 and all(letter in "0123456789abcdef" for letter in model)
    return model[:LETTERS] if is_digest else cut(model)


def cut(name: str) -> str:
    """A name of somebody else's making, so much of it as there is room for."""
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def printable(text: str) -> str:
    """Without what no page may hold."""
    return _NO_XML.sub("\ufffd", text)


def count(n: float) -> str:
    """A whole number, with commas."""
    return f"{n:,.0f}"


def figure(value: float | None, digits: int = 4) -> str:
    """A number with so many decimals."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def signed(value: float | None) -> str:
    """A difference."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:+.4f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one."""
    return NOTHING if share is None or not math.isfinite(share) else f"{share:.{digits}%}"


def duration(seconds: float | None) -> str:
    """Seconds in the unit that suits them."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    for unit, size in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if abs(seconds) >= 1.95 * size:
            return f"{seconds / size:.1f} {unit}"
    if abs(seconds) >= 1.0 or seconds == 0.0:
        return f"{seconds:.1f} s"
    return f"{seconds * 1_000:.0f} ms"


def share_tick(share: float) -> str:
    """A share of one beside an axis: no more digits than it needs."""
    return f"{round(100.0 * share, 2):g}%"


def duration_tick(seconds: float) -> str:
    """Seconds beside an axis."""
    return duration(seconds).replace(".0 ", " ")


def joules(value: float | None) -> str:
    """Energy."""
    if value is None:
        return NOTHING
    for unit, size in (("MJ", 1e6), ("kJ", 1e3)):
        if value >= size:
            return f"{value / size:.2f} {unit}"
    return f"{value:.1f} J"


def moment(at_ms: int | None) -> str:
    """A time, to the second, in UTC."""
    if at_ms is None:
        return NOTHING
    try:
        return f"{datetime.fromtimestamp(at_ms // 1_000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return f"{at_ms} ms"


def plural(n: int, one: str, many: str | None = None) -> str:
    """``3 models``, ``1 model``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
