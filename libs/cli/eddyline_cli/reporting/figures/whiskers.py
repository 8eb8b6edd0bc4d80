"""Means with their intervals, one below the other: whoever lies apart from another's whiskers differs from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Interval = tuple[float, float] | None


def draw_whiskers(
    panel: Axes,
    names: Sequence[str],
    means: Sequence[float | None],
    bounds: Sequence[Interval],
    *,
    colours: Sequence[str],
    title: str,
    spell: Callable[[float], str],
) -> None:
    """Draw them, the first at the top; None is left out."""
    for row, (mean, interval, colour) in enumerate(zip(means, bounds, colours, strict=True)):
        if mean is None:
            continue
        if interval is not None:
            panel.plot(interval, [row, row], color=colour, linewidth=2.2, alpha=0.55)
        panel.plot([mean], [row], "o", color=colour, markersize=5.5)
    panel.set_yticks(range(len(names)), list(names))
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.grid(visible=False, axis="y")
    panel.locator_params(axis="x", nbins=5)
    panel.xaxis.set_major_formatter(lambda value, _: spell(value))
    panel.set_title(title)
