"""Time axes: ticks that suit the span, and what happened drawn into them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.looks import BAD, GOOD, INK, MUTED, SERIES
from eddyline_cli.reporting.told import ROLL_BACK, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LETTER, _HANDLE, _MARGIN = 5.6, 42.0, 70.0
"""Points that a letter and a sample of a line take, and that are left and right of a panel."""
_MANY = 60
"""Marks that can still be told apart; of more, only the rare kinds are drawn."""
_STYLES = {
    ROLL_BACK: (BAD, (0, (4, 2)), 1.3),
    "drift": (SERIES[1], (0, (1, 1.5)), 1.4),
    "shift": (INK, "-", 1.4),
}
_WORDS = {
    "promote": "promoted",
    ROLL_BACK: "rolled back",
    "take_over": "view taken over",
    "drift": "drift",
    "shift": "tastes turn",
}


def day(at_ms: float) -> float:
    """A time as matplotlib counts it: in days since 1970."""
    return at_ms / 86_400_000


def time_axis(panel: Axes, first_ms: float, last_ms: float) -> None:
    """The span, with ticks of whole units and a label that says which day it is."""
    from matplotlib import dates

    room = max(1.0, (last_ms - first_ms) * 0.01)
    panel.set_xlim(day(first_ms - room), day(last_ms + room))
    locator = dates.AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def draw_marks(panel: Axes, marks: Sequence[Mark], first_ms: float, last_ms: float) -> None:
    """Thin lines where the champion changed, drift was noticed or tastes turned; told once each in the legend."""
    inside = [mark for mark in marks if first_ms <= mark.at_ms <= last_ms]
    common = sum(mark.kind not in _STYLES for mark in inside)
    named = set()
    for mark in inside:
        if mark.kind not in _STYLES and common > _MANY:
            continue
        colour, dash, width = _STYLES.get(mark.kind, (GOOD, "-", 0.7))
        label = None if mark.kind in named else _WORDS.get(mark.kind, mark.kind)
        named.add(mark.kind)
        panel.axvline(day(mark.at_ms), color=colour, linestyle=dash, linewidth=width, label=label, zorder=1.5)


def legend_above(panel: Axes) -> None:
    """What is what, above the panel and never over its lines; in as many rows as it takes."""
    _, labels = panel.get_legend_handles_labels()
    if not labels:
        return
    width = sum(_LETTER * len(label) + _HANDLE for label in labels)
    place = panel.get_subplotspec()
    beside = 1 if place is None else place.get_gridspec().ncols
    room = panel.figure.get_figwidth() * 72 / beside - _MARGIN  # type: ignore[union-attr]
    n_rows = max(1, math.ceil(width / room))
    panel.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=math.ceil(len(labels) / n_rows),
        borderaxespad=0.1,
        handlelength=1.8,
        columnspacing=1.4,
    )


def shade(panel: Axes, first_ms: float, last_ms: float, label: str) -> None:
    """A stretch that is to be read with care."""
    if last_ms > first_ms:
        panel.axvspan(day(first_ms), day(last_ms), color=MUTED, alpha=0.18, linewidth=0, label=label)
