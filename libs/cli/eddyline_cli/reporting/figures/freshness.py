"""How old the newest label was that each model knew when it began to serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.demo.freshness import Freshness
from eddyline_cli.demo.timings import Percentiles
from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.times import day, time_axis
from eddyline_cli.reporting.told import VersionTold
from eddyline_cli.reporting.wording import duration, duration_tick, moment, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "From an event to a model that knows it"


def event_to_served(versions: Sequence[VersionTold], fresh: Freshness | None) -> Plate:
    """Of each model that was promoted, from its newest label to its promotion."""
    told = sorted(
        (
            (each.promoted_at, (each.promoted_at - each.labelled_at) / 1_000, each)
            for each in versions
            if each.promoted_at is not None and each.labelled_at is not None
        ),
        key=lambda row: row[0],
    )
    waits = [max(1e-3, seconds) for _, seconds, _ in told]
    rows = [[moment(at), short(each.model), duration(seconds)] for at, seconds, each in reversed(told)]
    if not told:
        return Plate(slug="fresh", title=_TITLE, missing="No model has been promoted yet." + _served(fresh))

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        panel.plot([day(at) for at, _, _ in told], waits, "o-", color=SERIES[0], linewidth=1, markersize=5)
        panel.set_yscale("log" if max(waits) > 30 * min(waits) else "linear")
        panel.yaxis.set_major_formatter(lambda value, _: duration_tick(value))
        panel.yaxis.set_minor_formatter(lambda value, _: "")
        if panel.get_yscale() == "linear":
            panel.set_ylim(0, max(waits) * 1.15)
        time_axis(panel, told[0][0], told[-1][0])

    return Plate(
        slug="fresh",
        title=_TITLE,
        says="From the newest click or purchase that a model may have learnt from, as the log got it, to its "
        "serving: low and level is good; waiting for the gate's evidence is the most of it." + _served(fresh),
        svg=svg_of("fresh", _TITLE, draw, heights=(2.3,)),
        columns=("promoted", "model", "event to served"),
        rows=rows,
    )


def _served(fresh: Freshness | None) -> str:
    if fresh is None:
        return ""
    ways = (
        ("in the log", fresh.event_to_log_ms, 1_000.0),
        ("in the features that the ranker asks for", fresh.event_to_fold_ms, 1_000.0),
    )
    told = [
        f"{what} after {duration(times.p50 / unit)} (99 of 100 within {duration(_p99(times) / unit)})"
        for what, times, unit in ways
        if times.p50 is not None
    ]
    return f" An event is {', and '.join(told)}, since the services started." if told else ""


def _p99(times: Percentiles) -> float:
    return times.p99 if times.p99 is not None else float("nan")
