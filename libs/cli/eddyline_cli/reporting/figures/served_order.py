"""NDCG@10 of the lists as they were shown, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import DASHES, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.series import Steps
from eddyline_cli.reporting.serving import KINDS
from eddyline_cli.reporting.slates import Shown, labels_of
from eddyline_cli.reporting.times import day, draw_marks, legend_above, time_axis
from eddyline_cli.reporting.told import Mark
from eddyline_cli.reporting.wording import figure as number
from eddyline_cli.reporting.wording import moment
from eddyline_learning.metrics import ndcg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "NDCG@10 of the lists as they were shown"
_K = 10


def served_order(
    shown: Sequence[Shown], kinds: Mapping[str, Sequence[Shown]], marks: Sequence[Mark]
) -> Plate:
    """How near the top the items stood that people acted on."""
    clicked = {kind: [each for each in lists if each.clicked] for kind, lists in kinds.items()}
    if sum(map(len, clicked.values())) < 2:
        return Plate(
            slug="ndcg",
            title=_TITLE,
            missing="Nobody acted on a list in this time, so there is no order to judge.",
        )
    steps = Steps.over(shown)
    of_kind = {kind: steps.for_lists(lists) for kind, lists in clicked.items() if lists}
    found = {kind: _by_step(of, clicked[kind]) for kind, of in of_kind.items()}

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        for kind, means in found.items():
            style, of = KINDS.index(kind), of_kind[kind]
            at = [day(of.middle(step)) for step in range(of.n)]
            panel.plot(at, means, color=SERIES[style], linestyle=DASHES[style], label=kind)
        draw_marks(panel, marks, steps.first_ms, steps.last_ms)
        time_axis(panel, steps.first_ms, steps.last_ms)
        legend_above(panel)

    return Plate(
        slug="ndcg",
        title=_TITLE,
        says="1 means that all that people acted on stood at the top; people look at the top more, so compare the "
        "lines with each other rather than with 1.",
        svg=svg_of("ndcg", _TITLE, draw),
        columns=("by", "from", "NDCG@10"),
        rows=[
            [kind, moment(int(of.first_ms + of.step_ms * step)), number(found[kind][step])]
            for kind, of in of_kind.items()
            for step in range(of.n)
            if found[kind][step] == found[kind][step]
        ],
    )


def _by_step(steps: Steps, lists: Sequence[Shown]) -> list[float]:
    means = []
    for step in steps.split(lists):
        if len(step) < 3:
            means.append(float("nan"))
            continue
        labels = np.concatenate([labels_of(each) for each in step])
        places = np.concatenate([np.arange(len(each.items)) for each in step])
        sizes = np.array([len(each.items) for each in step], np.int32)
        means.append(float(np.nanmean(ndcg(-places.astype(np.float64), labels, sizes, _K))))
    return means
