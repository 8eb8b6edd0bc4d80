"""What the models look at, and how that changed from version to version."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.looks import SERIES, SOFT
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.told import VersionTold
from eddyline_cli.reporting.wording import cut, moment, percent, share_tick, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "What the models look at, and its drift"
_COLUMNS, _VERSIONS = 15, 12


def importance_and_drift(versions: Sequence[VersionTold]) -> Plate:
    """The newest served model's columns, and a map of the versions before it.

    The versions come in the order in which they served.
    """
    told = [each for each in versions if each.importance][-_VERSIONS:]
    if not told:
        return Plate(
            slug="importance",
            title=_TITLE,
            missing="No model with trees has served yet; a model that was added as an ONNX file tells no importance.",
        )
    newest = told[-1].importance
    # Those of the newest first; then what was important before and is no more.
    ever = {
        name: max(each.importance.get(name, 0.0) for each in told)
        for each in told
        for name in each.importance
    }
    names = sorted(ever, key=lambda name: (-max(newest.get(name, 0.0), 0.5 * ever[name]), name))[:_COLUMNS]
    moved = [_moved(before.importance, after.importance) for before, after in pairwise(told)]

    def draw(figure: Figure, panels: list[Axes]) -> None:
        bars, grid = panels
        places = range(len(names))
        bars.barh(places, [newest.get(name, 0.0) for name in names], 0.7, color=SERIES[0])
        bars.set_yticks(places, [cut(name) for name in names])
        bars.set_ylim(len(names) - 0.5, -0.5)
        bars.xaxis.set_major_formatter(lambda value, _: share_tick(value))
        bars.grid(visible=False, axis="y")
        bars.set_title(f"share of the gain, {short(told[-1].model)}")
        _map(grid, told, names, max(ever.values()))

    says = (
        "Left, the columns that the newest model gains most from; right, the same for the models before it, darker "
        "for more: a row that darkens or fades says that people's behaviour, or a feature, has changed."
    )
    if moved:
        says += f" To the last version, {percent(moved[-1], 0)} of the gain moved to other columns."
    return Plate(
        slug="importance",
        title=_TITLE,
        says=says,
        svg=svg_of(
            "importance",
            _TITLE,
            draw,
            heights=(1.2 + 0.23 * len(names),),
            columns=(1.0, 0.15 + 0.075 * max(4, len(told))),
        ),
        columns=("column", *(short(each.model) for each in told)),
        rows=[
            ["served from", *(moment(each.promoted_at) for each in told)],
            ["moved since the one before", "–", *(percent(each) for each in moved)],
            *([name, *(percent(each.importance.get(name, 0.0)) for each in told)] for name in names),
        ],
    )


def _map(panel: Axes, told: Sequence[VersionTold], names: Sequence[str], most: float) -> None:
    from matplotlib.patches import Rectangle

    for column, each in enumerate(told):
        for row, name in enumerate(names):
            share = each.importance.get(name, 0.0)
            if share > 0.0:
                # The root: a share of a hundredth can still be seen beside one of a half.
                cell = Rectangle(
                    (column - 0.46, row - 0.44),
                    0.92,
                    0.88,
                    color=SERIES[0],
                    alpha=(share / most) ** 0.5,
                    linewidth=0,
                )
                panel.add_patch(cell)
    panel.set_xlim(-0.5, len(told) - 0.5)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.set_yticks(range(len(names)), [""] * len(names))
    panel.set_xticks(range(len(told)), [short(each.model)[:6] for each in told], rotation=60, fontsize=8)
    panel.grid(visible=False)
    panel.tick_params(length=0, labelcolor=SOFT)
    panel.set_title("by version, the newest on the right")


def _moved(before: dict[str, float], after: dict[str, float]) -> float:
    """Share of the gain that lies on other columns: the total variation distance."""
    return 0.5 * sum(
        abs(after.get(name, 0.0) - before.get(name, 0.0)) for name in before.keys() | after.keys()
    )
