"""How good, all in all: a metric of everybody with its error, and all metrics as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.evaluation import CHAMPION, EvaluationTold, Value
from eddyline_cli.reporting.figures.metric_over_time import LOWER_IS_BETTER, name_of
from eddyline_cli.reporting.figures.whiskers import Interval, draw_whiskers
from eddyline_cli.reporting.looks import GOOD, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.wording import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "How good, all in all"


def standing(told: Sequence[EvaluationTold], metrics: Sequence[str]) -> Plate:
    """Each evaluation's Eddyline and baselines, on at most two metrics; of several evaluations, each one's own."""
    rows: list[tuple[str, dict[str, Value]]] = []
    for each in told:
        before = f"{each.name}: " if len(told) > 1 else ""
        rows += [(before + name_of(who), values) for who, values in each.metrics.items()]
    drawn = [metric for metric in metrics if any(metric in values for _, values in rows)][:2]
    if not drawn:
        return Plate(
            slug="standing", title=_TITLE, missing="No list could be judged: nobody acted on any of them."
        )
    colours = [GOOD if who == CHAMPION else SERIES[0] for each in told for who in each.metrics]

    def draw(figure: Figure, panels: list[Axes]) -> None:
        for panel, metric in zip(panels, drawn, strict=True):
            values = [of.get(metric, Value()) for _, of in rows]
            draw_whiskers(
                panel,
                [name for name, _ in rows],
                [value.mean for value in values],
                [_interval(value) for value in values],
                colours=colours,
                title=f"{metric}, {'lower' if metric.startswith(LOWER_IS_BETTER) else 'higher'} is better",
                spell=lambda value: f"{value:.3g}",
            )
        for panel in panels[1:]:
            panel.set_yticklabels([])

    every = [metric for each in told for metric in each.metrics[CHAMPION]]
    names = list(dict.fromkeys([*every, *(metric for _, values in rows for metric in values)]))
    return Plate(
        slug="standing",
        title=_TITLE,
        says="Means over all that was scored, with 95 % intervals; whose whiskers lie apart differ by more "
        "than chance.",
        svg=svg_of("standing", _TITLE, draw, heights=(0.9 + 0.27 * len(rows),), columns=(1.0,) * len(drawn)),
        columns=("metric", *(name for name, _ in rows)),
        rows=[[metric, *(_spelled(values.get(metric)) for _, values in rows)] for metric in names],
    )


def _interval(value: Value) -> Interval:
    if value.mean is None or value.se is None:
        return None
    return value.mean - 1.96 * value.se, value.mean + 1.96 * value.se


def _spelled(value: Value | None) -> str:
    if value is None or value.mean is None:
        return "–"
    return number(value.mean) + ("" if value.se is None else f" ± {number(value.se)}")
