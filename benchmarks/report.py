"""A measured figure beside its budget and its floor, and how a list of them is shown and written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct, field


class Figure(Struct, frozen=True, kw_only=True):
    """One figure. What has no budget is there to judge the others by."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    floor: float | None = None
    """The same without all that could be left out, measured in the same run."""
    ratio: float | None = None
    """Value ÷ floor."""
    passed: bool | None = field(default=None, name="pass")
    """Whether the budget is met; None where there is none."""


def at_most(name: str, value: float, unit: str, budget: float | None, floor: float | None = None) -> Figure:
    """A figure that should be small."""
    return _figure(name, value, unit, budget, floor, budget is not None and value <= budget)


def at_least(name: str, value: float, unit: str, budget: float | None, floor: float | None = None) -> Figure:
    """A figure that should be large."""
    return _figure(name, value, unit, budget, floor, budget is not None and value >= budget)


def told(name: str, value: float, unit: str) -> Figure:
    """A figure without a budget."""
    return _figure(name, value, unit, None, None, False)


def encode(figures: Sequence[Figure]) -> bytes:
    """A JSON list of ``{"name","value","unit","budget","floor","ratio","pass"}``."""
    return msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n"


def decode(raw: bytes) -> list[Figure]:
    """The inverse of `encode`."""
    return msgspec.json.decode(raw, type=list[Figure])


def table(figures: Sequence[Figure]) -> str:
    """Aligned, a line a figure."""
    rows = [("", "value", "unit", "budget", "floor", "ratio", "")]
    rows += [
        (
            figure.name,
            _number(figure.value),
            figure.unit,
            _number(figure.budget),
            _number(figure.floor),
            _number(figure.ratio),
            {True: "pass", False: "MISS", None: ""}[figure.passed],
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    sides: list[Literal["<", ">"]] = ["<", ">", "<", ">", ">", ">", "<"]
    return "\n".join(
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _figure(
    name: str, value: float, unit: str, budget: float | None, floor: float | None, met: bool
) -> Figure:
    return Figure(
        name=name,
        value=_rounded(value),
        unit=unit,
        budget=budget,
        floor=None if floor is None else _rounded(floor),
        ratio=None if not floor else _rounded(value / floor),
        # A comparison of numpy's numbers is none that JSON knows.
        passed=bool(met) if budget is not None else None,
    )


def _rounded(value: float) -> float:
    """Four digits: more would be noise."""
    return float(f"{value:.4g}")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:g}"
