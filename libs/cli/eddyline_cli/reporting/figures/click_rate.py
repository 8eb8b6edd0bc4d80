"""Click rate over time: as served, beside earlier models that still serve somebody, and the randomised share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import DASHES, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.rates import Rate, mean_over_people, share_bounds
from eddyline_cli.reporting.series import Steps
from eddyline_cli.reporting.serving import CHOSEN, KINDS, SERVED
from eddyline_cli.reporting.slates import Shown
from eddyline_cli.reporting.times import day, draw_marks, legend_above, shade, time_axis
from eddyline_cli.reporting.told import Mark
from eddyline_cli.reporting.wording import count, moment, percent, share_tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "Click rate over time"


def click_rate_over_time(
    shown: Sequence[Shown], kinds: Mapping[str, Sequence[Shown]], marks: Sequence[Mark]
) -> Plate:
    """Share of the lists on which somebody acted, by who ordered them."""
    if not shown:
        return Plate(slug="clicks", title=_TITLE, missing="No list was shown in this time.")
    steps = Steps.over(shown)
    of_kind = {kind: steps.for_lists(lists) for kind, lists in kinds.items()}
    rates = {
        kind: of_kind[kind].rates(lists, lambda each: float(each.clicked)) for kind, lists in kinds.items()
    }
    unripe_from = next((each.recorded_at for each in shown if not each.ripe), None)

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        for kind, of_steps in rates.items():
            style = KINDS.index(kind)
            _line(
                panel,
                of_kind[kind],
                of_steps,
                kind,
                SERIES[style],
                DASHES[style],
                bounds=kind in (SERVED, CHOSEN),
            )
        draw_marks(panel, marks, steps.first_ms, steps.last_ms)
        if unripe_from is not None:
            shade(panel, unripe_from, steps.last_ms, "clicks may still come")
        time_axis(panel, steps.first_ms, steps.last_ms)
        panel.set_ylim(bottom=0)
        panel.yaxis.set_major_formatter(lambda value, _: share_tick(value))
        legend_above(panel)

    return Plate(
        slug="clicks",
        title=_TITLE,
        says="The share of lists on which somebody acted, with its 95 % interval: it should rise as models learn, and "
        "come back after a shift; an earlier model that still serves somebody shows what learning is worth.",
        svg=svg_of("clicks", _TITLE, draw, heights=(3.0,)),
        columns=("by", "from", "lists", "click rate", "±"),
        rows=[
            [
                kind,
                moment(int(of.first_ms + of.step_ms * step)),
                count(rate.n),
                percent(rate.mean),
                percent(rate.se),
            ]
            for kind, of in of_kind.items()
            for step, rate in enumerate(rates[kind])
            if rate is not None
        ],
    )


def overall(shown: Sequence[Shown]) -> Rate:
    """Click rate of lists whose clicks are complete; of all where none is."""
    ripe = [each for each in shown if each.ripe] or shown
    return mean_over_people((each.person, float(each.clicked)) for each in ripe)


def _line(
    panel: Axes,
    steps: Steps,
    rates: Sequence[Rate | None],
    label: str,
    colour: str,
    dash: object,
    *,
    bounds: bool,
) -> None:
    nan = float("nan")
    at = [day(steps.middle(step)) for step in range(steps.n)]
    means = [nan if rate is None or rate.mean is None else rate.mean for rate in rates]
    marker = "o" if sum(mean == mean for mean in means) < 3 else ""
    panel.plot(at, means, color=colour, linestyle=dash, label=label, marker=marker, markersize=4)
    if bounds:
        edges = [(None if rate is None else share_bounds(rate)) or (nan, nan) for rate in rates]
        panel.fill_between(
            at,
            [low for low, _ in edges],
            [high for _, high in edges],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
