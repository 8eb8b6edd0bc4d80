"""Who gets seen by where it was found, and how often it is acted on: whether a source of retrieval earns its share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eddyline_cli.reporting.drawing import svg_of
from eddyline_cli.reporting.figures.whiskers import draw_whiskers
from eddyline_cli.reporting.looks import SERIES
from eddyline_cli.reporting.plate import Plate
from eddyline_cli.reporting.rates import Rate, mean_of_sums, share_bounds
from eddyline_cli.reporting.slates import NOT_TOLD, Shown, labels_of
from eddyline_cli.reporting.wording import count, cut, percent, share_tick
from eddyline_features.recommend_settings import AFFINITY, BESIDE, CONTENT, FILL, NEW, ONLINE, POPULAR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLE = "Click rate of items by where they were found"
_MOST = 12
_MEANING = {
    BESIDE: "acted on beside the person's own",
    ONLINE: "near the person's taste",
    AFFINITY: "fields that the person likes",
    POPULAR: "popular lately",
    NEW: "new in the catalogue",
    CONTENT: "alike in content",
    FILL: "to fill up",
}


def by_source(shown: Sequence[Shown], names: Sequence[str]) -> Plate | None:
    """One row for each source of retrieval; None where no list tells of any.

    Parameters
    ----------
    names
        As `SlateReader.sources`.
    """
    told = [each for each in shown if each.sources is not None]
    ripe = [each for each in told if each.ripe] or told
    if not ripe:
        return None
    rates = {name: mean_of_sums(_of_one(ripe, at)) for at, name in enumerate(names)}
    total = sum(rate.n for rate in rates.values())
    rates = {name: rate for name, rate in rates.items() if rate.n}
    # A client may write anything there.
    most = sorted(rates, key=lambda name: (-rates[name].n, name))[:_MOST]
    rarer = f" {len(rates) - _MOST:,} rarer ones are left out." if len(rates) > _MOST else ""

    def draw(figure: Figure, panels: list[Axes]) -> None:
        draw_whiskers(
            panels[0],
            [cut(_MEANING.get(name, name)) for name in most],
            [rates[name].mean for name in most],
            [share_bounds(rates[name]) for name in most],
            colours=[SERIES[0]] * len(most),
            title="click rate of an item shown",
            spell=share_tick,
        )

    return Plate(
        slug="sources",
        title=_TITLE,
        says="Of the lists that /v1/recommend chose, the newest ripe ones. A source far to the left takes room that "
        "another would use better, unless it is there to find out (new items); what stands first is clicked more often "
        "whatever it is." + rarer,
        svg=svg_of("sources", _TITLE, draw, heights=(0.9 + 0.3 * len(most),)),
        columns=("source", "meaning", "items shown", "share", "click rate", "±"),
        rows=[[cut(name), _MEANING.get(name, "–"), *_row(rates[name], total)] for name in most],
    )


def _row(rate: Rate, total: int) -> list[str]:
    return [count(rate.n), percent(rate.n / total), percent(rate.mean), percent(rate.se)]


def _of_one(shown: Sequence[Shown], source: int) -> Iterator[tuple[str, float, int]]:
    assert source != NOT_TOLD
    for each in shown:
        here = np.frombuffer(each.sources or b"", np.uint8) == source
        n = int(np.count_nonzero(here))
        if n:
            yield each.person, float(np.count_nonzero(labels_of(each)[here] > 0)), n
