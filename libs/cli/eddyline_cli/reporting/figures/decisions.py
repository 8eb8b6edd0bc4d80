"""The gate's decisions: where each challenger's difference to the champion was seen to lie, and what followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import BAD, GOOD, MUTED, OPEN, SOFT
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.times import day, legend_above, time_axis
from eddyline_cli.reporting.told import CHANGES, ROLL_BACK, DecisionTold
from eddyline_cli.reporting.wording import count, moment, short, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "Decisions of the gate"
_COLOURS = {"promote": GOOD, "take_over": GOOD, ROLL_BACK: BAD, "reject": BAD, "give_up": MUTED, "wait": OPEN}
_SHAPES = {"promote": "o", "take_over": "o", ROLL_BACK: "v", "reject": "X", "give_up": "s", "wait": "."}
_MOST, _IN_TABLE = 400, 200


def gate_decisions(decisions: Sequence[DecisionTold]) -> Plate:
    """Differences with their bounds, against the champion of that time."""
    compared = [each for each in decisions if each.against_champion and each.mean is not None and each.n]
    rows = _rows(decisions)
    if not compared:
        return Plate(
            slug="gate",
            title=_TITLE,
            missing="The gate has compared no model yet: the first one is made when enough lists are ripe.",
            columns=_COLUMNS if rows else (),
            rows=rows,
        )
    # What changed something is always drawn; of the rest the newest.
    rest = [each for each in compared if each.outcome not in CHANGES][-_MOST:]
    drawn = sorted(
        [*(each for each in compared if each.outcome in CHANGES), *rest], key=lambda each: each.at_ms
    )
    means = sorted(abs(each.mean or 0.0) for each in drawn)
    deltas = [each.delta for each in drawn if each.delta]
    # A challenger of a few lists has bounds far off; they would flatten all else.
    reach = max(means[int(0.97 * (len(means) - 1))] * 2.2, 4 * max(deltas, default=0.0), 1e-3)

    n_left_out = len(compared) - len(drawn)
    left_out = f" {n_left_out:,} older ones that changed nothing are left out." if n_left_out else ""

    def draw(figure: Figure, panels: list[Axes]) -> None:
        (panel,) = panels
        first, last = drawn[0].at_ms, drawn[-1].at_ms
        panel.axhline(0, color=SOFT, linewidth=0.9)
        if deltas:
            panel.axhline(-deltas[-1], color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)), label="−delta")
        # The quiet ones first, so that what changed something lies on top.
        for outcome in ("wait", "give_up", "reject", "take_over", "promote", ROLL_BACK):
            of = [each for each in drawn if each.outcome == outcome]
            colour, quiet = _COLOURS[outcome], outcome in ("wait", "give_up")
            for each in of:
                if each.lower is not None and each.upper is not None:
                    panel.plot(
                        [day(each.at_ms)] * 2,
                        [each.lower, each.upper],
                        color=colour,
                        linewidth=1.0 if quiet else 1.8,
                        alpha=0.3 if quiet else 0.75,
                    )
            if of:
                panel.plot(
                    [day(each.at_ms) for each in of],
                    [each.mean or 0.0 for each in of],
                    linestyle="",
                    marker=_SHAPES[outcome],
                    color=colour,
                    markersize=4 if quiet else 6,
                    label=outcome.replace("_", " "),
                )
        time_axis(panel, first, last)
        panel.set_ylim(-reach, reach)
        panel.set_ylabel("difference to the champion")
        legend_above(panel)

    return Plate(
        slug="gate",
        title=_TITLE,
        says="Each challenger's difference in goodness to the champion of its time, with the bounds that hold at all "
        "times: it is promoted when the lower end of its line is not below −delta, also against those before."
        + left_out,
        svg=svg_of("gate", _TITLE, draw, heights=(3.0,)),
        columns=_COLUMNS,
        rows=rows,
    )


_COLUMNS = ("at", "outcome", "challenger", "against", "lists", "difference", "lower", "upper", "reason")


def _rows(decisions: Sequence[DecisionTold]) -> list[list[str]]:
    """Without those that decided nothing, the newest first."""
    told = [each for each in reversed(decisions) if each.outcome != "wait"][:_IN_TABLE]
    return [
        [
            moment(each.at_ms),
            each.outcome.replace("_", " "),
            short(each.challenger),
            ("champion " if each.against_champion and not each.by_hand else "") + short(each.opponent),
            count(each.n) if each.n else "–",
            signed(each.mean),
            signed(each.lower),
            signed(each.upper),
            each.reason,
        ]
        for each in told
    ]
