"""What became of the lists that people were shown, by the trainer's own join of interactions to slates.

The join is asked about every list, also those that train nothing (made without features, or late): for it they are
told anew as lists that our ranker made just now. Memory is bounded; lists that find no room are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import ItemUpserted, SlateItem, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.view import View
from eddyline_learning.joining import Joiner, JoinLimits
from eddyline_learning.labels import RANK, Labelling
from eddyline_learning.pending import PendingSlate

_SETTLE_EVERY = 2_000
_LIMITS = JoinLimits(pending_impressions=3_000_000, held_impressions=3_000_000, compared_impressions=0)
_NOTHING: dict[int, float] = {}
CLIENT = "client"
"""Stands for the policy of a list that the client made."""
NOT_TOLD = 255
"""In `Shown.sources`: of this item nobody said where it was found, or by one name too many."""


@dataclass(slots=True)
class Shown:
    """One list that somebody was shown."""

    recorded_at: int
    """When the log got it, in ms since the Unix epoch."""
    model: str | None
    policy: str
    """How its order came about, as the ranker calls it, or `CLIENT`."""
    person: str
    items: NDArray[np.int32]
    """shape (K,). Numbers of the items, in the order shown."""
    labels: dict[int, float]
    """By position; absent means that nobody acted on it."""
    scores: NDArray[np.float32] | None
    """shape (K,), NaN where none was told; only where a model ordered it."""
    sources: bytes | None = None
    """By position, which of `SlateReader.sources` found the item, or `NOT_TOLD`; None where that is so of all."""
    ripe: bool = True
    """Its interactions are complete."""

    @property
    def clicked(self) -> bool:
        """Somebody acted on one of its items."""
        return any(value > 0 for value in self.labels.values())

    @property
    def value(self) -> float:
        """What it earned: the gains of its items, added up."""
        return sum(self.labels.values())


class SlateReader:
    """Reads the log in order; `finish` gives the lists.

    Attributes
    ----------
    items
        Number of each item that is known or was shown, by its id.
    removed
        Items that are out of the catalogue now.
    sources
        Names of the sources of retrieval that found items of the lists.
    left_out
        Lists that are not among those found, by the reason.
    """

    def __init__(self, view: View) -> None:
        self.items: dict[str, int] = {}
        self.removed: set[str] = set()
        self.sources: list[str] = []
        self.n_events = 0
        self._objective = view.learning.objective
        self._joiner = Joiner(
            Labelling(self._objective, view.actions),
            view.label_window_ms,
            _LIMITS,
            take_barren=lambda _: True,
        )
        self._waiting: list[PendingSlate] = []
        self._told: dict[str, tuple[Logged, SlateServed]] = {}
        self._found: list[Shown] = []
        self._names: dict[str, str] = {}
        self._n_unsettled = 0
        self._window_ms = view.label_window_ms

    @property
    def left_out(self) -> dict[str, int]:
        """Why lists are not among those found."""
        ours = ("used", "nothing_to_learn")
        return {why: n for why, n in self._joiner.slates.items() if why not in ours and n}

    def know(self, event: ItemUpserted) -> None:
        """An item of the catalogue."""
        self._number(event.item)
        if event.removed:
            self.removed.add(event.item)
        else:
            self.removed.discard(event.item)

    def read(self, events: Sequence[Logged]) -> None:
        """Go on with the next events of the log."""
        for logged in events:
            event = logged.event
            if isinstance(event, ItemUpserted):
                self.know(event)
            elif isinstance(event, SlateServed):
                self._told[logged.id] = logged, event
                logged = msgspec.structs.replace(logged, event=self._as_ours(event))
            self._joiner.apply(logged)
        self.n_events += len(events)
        self._n_unsettled += len(events)
        if self._n_unsettled >= _SETTLE_EVERY:
            self._settle(self._joiner.mark.clock)

    def finish(self) -> list[Shown]:
        """All lists, in the order of the log; those that are not ripe yet are marked so."""
        clock = self._joiner.mark.clock
        self._joiner.finish()
        self._settle(clock)
        self._found.sort(key=lambda shown: shown.recorded_at)
        return self._found

    def _as_ours(self, event: SlateServed) -> SlateServed:
        return msgspec.structs.replace(
            event,
            items=[SlateItem(item=shown.item) for shown in event.items],
            context={},
            candidates=None,
            served_vectors=None,
            # The earliest place that the join takes: clicks that overtook their list are joined as well.
            features_sequence=self._joiner.mark.sequence,
            policy=event.policy or CLIENT,
        )

    def _settle(self, clock: int) -> None:
        """Let go of all but the essence of lists whose labels are final."""
        joiner = self._joiner
        self._waiting += joiner.due
        joiner.due.clear()
        joiner.complete.clear()
        still = []
        for slate in self._waiting:
            if slate.sealed:
                self._found.append(self._shown(slate, ripe=slate.occurred_at + self._window_ms <= clock))
            else:
                still.append(slate)
        self._waiting = still
        self._n_unsettled = 0

    def _shown(self, slate: PendingSlate, *, ripe: bool) -> Shown:
        logged, event = self._told.pop(slate.id)
        scores = None
        if event.model is not None and self._objective != RANK:
            told = [np.nan if each.score is None else each.score for each in event.items]
            scores = np.array(told, np.float32)
        return Shown(
            recorded_at=logged.recorded_at,
            model=None if event.model is None else self._same(event.model),
            policy=self._same(event.policy or CLIENT),
            person=self._same(event.user or event.session or slate.id),
            items=np.array([self._number(each.item) for each in event.items], np.int32),
            labels={slate.places[item]: label for item, label in slate.labels.items()} or _NOTHING,
            scores=scores,
            sources=self._sources_of(event),
            ripe=ripe,
        )

    def _sources_of(self, event: SlateServed) -> bytes | None:
        """A byte each, since there are many."""
        if not any(each.source for each in event.items):
            return None
        for each in event.items:
            if each.source and each.source not in self.sources and len(self.sources) < NOT_TOLD:
                self.sources.append(each.source)
        number = {name: at for at, name in enumerate(self.sources)}
        return bytes(number.get(each.source or "", NOT_TOLD) for each in event.items)

    def _same(self, name: str) -> str:
        """The one copy of a name that is kept of thousands."""
        return self._names.setdefault(name, name)

    def _number(self, item: str) -> int:
        return self.items.setdefault(item, len(self.items))


def labels_of(shown: Shown) -> NDArray[np.float32]:
    """Labels of all its items, shape (K,), in the order shown; 0 where nobody acted."""
    labels = np.zeros(len(shown.items), np.float32)
    for position, label in shown.labels.items():
        labels[position] = label
    return labels
