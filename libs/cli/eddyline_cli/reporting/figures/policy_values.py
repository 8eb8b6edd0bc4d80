"""What other policies would have been worth: each estimator with its interval, beside what the logging policy got."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.figures.whiskers import Interval, draw_whiskers
from eddyline_cli.reporting.looks import GOOD, SERIES
from eddyline_cli.reporting.off_policy import OffPolicyTold, Value
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.wording import count, cut, percent
from eddyline_cli.reporting.wording import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ESTIMATORS = {"ips": "IPS", "snips": "SNIPS", "dr": "DR"}
_LOGGED = "as logged"


def policy_values(told: Sequence[OffPolicyTold], title: str) -> Plate:
    """Of each estimate three rows and what was logged."""
    rows: list[tuple[str, Value, str]] = []
    for each in told:
        before = f"{each.name}: " if len(told) > 1 else ""
        found = each.told.estimates
        rows += [
            (f"{before}{each.told.target}, {name}", getattr(found, key), GOOD)
            for key, name in ESTIMATORS.items()
        ]
        rows.append((before + _LOGGED, found.as_logged, SERIES[0]))

    def draw(figure: Figure, panels: list[Axes]) -> None:
        draw_whiskers(
            panels[0],
            [cut(name) for name, _, _ in rows],
            [value.mean for _, value, _ in rows],
            [_interval(value) for _, value, _ in rows],
            colours=[colour for _, _, colour in rows],
            title=f"per {told[0].told.unit}",
            spell=lambda value: f"{value:.3g}",
        )

    return Plate(
        slug="policy-values",
        title=title,
        says="What the policy would have got, with 95 % intervals, and what the one that served did get. An interval "
        "that lies apart from the latter tells that the policy is better, or worse.",
        svg=svg_of("policy-values", title, draw, heights=(0.9 + 0.27 * len(rows),)),
        columns=("", "value", "standard error", "from", "to"),
        rows=[
            [name, number(value.mean), number(value.se), number(value.lower), number(value.upper)]
            for name, value, _ in rows
        ],
    )


def what_they_rest_on(told: Sequence[OffPolicyTold]) -> Plate:
    """How large the sample is in truth, and what was left out, as a table."""
    reasons = sorted({reason for each in told for reason in each.told.left_out})
    rows = []
    for each in told:
        found = each.told.estimates
        rows.append(
            [
                each.name,
                each.told.target,
                count(each.told.scored),
                count(found.rows),
                count(found.effective_rows),
                number(found.mean_weight),
                number(found.largest_weight),
                "none" if found.clip is None else f"{percent(found.clipped)} at {number(found.clip)}",
                *(count(each.told.left_out.get(reason, 0)) for reason in reasons),
            ]
        )
    warnings = [
        f"{each.name}: {warning}" if len(told) > 1 else warning
        for each in told
        for warning in each.told.warnings
    ]
    return Plate(
        slug="rest-on",
        title="What that rests on",
        missing=" ".join(warnings)
        or "Enough rows count, and the mean weight is 1 but for chance: the log covers the policy.",
        columns=(
            "estimate",
            "policy",
            f"{told[0].told.unit}s",
            "rows",
            "effective rows",
            "mean weight",
            "largest weight",
            "clipped",
            *(f"left out: {reason}" for reason in reasons),
        ),
        rows=rows,
    )


def _interval(value: Value) -> Interval:
    return None if value.lower is None or value.upper is None else (value.lower, value.upper)
