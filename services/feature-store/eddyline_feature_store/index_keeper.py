"""Keeps an index of the online model's vectors beside a large state, a millisecond at a time."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter

from eddyline_feature_store import metrics
from eddyline_features.retrieval.nearest import Nearest
from eddyline_features.state import State

log = logging.getLogger(__name__)

_SLICE_S = 0.001
_ADDED = 2
"""Vectors put in between two looks at the clock: each takes a quarter of a millisecond."""
_PAUSE_S, _REST_S = 0.004, 1.0
"""Between two slices of a round, and after one whose last slice had nothing to do."""


class IndexKeeper:
    """Starts one when the catalogue has more than ``exact_items``, and follows the state with it."""

    def __init__(self, state: State, exact_items: int) -> None:
        self._state = state
        self._exact_items = exact_items

    async def run(self) -> None:
        """Keep it until cancelled; without an online model, or a section ``recommend``, there is nothing to keep."""
        columns = self._state.columns
        choosing, online = columns.choosing, columns.online
        if choosing is None or online is None or self._state.view.online is None:
            await asyncio.Event().wait()
            return
        nearest: Nearest | None = None
        put_in, began = 0, 0.0
        while True:
            await asyncio.sleep(_PAUSE_S if put_in else _REST_S)
            if nearest is None:
                if len(self._state.items) <= self._exact_items:
                    continue
                nearest = choosing.nearest = Nearest(
                    self._state.items, online, self._state.view.online.factors + 1
                )
            rounds, put_in = nearest.rounds, 0
            now = perf_counter()
            began = began or now
            end = now + _SLICE_S
            while (now := perf_counter()) < end and nearest.rounds == rounds:
                put_in += nearest.step(_ADDED)
            # In the midst of a round there may be more to come.
            put_in += nearest.rounds == rounds
            metrics.INDEX_ITEMS.set(len(nearest))
            metrics.INDEX_TO_LOOK_AT.set(nearest.to_look_at)
            if nearest.rounds > rounds:
                metrics.INDEX_ROUNDS.inc()
                metrics.INDEX_BEHIND.set(nearest.behind)
                metrics.INDEX_ROUND_SECONDS.set(now - began)
                began = 0.0
            if rounds == 0 and nearest.rounds:
                log.info("online vectors are found by an index now", extra={"items": len(nearest)})
