"""Calibration: whether what is foreseen happens as often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import DASHES, MUTED, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.slates import Shown, labels_of
from eddyline_cli.reporting.times import legend_above
from eddyline_cli.reporting.wording import count, percent, share_tick
from eddyline_learning.calibration import probabilities, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "Calibration"
_UNDEFINED = {
    "rank": "Under the objective rank scores only order items: they are no chances, so there is nothing that could be "
    "compared with how often people act. Set learning.objective to click to get probabilities.",
    "rating": "Under the objective rating scores are values and no chances: how far they are off is the RMSE, which "
    "`eddyline evaluate` measures.",
}
_NEWEST = 100_000
"""Lists that are looked at."""
Bins = Sequence[Mapping[str, Any]]


def calibration_served(shown: Sequence[Shown], objective: str) -> Plate:
    """By the scores that were served by."""
    if objective != "click":
        return _missing(_UNDEFINED[objective])
    by_model = [
        each
        for each in shown
        if each.ripe
        and each.scores is not None
        and each.policy == "greedy"
        and not np.isnan(each.scores).any()
    ][-_NEWEST:]
    if len(by_model) < 2:
        return _missing("No list that a model ordered is ripe yet.")
    raw = np.concatenate([each.scores for each in by_model if each.scores is not None]).astype(np.float64)
    labels = np.concatenate([labels_of(each) for each in by_model])
    sizes = np.array([len(each.items) for each in by_model], np.int32)
    return calibration_of([each.as_json() for each in reliability(probabilities(raw), labels, sizes)])


def calibration_of(bins: Bins, objective: str = "click") -> Plate:
    """By bins of as many items each: ``predicted``, ``observed``, ``se``, ``n``."""
    if not bins:
        return _missing(_UNDEFINED.get(objective, "There are no scores yet."))
    predicted = [float(each["predicted"]) for each in bins]
    observed = [float(each["observed"]) for each in bins]
    errors = [1.96 * float(each.get("se") or 0.0) for each in bins]

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        top = max(*predicted, *observed) * 1.08
        panel.plot([0, top], [0, top], color=MUTED, linewidth=1, linestyle=DASHES[1], label="as foreseen")
        for x, y, error in zip(predicted, observed, errors, strict=True):
            panel.plot([x, x], [max(0.0, y - error), y + error], color=SERIES[0], linewidth=2.2, alpha=0.55)
        panel.plot(predicted, observed, "o-", color=SERIES[0], linewidth=1, markersize=4.5, label="observed")
        panel.set_xlabel("predicted chance of an action")
        panel.set_ylabel("observed share")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(lambda value, _: share_tick(value))
        legend_above(panel)

    return Plate(
        slug="calibration",
        title=_TITLE,
        says="Ten groups of as many items each, by what was foreseen; points on the diagonal are right, below it too "
        "sure. After a shift they leave it until models have learnt.",
        svg=svg_of("calibration", _TITLE, draw, width=4.7, heights=(3.3,)),
        wide=False,
        columns=("predicted", "observed", "±", "items"),
        rows=[
            [
                percent(each["predicted"], 2),
                percent(each["observed"], 2),
                percent(each.get("se"), 2),
                count(each["n"]),
            ]
            for each in bins
        ],
    )


def _missing(why: str) -> Plate:
    return Plate(slug="calibration", title=_TITLE, missing=why, wide=False)
