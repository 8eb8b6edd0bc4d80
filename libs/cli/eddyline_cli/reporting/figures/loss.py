"""The loss that the drift detector looks at, and where it found drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.times import day, draw_marks, legend_above, time_axis
from eddyline_cli.reporting.told import CycleTold, Mark
from eddyline_cli.reporting.wording import count, moment
from eddyline_cli.reporting.wording import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "Loss before learning, and drift"


def loss_and_drift(cycles: Sequence[CycleTold], marks: Sequence[Mark]) -> Plate | None:
    """None where no cycle tells of it."""
    told = [each for each in cycles if each.loss is not None]
    if not told:
        return None

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        first, last = told[0].at_ms, told[-1].at_ms
        panel.plot(
            [day(each.at_ms) for each in told],
            [each.loss or 0.0 for each in told],
            color=SERIES[0],
            label="loss",
        )
        draw_marks(panel, marks, first, last)
        time_axis(panel, first, last)
        legend_above(panel)

    return Plate(
        slug="loss",
        title=_TITLE,
        says="The champion's loss on each cycle's new lists before they are learnt from, in units of what a "
        "constant would lose (rank: 1 less NDCG): where it jumps, people have changed, and a marked drift says that "
        "the trainer noticed.",
        svg=svg_of("loss", _TITLE, draw, heights=(2.3,)),
        columns=("cycle", "at", "loss", "found"),
        rows=[
            [count(each.number), moment(each.at_ms), number(each.loss), "drift" if each.drift else "–"]
            for each in reversed(told)
        ],
    )
