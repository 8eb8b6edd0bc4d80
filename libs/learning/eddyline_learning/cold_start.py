"""How good orders are for people and items of whom little is known yet: by how often either was met before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged
from eddyline_learning.metrics import Estimate

USERS, ITEMS = (0, 1, 2, 5), (0, 1, 5)
"""Where bands of people's interactions, and of items' impressions, begin; the last one has no end."""

Counts = NDArray[np.int32]


class Acquaintance:
    """What was met so far in a log; nothing fades.

    Parameters
    ----------
    acts_show
        Whether an interaction with an item is one of its impressions, too: where nobody logged what was shown, it is
        the only sign that it was.
    """

    def __init__(self, *, acts_show: bool = False) -> None:
        self._acts_show = acts_show
        self._acts: dict[str, int] = {}
        self._shown: dict[str, int] = {}

    def add(self, events: Sequence[Logged]) -> None:
        """Count the next events of the log."""
        for logged in events:
            event = logged.event
            if isinstance(event, SlateServed):
                for item in {shown.item for shown in event.items}:
                    self._shown[item] = self._shown.get(item, 0) + 1
            elif isinstance(event, InteractionRecorded):
                person = event.session if event.user is None else event.user
                if person is not None:
                    self._acts[person] = self._acts.get(person, 0) + 1
                if self._acts_show:
                    self._shown[event.item] = self._shown.get(event.item, 0) + 1

    def interactions(self, user: str | None, session: str | None) -> int:
        """Of this person; who has no account is known by the visit."""
        person = session if user is None else user
        return 0 if person is None else self._acts.get(person, 0)

    def impressions(self, items: Sequence[str]) -> Counts:
        """Of each item, shape (N,)."""
        return np.array([self._shown.get(item, 0) for item in items], np.int32)


@dataclass(frozen=True, slots=True)
class Band:
    """Those that were met so often."""

    least: int
    most: int | None
    """None: any number more."""
    n: int
    """Slates, or interactions, in which there is one of them."""
    measured: Mapping[str, Mapping[str, Estimate]]
    """By who ordered, by the metric's name."""

    @property
    def name(self) -> str:
        """For a table."""
        if self.most is None:
            return f"{self.least} or more"
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"

    def as_json(self, champion: str) -> dict[str, Any]:
        """As the answer itself, of this band."""
        told = {who: {m: e.as_json() for m, e in of.items()} for who, of in self.measured.items()}
        return {
            "least": self.least,
            "most": self.most,
            "n": self.n,
            "metrics": told.pop(champion),
            "baselines": told,
        }


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Both tables."""

    users: list[Band]
    """By interactions of the person before."""
    items: list[Band]
    """By impressions of the item that was acted on, before."""

    def as_json(self, champion: str) -> dict[str, Any]:
        """The answer's ``cold_start``."""
        return {
            "users": [band.as_json(champion) for band in self.users],
            "items": [band.as_json(champion) for band in self.items],
        }


def in_bands(
    met: Counts,
    begins: Sequence[int],
    measured: Callable[[NDArray[np.bool_]], tuple[int, Mapping[str, Mapping[str, Estimate]]]],
) -> list[Band]:
    """The bands that begin so.

    Parameters
    ----------
    met
        shape (N,). How often each was met before.
    measured
        Of some of them, shape (N,): how many slates they are in, and every metric.
    """
    found = []
    for least, after in [*pairwise(begins), (begins[-1], None)]:
        most = None if after is None else after - 1
        among = (met >= least) & (True if most is None else met <= most)
        found.append(Band(least, most, *measured(among)))
    return found
