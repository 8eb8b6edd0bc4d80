"""Durations as people write them: ``10s``, ``5m``, ``1h``, ``7d``."""

from __future__ import annotations

import re

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_FORM = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)")

FOREVER = 0
"""Stands for no decay at all."""


def milliseconds(text: str) -> int | None:
    """The duration in ms, or None where ``text`` is none."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        return None
    return round(float(found[1]) * _UNITS[found[2]])


def spell(duration_ms: int) -> str:
    """The duration in the largest unit that divides it, as it stands in column names.

    Examples
    --------
    >>> spell(5_400_000), spell(86_400_000), spell(FOREVER)
    ('90m', '1d', 'forever')
    """
    if duration_ms == FOREVER:
        return "forever"
    for unit, size in reversed(_UNITS.items()):
        if duration_ms % size == 0:
            return f"{duration_ms // size}{unit}"
    raise AssertionError("every whole number of milliseconds has a unit")
