"""A simulation: what those who click would be expected to click on, by who ordered their lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import DASHES, INK, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.times import day, draw_marks, legend_above, time_axis
from eddyline_cli.reporting.told import CycleTold, Mark
from eddyline_cli.reporting.wording import count, duration, percent, plural, share_tick
from eddyline_cli.reporting.wording import figure as number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from eddyline_cli.simulating.summary import SimulationSummary
    from eddyline_cli.simulating.timeline import Moment

_TITLE = "What the made-up people were offered"
_BACK = 0.95
"""Of the NDCG before the turn: then it is learnt."""
_TURN = ": where tastes turn all fall; what goes on learning comes back, and the frozen first model does not."
_CHOSEN = (
    " The best and the random order are of twenty items that chance has drawn, as are the lists that are only ordered; "
    "what is chosen from all items has better ones to choose from, so it rises above, and falls lower where "
    "it knows yesterday's taste only."
)
_LINES: tuple[tuple[str, Callable[[Moment], float | None]], ...] = (
    ("as served", lambda moment: moment.expected),
    ("first model, frozen", lambda moment: moment.frozen_expected),
    ("best order", lambda moment: moment.best_order),
    ("random order", lambda moment: moment.random_order),
    ("chosen from all items", lambda moment: moment.chosen_expected),
)


def _ndcg(moment: Moment) -> float | None:
    return moment.ndcg


def _frozen_ndcg(moment: Moment) -> float | None:
    return moment.frozen_ndcg


def shift_of(told: SimulationSummary) -> list[Mark]:
    """Where tastes turned, if they did."""
    if told.shift_at_s is None:
        return []
    return [Mark(at_ms=told.began_at + round(told.shift_at_s * 1_000), kind="shift", label="tastes turn")]


def back_after(told: SimulationSummary, of: Callable[[Moment], float | None]) -> float | None:
    """Seconds from the turn of tastes to the end of the first step whose NDCG is 95 % of that before it; None: never.

    Before is the second half of the time until the turn, as served: what is to be learnt is learnt by then.
    """
    shift = told.shift_at_s
    if shift is None:
        return None
    before = [
        each.ndcg
        for each in told.timeline
        if each.ndcg is not None and shift / 2 <= each.at_s and each.until_s <= shift
    ]
    if not before:
        return None
    goal = _BACK * sum(before) / len(before)
    for each in told.timeline:
        value = of(each)
        if each.at_s >= shift and value is not None and value >= goal:
            return each.until_s - shift
    return None


def expected_clicks(told: SimulationSummary, marks: Sequence[Mark], cycles: Sequence[CycleTold]) -> Plate:
    """NDCG and chance of a click over time, without luck, since the simulation knows them."""
    moments = told.timeline
    lines = [
        (style, name, of)
        for style, (name, of) in enumerate(_LINES)
        if any(of(each) is not None for each in moments)
    ]
    if not lines:
        return Plate(slug="simulation", title=_TITLE, missing="Nobody came: let people come for longer.")
    first = told.began_at + moments[0].at_s * 1_000
    last = told.began_at + moments[-1].until_s * 1_000

    def draw(figure: Figure, panels: list[Axes]) -> None:
        top, panel = panels
        at = [day(told.began_at + (each.at_s + each.until_s) * 500) for each in moments]
        for index, name, of in lines:
            values = [float("nan") if (value := of(each)) is None else value for each in moments]
            width = 2.2 if index == 0 else 1.4
            panel.plot(at, values, color=SERIES[index], linestyle=DASHES[index], linewidth=width, label=name)
        for index, of in enumerate((_ndcg, _frozen_ndcg)):
            if not any(of(each) is not None for each in moments):
                continue
            values = [float("nan") if (value := of(each)) is None else value for each in moments]
            width = 2.2 if index == 0 else 1.4
            label = _LINES[index][0]
            top.plot(at, values, color=SERIES[index], linestyle=DASHES[index], linewidth=width, label=label)
        draw_marks(top, marks, first, last)
        top.set_ylabel("NDCG@10")
        legend_above(top)
        for mark in marks:
            if first <= mark.at_ms <= last and mark.kind == "shift":
                panel.axvline(day(mark.at_ms), color=INK, linewidth=1.4)
        time_axis(panel, first, last)
        panel.set_ylabel("chance of a click")
        panel.set_ylim(bottom=0)
        panel.yaxis.set_major_formatter(lambda value, _: share_tick(value))
        legend_above(panel)

    return Plate(
        slug="simulation",
        title=_TITLE,
        says="How good the lists were by what their readers want, as only a simulation knows it"
        + ("." if told.shift_at_s is None else _TURN)
        + _told_back(told, cycles)
        + (_CHOSEN if any(each.chosen_lists for each in moments) else ""),
        svg=svg_of("simulation", _TITLE, draw, heights=(2.9, 2.6)),
        columns=(
            "from second",
            "lists",
            "NDCG@10",
            "frozen",
            *(name for _, name, _ in lines),
            "clicked",
            "frozen: lists",
            "clicked",
        ),
        rows=[
            [
                f"{each.at_s:.1f}",
                count(each.lists),
                number(each.ndcg),
                number(each.frozen_ndcg),
                *(percent(of(each)) for _, _, of in lines),
                percent(each.click_rate),
                count(each.frozen_lists),
                percent(each.frozen),
            ]
            for each in moments
        ],
    )


def _told_back(told: SimulationSummary, cycles: Sequence[CycleTold]) -> str:
    if told.shift_at_s is None:
        return ""
    turned = told.began_at + told.shift_at_s * 1_000
    words = []
    for name, of in (("What is served", _ndcg), ("the frozen model", _frozen_ndcg)):
        after = back_after(told, of)
        if after is None:
            words.append(f"{name} was not back at 95 % of the NDCG before until the end")
        else:
            n = sum(turned <= each.at_ms <= turned + after * 1_000 for each in cycles)
            words.append(
                f"{name} was back at 95 % of the NDCG before {duration(after)} later, after {plural(n, 'cycle')}"
            )
    return f" {'; '.join(words)}."
