"""Exposure: how much of the catalogue people were shown, and how unequally."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.exposure import gini, lorenz
from eddyline_cli.reporting.looks import DASHES, MUTED, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.series import Steps
from eddyline_cli.reporting.slates import Shown
from eddyline_cli.reporting.times import day, draw_marks, legend_above, time_axis
from eddyline_cli.reporting.told import Mark
from eddyline_cli.reporting.wording import count, moment, percent, share_tick
from eddyline_cli.reporting.wording import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_TITLE = "Exposure over time: coverage and Gini"
_LORENZ = "Who gets the impressions"
_TOP = 10


def impressions(shown: Sequence[Shown], n_items: int, at_most: int | None = None) -> NDArray[np.int64]:
    """Of each item, shape (N,), N at least ``n_items``; only of the first so many places where that is given."""
    if not shown:
        return np.zeros(n_items, np.int64)
    counts = np.bincount(np.concatenate([each.items[:at_most] for each in shown]), minlength=n_items)
    seen = counts[counts > 0]
    # Items that were taken out of the catalogue count where they were shown.
    return np.concatenate([seen, np.zeros(max(0, n_items - len(seen)), np.int64)])


def exposure_over_time(shown: Sequence[Shown], n_items: int, marks: Sequence[Mark]) -> Plate:
    """Coverage and Gini of each stretch of time."""
    if not shown or n_items < 2:
        return Plate(slug="exposure", title=_TITLE, missing="No list was shown in this time.")
    steps = Steps.over(shown, at_least=40)
    split = steps.split(shown)
    counts = [impressions(step, n_items, _TOP) for step in split]
    coverage = [
        float((of > 0).sum()) / n_items if step else float("nan")
        for of, step in zip(counts, split, strict=True)
    ]
    unequal = [gini(of) for of in counts]

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        at = [day(steps.middle(step)) for step in range(steps.n)]
        marker = "o" if steps.n < 3 else ""
        panel.plot(at, coverage, color=SERIES[0], label="coverage of the catalogue", marker=marker)
        panel.plot(
            at, unequal, color=SERIES[1], linestyle=DASHES[1], label="Gini of impressions", marker=marker
        )
        draw_marks(panel, marks, steps.first_ms, steps.last_ms)
        time_axis(panel, steps.first_ms, steps.last_ms)
        panel.set_ylim(0, 1)
        legend_above(panel)

    return Plate(
        slug="exposure",
        title=_TITLE,
        says="Of the first ten places: the share of the catalogue that was shown in each stretch, and how unequally "
        "(0: all items alike, 1: one item gets all). A Gini that creeps up says that the same few items crowd out the "
        "rest.",
        svg=svg_of("exposure", _TITLE, draw, heights=(2.5,)),
        columns=("from", "lists", "coverage", "Gini"),
        rows=[
            [
                moment(int(steps.first_ms + steps.step_ms * step)),
                count(len(split[step])),
                percent(coverage[step]),
                number(unequal[step], 3),
            ]
            for step in range(steps.n)
        ],
    )


def who_gets_seen(shown: Sequence[Shown], n_items: int) -> Plate:
    """Lorenz curve of the impressions."""
    if not shown or n_items < 2:
        return Plate(slug="lorenz", title=_LORENZ, missing="No list was shown in this time.", wide=False)
    top, whole = impressions(shown, n_items, _TOP), impressions(shown, n_items)

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        panel.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=DASHES[1], label="all alike")
        panel.plot(*lorenz(top), color=SERIES[0], label="first ten places")
        panel.plot(*lorenz(whole), color=SERIES[1], linestyle=DASHES[2], label="whole lists")
        panel.set_xlabel("share of the catalogue, least shown first")
        panel.set_ylabel("share of impressions")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(lambda value, _: share_tick(value))
        legend_above(panel)

    return Plate(
        slug="lorenz",
        title=_LORENZ,
        says="The further a line hangs below the diagonal, the fewer items get most of what people see.",
        svg=svg_of("lorenz", _LORENZ, draw, width=4.7, heights=(3.3,)),
        wide=False,
        columns=("", "first ten places", "whole lists"),
        rows=[
            ["items in the catalogue", count(n_items), count(n_items)],
            ["of these shown", *(percent(float((of > 0).sum()) / n_items) for of in (top, whole))],
            ["Gini", *(number(gini(of), 3) for of in (top, whole))],
            ["impressions", *(count(int(of.sum())) for of in (top, whole))],
        ],
    )
