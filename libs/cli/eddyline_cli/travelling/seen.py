"""The fold moved to a place of the log, and what it shows there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_cli.travelling.place_in_log import Found
from eddyline_cli.travelling.question import Question
from eddyline_cli.travelling.sources import Source
from eddyline_features.state import State
from eddyline_features.view import View

KNOWN, UNKNOWN, REMOVED = "known", "unknown", "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Vectors, and where they were read."""

    place: Found
    ranked_at: int
    """Time to which ages and decay are counted, in ms since the Unix epoch; never before the newest act."""
    view: View
    question: Question
    person: str | None
    """`KNOWN` or `UNKNOWN`; None when nobody was named."""
    items: list[str]
    """`KNOWN`, `UNKNOWN` or `REMOVED`, for each candidate."""
    vectors: NDArray[np.float32]
    """shape (N, F); NaN where unknown."""
    seconds: float
    """It took to fold."""

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it: numbers in full, null for NaN."""
        asked = self.question
        return {
            "view": self.view.id,
            "sequence": self.place.sequence,
            "recorded_at": self.place.recorded_at,
            "events": self.place.n_events,
            "ranked_at": self.ranked_at,
            "user": asked.user,
            "session": asked.session,
            "person": self.person,
            "items": [{"item": item, "is": what} for item, what in zip(asked.items, self.items, strict=True)],
            "columns": self.view.columns,
            "vectors": [[None if np.isnan(v) else float(v) for v in row] for row in self.vectors],
            "seconds": round(self.seconds, 3),
        }


async def look(
    source: Source,
    view: View,
    question: Question,
    place: Found,
    *,
    ranked_at: int,
    progress: Callable[[int], None],
) -> Seen:
    """Fold from the log's beginning to the place and read the vectors there, by the code that serves and trains.

    ``ranked_at`` counts where it is not before the newest slate or interaction, as in serving. ``progress`` is told the
    number of events so far.
    """
    began = time.perf_counter()
    state = State(view)
    n = 0
    async for events in source.events(place.sequence):
        state.apply_all(events)
        n += len(events)
        progress(n)
    state.advance(place.sequence)
    at = state.time_of(ranked_at, ranked_at)
    vectors = state.vectors(
        question.user, question.session, question.items, question.item_fields, question.context, at
    )
    key = question.session if question.user is None else question.user
    return Seen(
        place=place,
        ranked_at=at,
        view=view,
        question=question,
        person=None if key is None else UNKNOWN if state.user(key) is None else KNOWN,
        items=[_item(state, item) for item in question.items],
        vectors=vectors,
        seconds=time.perf_counter() - began,
    )


def _item(state: State, item: str) -> str:
    found = state.item(item)
    if found is None:
        return UNKNOWN
    return REMOVED if found["removed"] else KNOWN
