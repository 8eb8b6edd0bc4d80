"""A slate between its arrival in the log and its example: what is needed to take its vectors and label it."""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import intern
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import SHUFFLED, InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged
from eddyline_learning.fold import Vectors

_NAMES_AN_IMPRESSION = 16


@dataclass(slots=True, eq=False)
class PendingSlate:
    """A slate that waits for its labels, its vectors, or both."""

    id: str
    sequence: int
    """Its own place in the log."""
    features_sequence: int
    """Log position of the state that it was ranked by; for a client's slate, just before its own."""
    occurred_at: int
    ranked_at: int
    """The time to read the state at, before the state has had its say (never before its newest event)."""
    user: str | None
    session: str | None
    candidates: list[str]
    """In the order in which they were ranked: the rows of the vectors."""
    item_fields: list[dict[str, Any]] | None
    """Of each candidate, in this slate only."""
    context: dict[str, Any]
    places: dict[str, int]
    """Position of each shown item, 0 at the top; an item shown twice has the first."""
    labels: dict[str, float] = field(default_factory=dict)
    """By item; absent means that nobody acted on it."""
    labelled_at: int = 0
    """When the log got the newest interaction that changed a label, in ms since the Unix epoch."""
    alone: bool = False
    """No slate: a rating that came without one."""
    served_by_us: bool = False
    shuffled: int = -1
    """As in `Example`."""
    blind: bool = False
    """The ranker ordered it without features: nobody knows what was seen, and there are no vectors."""
    sealed: bool = False
    """Ripe: the labels do not change any more."""
    barren: bool = False
    """A booster can learn nothing from its labels."""
    cleared: bool = False
    """Its labels are what people did; until then, once it is ``sealed``, the breaker may still find otherwise."""
    stalled: bool = False
    """It ripened while clicks did not come: its labels say nothing, and nobody may learn or judge by them."""
    due: bool = False
    """The fold may pass its ``features_sequence``, so the vectors must be taken first."""
    dropped: bool = False
    """Nobody needs its vectors."""
    vectors: Vectors | None = None
    """Once they are taken: shape (N, F) over the candidates; where only an example needs them, over those shown."""
    view: str | None = None
    """Feature view that the ranker asked."""
    served_vectors: list[bytes] | None = None
    """What the ranker received for each candidate, where it logged that and nobody has compared it yet."""
    priors: NDArray[np.float32] | None = None
    """Once the vectors are taken: the item priors of the candidates, or of those shown, shape (N,)."""

    @property
    def n_impressions(self) -> int:
        """Rows that its example will have."""
        return len(self.places)

    @property
    def room(self) -> int:
        """What it takes while it waits, in impressions: a candidate that was not shown is but one name, and shared."""
        return self.n_impressions + (len(self.candidates) - self.n_impressions) // _NAMES_AN_IMPRESSION

    @property
    def shown_rows(self) -> list[int]:
        """Rows of the candidates that were shown, each item once. Of the others nobody knows: they were not seen."""
        rows: list[int] = []
        seen: set[str] = set()
        for row, item in enumerate(self.candidates):
            if item in self.places and item not in seen:
                seen.add(item)
                rows.append(row)
        return rows

    @property
    def people(self) -> tuple[tuple[str, str], ...]:
        """Whom an interaction without a slate must come from to join this one."""
        return people(self.user, self.session)


def people(user: str | None, session: str | None) -> tuple[tuple[str, str], ...]:
    """The person and the visit as keys; a missing user is the session."""
    keys = []
    who = user if user is not None else session
    if who is not None:
        keys.append(("user", who))
    if session is not None:
        keys.append(("session", session))
    return tuple(keys)


def _shuffled(slate: SlateServed) -> int:
    if slate.policy is None and slate.features_sequence is None:
        return -1
    if slate.policy != SHUFFLED:
        return 0
    # What stays where the model put it has a propensity of 1.
    return sum(shown.propensity is not None and shown.propensity < 1.0 for shown in slate.items)


def rated_alone(logged: Logged, rating: InteractionRecorded) -> PendingSlate:
    """A rating as if its item had been shown alone just before; it gets no more labels."""
    return PendingSlate(
        id=logged.id,
        sequence=logged.sequence,
        features_sequence=logged.sequence - 1,
        occurred_at=logged.occurred_at,
        ranked_at=logged.occurred_at,
        user=rating.user,
        session=rating.session,
        candidates=[rating.item],
        item_fields=None,
        context={},
        places={rating.item: 0},
        alone=True,
        sealed=True,
        cleared=True,
    )


def pending_of(logged: Logged, slate: SlateServed) -> PendingSlate:
    """What to remember of a slate that arrived."""
    places: dict[str, int] = {}
    fields: dict[str, dict[str, Any]] = {}
    for position, shown in enumerate(slate.items):
        if shown.item not in places:
            places[shown.item] = position
            if shown.fields:
                fields[shown.item] = shown.fields
    # Slates of a catalogue name the same items again and again, most of which were not shown.
    candidates = None if slate.candidates is None else [intern(item) for item in slate.candidates]
    if candidates is None or not places.keys() <= set(candidates):
        candidates = [shown.item for shown in slate.items]
    # What a client showed was known to the state just before; what the ranker showed, where it says.
    known = slate.features_sequence
    return PendingSlate(
        id=logged.id,
        sequence=logged.sequence,
        features_sequence=logged.sequence - 1 if known is None else known,
        occurred_at=logged.occurred_at,
        ranked_at=logged.occurred_at if slate.ranked_at is None else slate.ranked_at,
        user=slate.user,
        session=slate.session,
        candidates=candidates,
        item_fields=[fields.get(item, {}) for item in candidates] if fields else None,
        context=slate.context,
        places=places,
        served_by_us=slate.policy is not None or known is not None,
        shuffled=_shuffled(slate),
        blind=slate.policy is not None and known is None,
        view=slate.view,
        # What a client's slate calls so was never served.
        served_vectors=None if known is None else slate.served_vectors,
    )
