"""Predict, then learn, in the order of arrival: keeps each slate's orders, and judges them by the clicks that follow.

Three orders of the same items: the ranker's, as it was shown, and by the items' click rate so far. None of them knows
anything of the file after the slate. Clicks are looked at only when all is over (or, for the live figure, later).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_features.view import View
from eddyline_learning.metrics import Estimate, mean_of, ndcg

RANKER, SHOWN, ITEM_RATE = "ranker", "shown_order", "item_rate"
ORDERS = (RANKER, SHOWN, ITEM_RATE)
_STRENGTH = 10.0
"""So many impressions at the overall rate are added to an item's."""


@dataclass(slots=True)
class _Shown:
    items: list[str]
    scores: dict[str, list[float]]
    """By order: a score for each item, higher is earlier."""
    labels: dict[str, float] = field(default_factory=dict)


class Prequential:
    """Judges orders of slates by the interactions that name them, or that follow from the same person.

    Parameters
    ----------
    view
        Says which actions count and what they are worth.
    k
        Places that count in NDCG@k.
    """

    def __init__(self, view: View, k: int = 10) -> None:
        self._gains = {name: max(0.0, action.gain) for name, action in view.actions.items()}
        self._k = k
        self._slates: list[_Shown] = []
        self._by_id: dict[str, _Shown] = {}
        self._newest: dict[tuple[str, str], _Shown] = {}
        self._clicks: Counter[str] = Counter()
        self._impressions: Counter[str] = Counter()
        self._acted: set[tuple[int, str]] = set()

    @property
    def n_slates(self) -> int:
        """Slates so far."""
        return len(self._slates)

    def slate(self, slate: SlateServed, ranked: Sequence[str]) -> None:
        """A slate was shown; ``ranked`` are its items in the ranker's order."""
        items = [shown.item for shown in slate.items]
        places = {item: -place for place, item in reversed(list(enumerate(ranked)))}
        scores = {
            RANKER: [float(places.get(item, -len(ranked))) for item in items],
            SHOWN: [float(-place) for place in range(len(items))],
            ITEM_RATE: self._rates(items),
        }
        shown = _Shown(items, scores)
        self._slates.append(shown)
        self._impressions.update(items)
        if slate.id is not None:
            self._by_id[slate.id] = shown
        for person in _people(slate):
            self._newest.update(((person, item), shown) for item in items)

    def interaction(self, event: InteractionRecorded) -> None:
        """Somebody acted on an item."""
        gain = self._gains.get(event.action, 0.0)
        shown = self._by_id.get(event.slate) if event.slate is not None else self._unnamed(event)
        if gain <= 0.0 or shown is None or event.item not in shown.items:
            return
        shown.labels[event.item] = max(gain, shown.labels.get(event.item, 0.0))
        if (id(shown), event.item) not in self._acted:
            self._acted.add((id(shown), event.item))
            self._clicks[event.item] += 1

    def last_fifth(self) -> Mapping[str, Estimate]:
        """NDCG@k of each order over the last fifth of the slates that have a click."""
        clicked = [slate for slate in self._slates if slate.labels]
        return self._judge(clicked[len(clicked) - len(clicked) // 5 :])

    def lately(self, n: int = 500, settled: int = 100) -> Mapping[str, Estimate]:
        """The same over ``n`` slates, without the newest ``settled``: their clicks may be still to come."""
        end = max(0, len(self._slates) - settled)
        return self._judge([slate for slate in self._slates[max(0, end - n) : end] if slate.labels])

    def _judge(self, slates: Sequence[_Shown]) -> Mapping[str, Estimate]:
        sizes = np.array([len(slate.items) for slate in slates], np.int32)
        labels = np.array(
            [slate.labels.get(item, 0.0) for slate in slates for item in slate.items], np.float32
        )
        return {
            order: mean_of(
                ndcg(np.array([s for slate in slates for s in slate.scores[order]]), labels, sizes, self._k)
            )
            for order in ORDERS
        }

    def _rates(self, items: Sequence[str]) -> list[float]:
        overall = self._clicks.total() / max(1, self._impressions.total())
        return [
            (self._clicks[item] + _STRENGTH * overall) / (self._impressions[item] + _STRENGTH)
            for item in items
        ]

    def _unnamed(self, event: InteractionRecorded) -> _Shown | None:
        found = (self._newest.get((person, event.item)) for person in _people(event))
        return next((shown for shown in found if shown is not None), None)


def _people(event: SlateServed | InteractionRecorded) -> list[str]:
    return [who for who in (event.user, event.session) if who is not None]
