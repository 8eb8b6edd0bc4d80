"""What came of the lists that were shown: click rates by time and by who ordered them, with standard errors. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import Struct


class Shown(Struct, frozen=True):
    """One list that somebody saw."""

    at: float
    """Seconds since the start."""
    user: int
    frozen: bool
    """Ordered by the first model, which is kept; otherwise by whatever serves."""
    clicked: bool
    oracle: float
    """Probability that it is clicked at all in the best order that there is."""
    random: float
    """The same in the order in which the candidates came."""
    expected: float | None = None
    """The same in the order in which it was shown."""
    ndcg: float | None = None
    """NDCG@10 of that order, by what this person wants."""


class ClickRate(Struct, frozen=True):
    """Share of lists that got a click."""

    mean: float | None
    se: float | None
    """Standard error, of people drawn as wholes: one's lists are alike."""
    lists: int


def click_rate(shown: Iterable[Shown]) -> ClickRate:
    """Of these lists; None where there are too few."""
    by_user: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for one in shown:
        counts = by_user[one.user]
        counts[0] += one.clicked
        counts[1] += 1
    n = sum(lists for _, lists in by_user.values())
    if n == 0:
        return ClickRate(None, None, 0)
    mean = sum(clicks for clicks, _ in by_user.values()) / n
    if len(by_user) < 2:
        return ClickRate(mean, None, n)
    squares = sum((clicks - mean * lists) ** 2 for clicks, lists in by_user.values())
    return ClickRate(mean, math.sqrt(squares * len(by_user) / (len(by_user) - 1)) / n, n)


def ratio(of: ClickRate, to: ClickRate) -> tuple[float, float] | None:
    """One rate in units of another, and its standard error; None where either is unknown."""
    if not to.mean or of.mean is None or of.se is None or to.se is None:
        return None
    share = of.mean / to.mean
    return share, math.hypot(of.se, share * to.se) / to.mean


@dataclass
class Outcomes:
    """All lists so far, in the order in which they were shown."""

    shown: list[Shown] = field(default_factory=list)
    """Orders of what chance had put before people."""
    recommended: list[Shown] = field(default_factory=list)
    """Choices from the whole catalogue: `oracle` and `random` are of that."""

    def between(self, first: float, last: float, *, frozen: bool) -> list[Shown]:
        """Those of the seconds [first, last)."""
        return [one for one in self.shown if first <= one.at < last and one.frozen is frozen]

    def curve(self, until: float, step: float, *, frozen: bool) -> list[float | None]:
        """Click rate of each ``step`` seconds up to ``until``; the last may be begun only."""
        return curve_of((one for one in self.shown if one.frozen is frozen), until, step)


def curve_of(shown: Iterable[Shown], until: float, step: float) -> list[float | None]:
    """Click rate of each ``step`` seconds up to ``until``; None for fewer than five lists."""
    n_steps = max(1, math.ceil(until / step))
    clicks, lists = [0] * n_steps, [0] * n_steps
    for one in shown:
        if one.at < until:
            index = int(one.at / step)
            clicks[index] += one.clicked
            lists[index] += 1
    return [c / n if n >= 5 else None for c, n in zip(clicks, lists, strict=True)]
