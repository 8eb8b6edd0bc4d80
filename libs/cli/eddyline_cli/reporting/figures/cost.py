"""What learning costs: each cycle's seconds by phase, and its joules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import MUTED, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.times import legend_above
from eddyline_cli.reporting.told import CycleTold
from eddyline_cli.reporting.wording import count, duration, duration_tick, joules, moment, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "What each cycle cost"
_DRAWN = 120
_PHASES = ("fold", "gate", "train", "export", "verify")


def cost_of_cycles(cycles: Sequence[CycleTold]) -> Plate:
    """The newest cycles, one bar each."""
    spent = [each for each in cycles if each.seconds]
    if not spent:
        return Plate(
            slug="cost",
            title=_TITLE,
            missing="There was no cycle in this time: the first one comes when enough lists are ripe "
            "(learning.min_slates in eddyline.yaml).",
        )
    drawn = spent[-_DRAWN:]
    known = {phase for each in drawn for phase in each.seconds}
    phases = [*(p for p in _PHASES if p in known), *sorted(known - set(_PHASES))]
    with_joules = any(each.joules is not None for each in drawn)
    by = next((each.joules_by for each in reversed(drawn) if each.joules_by), "")

    def draw(figure: Figure, panels: list[Axes]) -> None:
        at = np.arange(len(drawn))
        bottom = np.zeros(len(drawn))
        for number, phase in enumerate(phases):
            heights = np.array([each.seconds.get(phase, 0.0) for each in drawn])
            colour = SERIES[number] if number < len(SERIES) else MUTED
            panels[0].bar(at, heights, 0.82, bottom, color=colour, label=phase)
            bottom += heights
        panels[0].yaxis.set_major_formatter(lambda value, _: duration_tick(value))
        panels[0].set_ylabel("time")
        panels[0].set_ylim(0, max(1e-3, float(bottom.max()) * 1.05))
        legend_above(panels[0])
        if with_joules:
            energy = [each.joules or 0.0 for each in drawn]
            panels[1].bar(at, energy, 0.82, color=SERIES[1])
            panels[1].yaxis.set_major_formatter(lambda value, _: f"{value:g} J")
            panels[1].set_ylabel("energy")
        for panel in panels:
            panel.grid(visible=False, axis="x")
        panels[-1].set_xlim(-0.7, len(drawn) - 0.3)
        panels[-1].xaxis.set_major_formatter(
            lambda value, _: str(drawn[round(value)].number) if 0 <= round(value) < len(drawn) else ""
        )
        panels[-1].set_xlabel("number of the cycle")

    says = (
        "One bar a cycle, from cut to decision; none should stand out by more than three times the others, and a "
        "bounded model keeps them level."
    )
    if len(spent) > len(drawn):
        says += f" Drawn are the newest {len(drawn)} of {len(spent):,}."
    if with_joules and by:
        says += f" Joules by {by}." if by == "rapl" else f" Joules are an estimate: {by}."
    return Plate(
        slug="cost",
        title=_TITLE,
        says=says,
        svg=svg_of("cost", _TITLE, draw, heights=(2.3, 1.2) if with_joules else (2.6,)),
        columns=("cycle", "at", "made by", "model", "lists held", *phases, "all", "joules"),
        rows=[
            [
                count(each.number),
                moment(each.at_ms),
                each.strategy or each.outcome.replace("_", " "),
                short(each.model),
                count(each.slates),
                *(duration(each.seconds.get(phase, 0.0)) for phase in phases),
                duration(sum(each.seconds.values())),
                joules(each.joules),
            ]
            for each in reversed(drawn)
        ],
    )
