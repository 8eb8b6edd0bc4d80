"""What a rating would be by simple means that follow every rating: the baselines of protocol ``predict``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import InteractionRecorded
from eddyline_contracts.record import Logged
from eddyline_features.view import Action
from eddyline_learning.biased_factors import BiasedFactors, Recipe, best_recipe
from eddyline_learning.fold import Fold
from eddyline_learning.fold_behind import FoldBehind
from eddyline_learning.labels import rating_ranges
from eddyline_learning.metrics import Floats

MEAN, ITEM_MEAN, USER_ITEM_MEANS, BIASES, DAILY_SVD = (
    "mean", "item_mean", "user_item_means", "biases", "daily_svd",
)  # fmt: skip
_STRENGTH = 5.0
"""So many ratings at the mean are added to each."""
_DAY_MS = 86_400_000


class RunningValues:
    """Everything is a function of the ratings so far, and of the first day that is asked about.

    - ``mean``: of all ratings; ``item_mean``: of the item's, five at the mean added.
    - ``user_item_means``: the person's mean (likewise) + the item's - that of all.
    - ``biases``: each rating moves b_u and b_i by what they left unexplained, over their ratings + 5.
    - ``daily_svd``: `BiasedFactors`, trained anew at the beginning of each UTC day that has something to foretell, on
      all ratings of the days before; its recipe is the best on the ratings before the first such day.
    """

    def __init__(self, actions: Mapping[str, Action], seed: int) -> None:
        self._ranges = rating_ranges(actions)
        self._seed = seed
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._by_user: list[list[float]] = []
        self._by_item: list[list[float]] = []
        """Of each row: sum of values, number of them, bias."""
        self._total, self._n = 0.0, 0
        self._rated = _Rated()
        self._svd: BiasedFactors | None = None
        self._svd_day = -1
        self.recipe: Recipe | None = None
        """Of the factorisation, once it is chosen."""
        self.n_trained = 0
        """How often it was trained."""

    def add(self, events: Sequence[Logged]) -> None:
        """Learn from the next events of the log."""
        for logged in events:
            event = logged.event
            if isinstance(event, InteractionRecorded) and event.action in self._ranges:
                who = event.user if event.user is not None else event.session
                if who is not None and event.value == event.value:
                    least, most = self._ranges[event.action]
                    self._rate(who, event.item, min(max(event.value, least), most), logged.occurred_at)

    def of(self, who: str | None, items: Sequence[str], at: int) -> dict[str, Floats]:
        """By name, what each item would get from a person at a time (ms), shape (N,)."""
        if at // _DAY_MS > self._svd_day:
            self._train(at // _DAY_MS)
        mean = self._total / max(1, self._n)
        user = self._users.get(who, -1) if who is not None else -1
        of_user, n_user, user_bias = self._by_user[user] if user >= 0 else (0.0, 0.0, 0.0)
        found: dict[str, list[float]] = {
            name: [] for name in (MEAN, ITEM_MEAN, USER_ITEM_MEANS, BIASES, DAILY_SVD)
        }
        user_mean = (of_user + _STRENGTH * mean) / (n_user + _STRENGTH)
        for item in items:
            row = self._items.get(item, -1)
            of_item, n_item, item_bias = self._by_item[row] if row >= 0 else (0.0, 0.0, 0.0)
            item_mean = (of_item + _STRENGTH * mean) / (n_item + _STRENGTH)
            found[MEAN].append(mean)
            found[ITEM_MEAN].append(item_mean)
            found[USER_ITEM_MEANS].append(user_mean + item_mean - mean)
            found[BIASES].append(mean + user_bias + item_bias)
            found[DAILY_SVD].append(mean if self._svd is None else self._svd.foretell(user, row))
        return {name: np.array(values, np.float64) for name, values in found.items()}

    def _rate(self, who: str, item: str, value: float, at: int) -> None:
        user, row = (
            self._users.setdefault(who, len(self._users)),
            self._items.setdefault(item, len(self._items)),
        )
        for known, place in ((self._by_user, user), (self._by_item, row)):
            if place == len(known):
                known.append([0.0, 0.0, 0.0])
        self._total += value
        self._n += 1
        mine, its = self._by_user[user], self._by_item[row]
        left = value - self._total / self._n - mine[2] - its[2]
        for known_of in (mine, its):
            known_of[0] += value
            known_of[1] += 1.0
            known_of[2] += left / (known_of[1] + _STRENGTH)
        self._rated.append(user, row, value, at // _DAY_MS)

    def _train(self, day: int) -> None:
        self._svd_day = day
        users, items, values = self._rated.before(day)
        if not len(values):
            return
        n_users, n_items = len(self._users), len(self._items)
        if self.recipe is None:
            self.recipe = best_recipe(users, items, values, n_users, n_items, self._seed)
        self._svd = BiasedFactors(users, items, values, n_users, n_items, self.recipe, self._seed)
        self.n_trained += 1


class _Rated:
    """Columns that grow."""

    def __init__(self) -> None:
        self._n = 0
        self._places: NDArray[np.int32] = np.empty((3, 1_024), np.int32)
        """Rows of users and items, days."""
        self._values: Floats = np.empty(1_024)

    def append(self, user: int, item: int, value: float, day: int) -> None:
        """One more rating."""
        if self._n == len(self._values):
            self._places = np.concatenate([self._places, np.empty_like(self._places)], axis=1)
            self._values = np.concatenate([self._values, np.empty_like(self._values)])
        self._places[:, self._n] = (user, item, day)
        self._values[self._n] = value
        self._n += 1

    def before(self, day: int) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
        """Users, items and values of the ratings of earlier days."""
        users, items, days = self._places[:, : self._n]
        earlier = days < day
        return users[earlier], items[earlier], self._values[: self._n][earlier]


class FoldWithValues(FoldBehind):
    """A fold with running values that move along with it, so that both are of the same place in the log."""

    def __init__(self, fold: Fold, values: RunningValues) -> None:
        super().__init__(fold)
        self.values = values

    def apply_all(self, events: Sequence[Logged]) -> None:
        """Move both forward."""
        self.values.add(events)
        super().apply_all(events)
