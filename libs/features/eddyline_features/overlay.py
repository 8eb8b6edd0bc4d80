"""Acts of one person laid over a state for a reading, and taken away after: not a byte of it has changed then.

For asking what a state that learns late would say to somebody whose own acts are known at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from eddyline_features.entities import People
from eddyline_features.state import Keep, State


class Act(NamedTuple):
    """Somebody did something."""

    at: int
    """ms since the Unix epoch."""
    item: str
    action: str


@contextmanager
def with_acts(
    state: State, user: str | None, session: str | None, of_user: Sequence[Act], of_session: Sequence[Act]
) -> Iterator[None]:
    """Inside, the rings of the person and of the session end with these acts; counters and vectors stay as they are.

    Acts on items that the state does not know leave no trace but time: it has no row for them. Neither does somebody
    new where the table of people is full.
    """
    key = session if user is None else user
    with ExitStack() as stack:
        if key is not None and of_user:
            stack.enter_context(_laid_over(state, state.users, state.of_users, key, of_user))
        if session is not None and of_session and state.plan.sessions:
            stack.enter_context(_laid_over(state, state.sessions, state.of_sessions, session, of_session))
        yield


@contextmanager
def _laid_over(state: State, people: People, keep: Keep, key: str, acts: Sequence[Act]) -> Iterator[None]:
    row = people.rows.get(key)
    is_new = row is None
    if row is None:
        if len(people) >= people.limit:
            yield
            return
        # The next free row: whoever gets it for good begins it once more.
        row = len(people)
        people.meta[row] = (acts[0].at, acts[0].at, 0, 0)
        people.begin(row)
        for begun in people.on_begin:
            begun(row)
    ring, meta = people.rings[row].copy(), people.meta[row].copy()
    try:
        # From here on, whatever fails: acts that cannot be laid over leave as little as those that could.
        if is_new:
            people.rows[key] = row
        for act in acts:
            item = state.items.rows.get(act.item)
            action = -1 if item is None else state.plan.actions.get(act.action, -1)
            keep.acted(act.at, row, 0 if item is None else item, action)
        yield
    finally:
        people.rings[row], people.meta[row] = ring, meta
        if is_new:
            del people.rows[key]
