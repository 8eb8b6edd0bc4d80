"""How near to the truth values are foretold, rating by rating, beside simple means: protocol ``predict``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eddyline_features.view import View
from eddyline_learning.judging import Models
from eddyline_learning.labels import Labelling, rating_ranges
from eddyline_learning.metrics import Estimate, Floats, spread
from eddyline_learning.pending import PendingSlate
from eddyline_learning.running_values import (
    BIASES,
    DAILY_SVD,
    ITEM_MEAN,
    MEAN,
    USER_ITEM_MEANS,
    RunningValues,
)
from eddyline_learning.scored import CHAMPION, FROZEN
from eddyline_learning.timeline import Stretch

ONLINE = "online"
"""The online model alone, where it learns values."""
MEANS = (USER_ITEM_MEANS, BIASES, DAILY_SVD, ITEM_MEAN, MEAN)
_STRETCHES, _SMALLEST = 40, 25


@dataclass
class ForetoldValues:
    """All ratings that were foretold, in the order of the log of those that were known first."""

    said: dict[str, list[float]] = field(default_factory=dict)
    """By who said it."""
    given: list[float] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    """When, in ms since the Unix epoch."""

    def __len__(self) -> int:
        return len(self.given)

    def measured(self, rows: Sequence[int] | None = None) -> dict[str, dict[str, Estimate]]:
        """``rmse`` and ``mae`` by who said it, of all or of some; their standard errors are those of people drawn as
        wholes, since one person's ratings depend on each other."""
        chosen = np.arange(len(self)) if rows is None else np.asarray(rows, np.int64)
        given = np.array(self.given, np.float64)[chosen]
        _, person = np.unique(np.array(self.people, np.str_)[chosen], return_inverse=True)
        found = {}
        for who, of_who in self.said.items():
            away = np.array(of_who, np.float64)[chosen] - given
            squares = _mean(away * away, person)
            rmse = float(np.sqrt(squares.mean)) if squares.n else squares.mean
            # The slope of the square root carries the error of the mean square over.
            slope = 1.0 / (2.0 * rmse) if rmse > 0.0 else 0.0
            found[who] = {
                "rmse": Estimate(rmse, squares.se * slope, squares.n),
                "mae": _mean(np.abs(away), person),
            }
        return found

    def stretches(self) -> list[Stretch]:
        """The ratings in the order of their times, cut into at most 40 stretches of at least 25."""
        order = np.argsort(np.array(self.at, np.int64), kind="stable")
        n_stretches = min(_STRETCHES, max(1, len(order) // _SMALLEST))
        return [
            Stretch(
                at_ms=self.at[rows[0]],
                until_ms=self.at[rows[-1]],
                n=len(rows),
                measured=self.measured(rows.tolist()),
            )
            for rows in np.array_split(order, n_stretches)
            if len(rows)
        ]


class ValueJudging:
    """As `Judging`: every rating is foretold where its slate was ranked, or just before it where it has none.

    Whoever speaks, what is beyond the scale counts as its end: of the view, or of the ratings so far.

    Parameters
    ----------
    values
        Those of the fold that the vectors come from; they move along with it.
    """

    def __init__(self, view: View, values: RunningValues, *, online_says_values: bool) -> None:
        self._labelling = Labelling(view.learning.objective, view.actions)
        self._values, self._online = values, online_says_values
        ends = list(rating_ranges(view.actions).values())
        self._least, self._most = min(end[0] for end in ends), max(end[1] for end in ends)
        self._waiting: list[tuple[PendingSlate, list[str], dict[str, Floats]]] = []
        names = (CHAMPION, *((ONLINE,) if online_says_values else ()), FROZEN, *MEANS)
        self.foretold = ForetoldValues({name: [] for name in names})
        """Ratings that are final."""

    @property
    def n_scored(self) -> int:
        """As `Judging`."""
        return len(self.foretold) + len(self._waiting)

    def warm(self, slate: PendingSlate) -> None:
        """As `Judging`."""

    def judge(self, slate: PendingSlate, models: Models) -> None:
        """As `Judging`."""
        rows = slate.shown_rows
        assert slate.vectors is not None
        assert slate.priors is not None
        items = [slate.candidates[row] for row in rows]
        who = slate.user if slate.user is not None else slate.session
        said: Mapping[str, Floats] = self._values.of(who, items, slate.occurred_at)
        champion, frozen = models.scores(slate.vectors[rows])
        said = {CHAMPION: champion, FROZEN: frozen, **said}
        if self._online:
            said[ONLINE] = slate.priors[rows].astype(np.float64)
        self._waiting.append((slate, items, {name: self._within(of) for name, of in said.items()}))

    def settle(self) -> None:
        """Take the ratings of slates that are sealed, and let go of the rest of them."""
        still = []
        for slate, items, said in self._waiting:
            if not slate.sealed:
                still.append((slate, items, said))
                continue
            for row, given in enumerate(self._labelling.column(slate, items).tolist()):
                if given == given:
                    self.foretold.given.append(given)
                    self.foretold.people.append(slate.user or slate.session or "")
                    self.foretold.at.append(slate.occurred_at)
                    for name, of_items in said.items():
                        self.foretold.said[name].append(float(of_items[row]))
        self._waiting = still

    def _within(self, values: Floats) -> Floats:
        return np.clip(values, self._least, self._most)


def _mean(values: Floats, person: NDArray[np.signedinteger]) -> Estimate:
    n = len(values)
    if n == 0:
        return Estimate(float("nan"), float("nan"), 0)
    mean = float(values.mean())
    return Estimate(mean, spread(np.bincount(person, values - mean) / n), n)
