"""What each model's lists earned: click rate and value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.figures.whiskers import draw_whiskers
from eddyline_cli.reporting.looks import GOOD, MUTED, SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.rates import mean_over_people, share_bounds
from eddyline_cli.reporting.slates import Shown
from eddyline_cli.reporting.told import VersionTold
from eddyline_cli.reporting.wording import count, cut, moment, percent, share_tick, short
from eddyline_cli.reporting.wording import figure as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "Click rate and value by model version"
_MOST = 16


def by_version(shown: Sequence[Shown], versions: Sequence[VersionTold]) -> Plate:
    """The newest versions that ordered lists, the oldest of them at the top; before them, what ordered without one."""
    ripe = [each for each in shown if each.ripe] or list(shown)
    if not ripe:
        return Plate(slug="versions", title=_TITLE, missing="No list was shown in this time.")
    known = {each.model: each for each in versions}
    lists: dict[str, list[Shown]] = {}
    for each in ripe:
        lists.setdefault(each.model or f"no model ({cut(each.policy)})", []).append(each)
    # In the order in which they first ordered a list.
    names = list(lists)
    left_out = max(0, len(names) - _MOST)
    # The first stays: who is compared with it sees the whole way.
    names = names[:2] + names[len(names) - _MOST + 2 :] if left_out else names
    clicks = {name: mean_over_people((s.person, float(s.clicked)) for s in lists[name]) for name in names}
    values = {name: mean_over_people((s.person, s.value) for s in lists[name]) for name in names}
    colours = [
        MUTED if name.startswith("no model") else GOOD if _role(known, name) == "champion" else SERIES[0]
        for name in names
    ]

    def draw(figure: Figure, panels: list[Axes]) -> None:
        left, right = panels
        words = [short(name) for name in names]
        draw_whiskers(
            left,
            words,
            [clicks[name].mean for name in names],
            [share_bounds(clicks[name]) for name in names],
            colours=colours,
            title="click rate",
            spell=share_tick,
        )
        draw_whiskers(
            right,
            words,
            [values[name].mean for name in names],
            [values[name].bounds for name in names],
            colours=colours,
            title="value per list",
            spell=lambda value: f"{value:g}",
        )
        right.set_yticklabels([])

    says = (
        "Each model's lists with 95 % intervals, from the first model down to the newest, the one in service in green; "
        "models served at different times, so a shift in between moves them all."
    )
    if left_out:
        says += f" {left_out} in between are left out."
    return Plate(
        slug="versions",
        title=_TITLE,
        says=says,
        svg=svg_of("versions", _TITLE, draw, heights=(0.9 + 0.22 * len(names),), columns=(1.0, 1.0)),
        columns=("model", "role", "made by", "promoted", "lists", "click rate", "±", "value per list", "±"),
        rows=[
            [
                short(name),
                _role(known, name),
                (known[name].strategy or "–") if name in known else "–",
                moment(known[name].promoted_at) if name in known else "–",
                count(clicks[name].n),
                percent(clicks[name].mean),
                percent(clicks[name].se),
                number(values[name].mean, 3),
                number(values[name].se, 3),
            ]
            for name in names
        ],
    )


def _role(known: dict[str, VersionTold], name: str) -> str:
    return known[name].role if name in known else "–"
