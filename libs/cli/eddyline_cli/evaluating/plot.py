"""What delay costs, as a picture: the same numbers give the same bytes, and no display is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from eddyline_learning.next_item.meetings import CHAMPION, POPULAR_TOGETHER

if TYPE_CHECKING:
    from eddyline_cli.evaluating.next_item import Synced

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "eddyline",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
}
_LINES = ((CHAMPION, "Eddyline", "-", "o"), (POPULAR_TOGETHER, "popular + together", "--", "s"))
_COLOURS = {"hr": "#1b6ca8", "mrr": "#c8553d"}


def plot_delays(path: Path, runs: Sequence[Synced], k: int) -> None:
    """Hit rate and reciprocal rank by the interval of syncs, as SVG or PNG; two standard errors each way.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(7.0, 4.2), dpi=120)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        places = range(len(runs))
        for metric, colour in _COLOURS.items():
            for who, name, line, marker in _LINES:
                found = [run.metrics[who][f"{metric}@{k}"] for run in runs]
                axes.errorbar(
                    places,
                    [each.mean for each in found],
                    yerr=[2.0 * each.se for each in found],
                    label=f"{metric.upper()}@{k}, {name}",
                    color=colour,
                    linestyle=line,
                    marker=marker,
                    markersize=4,
                    capsize=2,
                    alpha=1.0 if who == CHAMPION else 0.55,
                )
        axes.set_xticks(places, [run.interval if run.interval_ms else "event" for run in runs])
        axes.set_xlabel("the model learns every")
        axes.set_ylim(bottom=0.0)
        axes.grid(axis="y", alpha=0.3)
        axes.set_title("What delay costs")
        axes.legend(frameon=False, fontsize=8)
        figure.tight_layout()
        form = path.suffix.lower().removeprefix(".")
        # The date would make each file another one.
        figure.savefig(path, format=form, metadata={"Date": None} if form == "svg" else {"Software": None})
