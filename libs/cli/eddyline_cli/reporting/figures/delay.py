"""What delay costs: the same history, learnt from at once and at longer and longer intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.evaluation import CHAMPION, Synced, Value
from eddyline_cli.reporting.figures.metric_over_time import name_of
from eddyline_cli.reporting.looks import DASHES, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.times import legend_above
from eddyline_cli.reporting.wording import duration
from eddyline_cli.reporting.wording import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "What delay costs"
_MOST = 2
_BESIDE = 3
"""Baselines that are drawn, the best at the shortest interval first."""


def cost_of_delay(told: Sequence[Synced], metrics: Sequence[str]) -> Plate | None:
    """By the interval at which all that is learnt is brought up to date; None where nobody asked for it."""
    drawn = [metric for metric in metrics if any(metric in each.metrics for each in told)][:_MOST]
    if not told or not drawn:
        return None
    runs = sorted(told, key=lambda each: each.interval_ms)
    words = [each.interval if each.interval_ms else "every event" for each in runs]
    names = _names(runs[0], drawn[0])

    def draw(figure: Figure, panels: list[Axes]) -> None:
        at = list(range(len(runs)))
        for panel, metric in zip(panels, drawn, strict=True):
            for index, who in enumerate(names):
                values = [_of(each, who).get(metric, Value()) for each in runs]
                colour = SERIES[index % len(SERIES)]
                means = [float("nan") if value.mean is None else value.mean for value in values]
                panel.plot(
                    at,
                    means,
                    color=colour,
                    linestyle=DASHES[index],
                    marker="o",
                    markersize=4.5,
                    label=name_of(who),
                )
                for x, value in enumerate(values):
                    if value.mean is not None and value.se is not None:
                        ends = [value.mean - 1.96 * value.se, value.mean + 1.96 * value.se]
                        panel.plot([x, x], ends, color=colour, linewidth=2.2, alpha=0.45)
            panel.set_xticks(at, words)
            panel.set_xlim(-0.3, len(runs) - 0.7)
            panel.set_ylabel(metric)
            panel.set_xlabel("learnt every")
        legend_above(panels[0])

    return Plate(
        slug="delay",
        title=_TITLE,
        says="The further right, the longer everything that is learnt stands still between two syncs, while a "
        "person's own recent items stay live: what falls is what learning from every event is worth.",
        svg=svg_of("delay", _TITLE, draw, heights=(3.1,), columns=(1.0,) * len(drawn)),
        columns=("learnt every", *(f"{name_of(who)}, {metric}" for who in names for metric in drawn), "took"),
        rows=[
            [
                word,
                *(_spelled(_of(each, who).get(metric, Value())) for who in names for metric in drawn),
                duration(each.seconds),
            ]
            for word, each in zip(words, runs, strict=True)
        ],
    )


def _names(shortest: Synced, metric: str) -> list[str]:
    def mean(who: str) -> float:
        value = shortest.baselines[who].get(metric, Value())
        return -1.0 if value.mean is None else value.mean

    return [CHAMPION, *sorted(shortest.baselines, key=lambda who: (-mean(who), who))[:_BESIDE]]


def _of(told: Synced, who: str) -> dict[str, Value]:
    return told.metrics if who == CHAMPION else told.baselines.get(who, {})


def _spelled(value: Value) -> str:
    return number(value.mean) + ("" if value.se is None else f" ± {number(value.se)}")
