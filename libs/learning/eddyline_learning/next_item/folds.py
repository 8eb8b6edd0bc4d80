"""The fold as protocol ``next-item`` moves it: past pseudo-slates, and, where it is told to, late."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import InteractionRecorded
from eddyline_contracts.record import Logged
from eddyline_features.overlay import Act, with_acts
from eddyline_features.state import State
from eddyline_learning.fold import Vectors
from eddyline_learning.fold_behind import FoldBehind
from eddyline_learning.next_item.sync import Sync


class UnslatedFold(FoldBehind):
    """A fold that takes events as they stand in the log, from a `Source`; pseudo-slates were never shown."""

    def __init__(self, state: State, originals: deque[tuple[int, Logged]]) -> None:
        super().__init__(state)
        self._originals = originals
        self._place = 0

    @property
    def sequence(self) -> int:
        """See `Fold`; doubled, as in `Source`."""
        return self._place

    def apply_all(self, events: Sequence[Logged]) -> None:
        """See `Fold`."""
        for logged in events:
            self._place = logged.sequence
            if self._originals and self._originals[0][0] == self._place:
                self._take(self._originals.popleft()[1])

    def _take(self, logged: Logged) -> None:
        self._fold.apply_all([logged])


class LateFold(UnslatedFold):
    """A fold that learns at syncs only.

    While it waits, the state stays as it was, and time goes on for what decays; the acts of the person who is asked
    for are laid over it for each reading (see ``overlay``).
    """

    def __init__(self, state: State, originals: deque[tuple[int, Logged]], sync_ms: int) -> None:
        super().__init__(state, originals)
        self._state = state
        self._sync = Sync(sync_ms)
        self._waiting: list[Logged] = []
        self._acts: dict[str, list[Act]] = {}

    def _take(self, logged: Logged) -> None:
        if self._sync.is_due_before(logged):
            self._learn()
        self._waiting.append(logged)
        event = logged.event
        if isinstance(event, InteractionRecorded):
            act = Act(logged.occurred_at, event.item, event.action)
            for key in _keys(event.user, event.session):
                if key is not None:
                    self._acts.setdefault(key, []).append(act)

    def _learn(self) -> None:
        self._state.apply_all(self._waiting)
        self._waiting.clear()
        self._acts.clear()

    @contextmanager
    def _asked(self, user: str | None, session: str | None, at: int) -> Iterator[None]:
        if self._sync.is_due(at):
            self._learn()
        of_user, of_session = ([] if key is None else self._acts.get(key, []) for key in _keys(user, session))
        with with_acts(self._state, user, session, of_user, of_session):
            yield

    def vectors(
        self,
        user: str | None,
        session: str | None,
        items: Sequence[str],
        item_fields: list[dict[str, Any]] | None,
        context: dict[str, Any],
        at: int,
    ) -> Vectors:
        """See `Fold`."""
        with self._asked(user, session, at):
            return self._state.vectors(user, session, items, item_fields, context, at)

    def first_scores(
        self, user: str | None, session: str | None, items: Sequence[str], at: int
    ) -> NDArray[np.float32]:
        """See `Fold`."""
        with self._asked(user, session, at):
            return self._state.first_scores(user, session, items, at)


def _keys(user: str | None, session: str | None) -> tuple[str | None, str | None]:
    """Of the person (a missing user is the session) and of the session; None where there is none to know."""
    person = session if user is None else user
    return (
        None if person is None else f"user {person}",
        None if session is None else f"session {session}",
    )
