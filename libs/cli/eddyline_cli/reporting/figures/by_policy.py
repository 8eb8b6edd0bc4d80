"""Click rate by how the order came about: the randomised share stands beside what is served to all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.figures.whiskers import draw_whiskers
from eddyline_cli.reporting.looks import SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.rates import mean_over_people, share_bounds
from eddyline_cli.reporting.slates import Shown
from eddyline_cli.reporting.wording import count, cut, percent, share_tick
from eddyline_contracts.events import SHUFFLED
from eddyline_features.exploration_settings import EPSILON, PLACKETT_LUCE, THOMPSON

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "Click rate by how the order came about"
_MOST = 12
_CHOSEN = ", of all items"
_APART = (
    " Lists that /v1/recommend chose of all items stand apart: compare them with each other, and those that clients "
    "brought with each other."
)
_MEANING = {
    "greedy": "by the model's scores",
    SHUFFLED: "first places drawn by chance",
    EPSILON: "by scores, now and then any item",
    THOMPSON: "by scores that vary with what is unknown",
    PLACKETT_LUCE: "any order, likelier by higher scores",
    "live-priors": "no model: by what is known live",
    "bundle-priors": "no features: by item priors",
    "request-order": "neither: as requested",
    "client": "made by the client",
}


def by_policy(shown: Sequence[Shown]) -> Plate:
    """One row for each policy that the lists name."""
    ripe = [each for each in shown if each.ripe] or list(shown)
    if not ripe:
        return Plate(slug="policies", title=_TITLE, missing="No list was shown in this time.")
    lists: dict[tuple[str, bool], list[Shown]] = {}
    for each in ripe:
        lists.setdefault((each.policy, each.sources is not None), []).append(each)
    mixed = len({chosen for _, chosen in lists}) > 1
    # A client may write anything there.
    names = sorted(lists, key=lambda name: (-len(lists[name]), name))[:_MOST]
    rarer = f" {len(lists) - _MOST:,} rarer ones are left out." if len(lists) > _MOST else ""
    rates = [mean_over_people((s.person, float(s.clicked)) for s in lists[name]) for name in names]

    def draw(figure: Figure, panels: list[Axes]) -> None:
        draw_whiskers(
            panels[0],
            [
                cut(_MEANING.get(policy, policy)) + (_CHOSEN if mixed and chosen else "")
                for policy, chosen in names
            ],
            [rate.mean for rate in rates],
            [share_bounds(rate) for rate in rates],
            colours=[SERIES[0]] * len(names),
            title="click rate",
            spell=share_tick,
        )

    return Plate(
        slug="policies",
        title=_TITLE,
        says="What the model orders should lie to the right of the rest; its distance to the share whose first places "
        "chance draws, where there is one, is what the order of these places is worth."
        + (_APART if mixed else "")
        + rarer,
        svg=svg_of("policies", _TITLE, draw, heights=(0.9 + 0.3 * len(names),)),
        columns=("policy", "meaning", "chosen from all", "lists", "click rate", "±"),
        rows=[
            [
                cut(policy),
                _MEANING.get(policy, "–"),
                "yes" if chosen else "no",
                count(rate.n),
                percent(rate.mean),
                percent(rate.se),
            ]
            for (policy, chosen), rate in zip(names, rates, strict=True)
        ],
    )
