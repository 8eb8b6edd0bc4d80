"""A metric over the time of the events: Eddyline, and what stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.evaluation import CHAMPION, EvaluationTold
from eddyline_cli.reporting.looks import DASHES, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.times import day, draw_marks, legend_above, time_axis
from eddyline_cli.reporting.told import marks_of
from eddyline_cli.reporting.wording import count, moment
from eddyline_cli.reporting.wording import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = {
    CHAMPION: "Eddyline",
    "frozen": "frozen first model",
    "item_rate": "item rate",
    "shown_order": "as shown",
}
LOWER_IS_BETTER = ("log_loss", "ece", "rmse", "mae")


def name_of(who: str) -> str:
    """For people."""
    return NAMES.get(who, who.replace("_", " "))


def metric_over_time(told: EvaluationTold, metric: str) -> Plate:
    """Of one evaluation, beside its baselines."""
    slug = slug_of(metric)
    title = f"{metric} over time"
    if not told.timeline:
        return Plate(
            slug=slug,
            title=title,
            missing="This file tells no timeline: it was printed by an Eddyline before this one. Evaluate once more.",
        )
    who = [CHAMPION, *sorted({name for each in told.timeline for name in each.baselines}, key=_order)]
    lines = {
        name: [each.value(name, metric) for each in told.timeline]
        for name in who
        if any(each.value(name, metric) is not None for each in told.timeline)
    }
    first, last = told.timeline[0].at_ms, told.timeline[-1].until_ms or told.timeline[-1].at_ms

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        at = [day(each.middle_ms) for each in told.timeline]
        nan = float("nan")
        marker = "o" if len(at) < 3 else ""
        for index, (name, values) in enumerate(lines.items()):
            means = [nan if v is None or v.mean is None else v.mean for v in values]
            colour, dash = SERIES[index % len(SERIES)], DASHES[index % len(DASHES)]
            width = 2.2 if name == CHAMPION else 1.4
            panel.plot(
                at, means, color=colour, linestyle=dash, linewidth=width, label=name_of(name), marker=marker
            )
            if name == CHAMPION:
                errors = [0.0 if v is None or v.se is None else 1.96 * v.se for v in values]
                low = [mean - error for mean, error in zip(means, errors, strict=True)]
                high = [mean + error for mean, error in zip(means, errors, strict=True)]
                panel.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
        draw_marks(panel, marks_of(told.decisions, told.cycles), first, last)
        time_axis(panel, first, last)
        panel.set_ylabel(metric)
        legend_above(panel)

    better = "lower" if metric.startswith(LOWER_IS_BETTER) else "higher"
    return Plate(
        slug=slug,
        title=title,
        says=f"Each point is a stretch of as many {told.unit}s, each scored before it was known; {better} is better. "
        "Where people change, all get worse; what learns comes back, and the frozen model does not.",
        svg=svg_of(slug, title, draw, heights=(3.2,)),
        columns=("from", f"{told.unit}s", *(name_of(name) for name in lines)),
        rows=[
            [
                moment(each.at_ms),
                count(each.n),
                *(number(None if values[row] is None else values[row].mean) for values in lines.values()),  # type: ignore[union-attr]
            ]
            for row, each in enumerate(told.timeline)
        ],
    )


def metric_compared(told: Sequence[EvaluationTold], metric: str) -> Plate:
    """The same metric of several evaluations over time."""
    slug = slug_of(metric)
    title = f"{metric} over time"
    drawn = [each for each in told if each.timeline]
    if not drawn:
        return Plate(
            slug=slug, title=title, missing="None of these files tells a timeline. Evaluate once more."
        )
    first = min(each.timeline[0].at_ms for each in drawn)
    last = max(each.timeline[-1].until_ms or each.timeline[-1].at_ms for each in drawn)

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        for index, each in enumerate(drawn):
            at = [day(stretch.middle_ms) for stretch in each.timeline]
            values = [stretch.value(CHAMPION, metric) for stretch in each.timeline]
            means = [float("nan") if v is None or v.mean is None else v.mean for v in values]
            panel.plot(
                at,
                means,
                color=SERIES[index % len(SERIES)],
                linestyle=DASHES[index % len(DASHES)],
                label=each.name,
            )
        time_axis(panel, first, last)
        panel.set_ylabel(metric)
        legend_above(panel)

    return Plate(
        slug=slug,
        title=title,
        says="Eddyline in each of the evaluations, by the time of the events.",
        svg=svg_of(slug, title, draw, heights=(3.2,)),
    )


def slug_of(metric: str) -> str:
    """The metric's name as an anchor."""
    return "over-" + "".join(letter if letter.isalnum() else "-" for letter in metric)


def _order(who: str) -> tuple[int, str]:
    known = list(NAMES)
    return (known.index(who) if who in known else len(known)), who
