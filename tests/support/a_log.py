"""Logs for tests, an event a line: ``a_log(a_slate("s1", ["a", "b"], at=0), a_click("a", slate="s1", at=5))``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import Event, InteractionRecorded, ItemUpserted, SlateItem, SlateServed
from eddyline_contracts.record import Logged


def an_item(item: str, *, at: int, **fields: Any) -> ItemUpserted:
    """An item appeared or changed."""
    return ItemUpserted(id=f"item-{item}-{at}", occurred_at=at, item=item, fields=fields)


def a_slate(
    slate: str,
    items: Sequence[str],
    *,
    at: int,
    user: str | None = "u",
    session: str | None = None,
    features_sequence: int | None = None,
    ranked_at: int | None = None,
    candidates: Sequence[str] | None = None,
    policy: str | None = None,
    fields: dict[str, dict[str, Any]] | None = None,
    context: dict[str, Any] | None = None,
    view: str | None = None,
    served_vectors: list[bytes] | None = None,
) -> SlateServed:
    """A slate: a client's, or with ``features_sequence`` one of the ranker."""
    if features_sequence is not None:
        policy, ranked_at = policy or "greedy", at if ranked_at is None else ranked_at
    return SlateServed(
        id=slate,
        occurred_at=at,
        user=user,
        session=session,
        items=[SlateItem(item=item, fields=(fields or {}).get(item, {})) for item in items],
        context=context or {},
        features_sequence=features_sequence,
        ranked_at=ranked_at,
        candidates=list(candidates) if candidates is not None else None,
        policy=policy,
        view=view,
        served_vectors=served_vectors,
    )


def a_click(
    item: str,
    *,
    at: int,
    slate: str | None = None,
    user: str | None = "u",
    session: str | None = None,
    action: str = "click",
    value: float = 1.0,
) -> InteractionRecorded:
    """Somebody acted on an item."""
    return InteractionRecorded(
        id=f"click-{item}-{slate}-{at}",
        occurred_at=at,
        user=user,
        session=session,
        item=item,
        slate=slate,
        action=action,
        value=value,
    )


def a_log(*events: Event, first: int = 1, recorded_at: Sequence[int] | None = None) -> list[Logged]:
    """The events in this order, at consecutive places; each is recorded when it occurred unless told otherwise."""
    logged = []
    clock = 0
    for index, event in enumerate(events):
        assert isinstance(event.occurred_at, int)
        clock = max(clock, event.occurred_at)
        recorded = clock if recorded_at is None else recorded_at[index]
        sequence = first + index
        logged.append(Logged(sequence, event.id or f"e{sequence}", event.occurred_at, recorded, event))
    return logged


class ToyFold:
    """A fold whose vectors say which state was read: ``sequence``, ``at``, and the item's interactions so far."""

    def __init__(self) -> None:
        self.sequence = 0
        self.clock = 0
        self.n_applied = 0
        self._interactions: dict[str, int] = {}

    def apply_all(self, events: Sequence[Logged]) -> None:
        for logged in events:
            assert logged.sequence > self.sequence, "the log was given twice"
            self.sequence = logged.sequence
            self.clock = max(self.clock, logged.occurred_at)
            self.n_applied += 1
            if isinstance(logged.event, InteractionRecorded):
                item = logged.event.item
                self._interactions[item] = self._interactions.get(item, 0) + 1

    def time_of(self, at: int | None, now: int) -> int:
        return max(now if at is None else at, self.clock)

    def vectors(
        self,
        user: str | None,
        session: str | None,
        items: Sequence[str],
        item_fields: list[dict[str, Any]] | None,
        context: dict[str, Any],
        at: int,
    ) -> NDArray[np.float32]:
        rows = [[self.sequence, at, self._interactions.get(item, 0)] for item in items]
        return np.array(rows, np.float32).reshape(len(items), 3)

    def first_scores(
        self, user: str | None, session: str | None, items: Sequence[str], at: int
    ) -> NDArray[np.float32]:
        return self.priors(items, at)

    def priors(self, items: Sequence[str], at: int) -> NDArray[np.float32]:
        return np.array([self._interactions.get(item, 0) for item in items], np.float32)

    def item_priors(self, at: int) -> tuple[list[str], NDArray[np.float32], float]:
        items = list(self._interactions)
        return items, np.array([self._interactions[i] for i in items], np.float32), 0.0
