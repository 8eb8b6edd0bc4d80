"""A simulation: what those who click would be expected to click on, by who ordered their lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import DASHES, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.times import day, draw_marks, legend_above, time_axis
from eddyline_cli.reporting.told import Mark
from eddyline_cli.reporting.wording import count, percent, share_tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from eddyline_cli.simulating.summary import SimulationSummary
    from eddyline_cli.simulating.timeline import Moment

_TITLE = "What the made-up people were offered"
_LINES: tuple[tuple[str, Callable[[Moment], float | None]], ...] = (
    ("as served", lambda moment: moment.expected),
    ("first model, frozen", lambda moment: moment.frozen_expected),
    ("best order", lambda moment: moment.best_order),
    ("random order", lambda moment: moment.random_order),
)


def shift_of(told: SimulationSummary) -> list[Mark]:
    """Where tastes turned, if they did."""
    if told.shift_at_s is None:
        return []
    return [Mark(at_ms=told.began_at + round(told.shift_at_s * 1_000), kind="shift", label="tastes turn")]


def expected_clicks(told: SimulationSummary, marks: Sequence[Mark]) -> Plate:
    """Chance of a click over time, without luck, since the simulation knows it."""
    moments = told.timeline
    lines = [(name, of) for name, of in _LINES if any(of(each) is not None for each in moments)]
    if not lines:
        return Plate(slug="simulation", title=_TITLE, missing="Nobody came: let people come for longer.")
    first = told.began_at + moments[0].at_s * 1_000
    last = told.began_at + moments[-1].until_s * 1_000

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        at = [day(told.began_at + (each.at_s + each.until_s) * 500) for each in moments]
        for index, (name, of) in enumerate(lines):
            values = [float("nan") if (value := of(each)) is None else value for each in moments]
            width = 2.2 if index == 0 else 1.4
            panel.plot(at, values, color=SERIES[index], linestyle=DASHES[index], linewidth=width, label=name)
        draw_marks(panel, marks, first, last)
        time_axis(panel, first, last)
        panel.set_ylim(bottom=0)
        panel.yaxis.set_major_formatter(lambda value, _: share_tick(value))
        legend_above(panel)

    return Plate(
        slug="simulation",
        title=_TITLE,
        says="The chance of a click on each list, as only a simulation knows it: where tastes turn both fall; what "
        "goes on learning comes back towards the best order, and the frozen first model does not.",
        svg=svg_of("simulation", _TITLE, draw, heights=(3.2,)),
        columns=("from second", "lists", *(name for name, _ in lines), "clicked", "frozen: lists", "clicked"),
        rows=[
            [
                f"{each.at_s:.1f}",
                count(each.lists),
                *(percent(of(each)) for _, of in lines),
                percent(each.click_rate),
                count(each.frozen_lists),
                percent(each.frozen),
            ]
            for each in moments
        ],
    )
