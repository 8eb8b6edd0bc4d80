"""Laws of forgetting: whoever gives way for somebody new takes nothing away from those who stay."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from hypothesis import given

from eddyline_contracts.events import (
    Event,
    InteractionRecorded,
    ItemUpserted,
    SlateItem,
    SlateServed,
    UserUpserted,
)
from eddyline_contracts.record import Logged
from eddyline_features import rings
from eddyline_features.declarations.affinity import Affinity
from eddyline_features.declarations.co_interaction import CoInteraction
from eddyline_features.declarations.fatigue import Fatigue
from eddyline_features.declarations.interacted_with import InteractedWith
from eddyline_features.declarations.online import OnlineScore, OnlineSimilarity
from eddyline_features.declarations.relative import Relative
from eddyline_features.declarations.sequence import Sequence as LastActions
from eddyline_features.entities import GENERATION, People
from eddyline_features.state import State
from tests.property.features.histories import (
    ITEMS,
    SESSIONS,
    USERS,
    lengths,
    randoms,
    small_view,
    ugly_history,
)
from tests.property.features.law import examples

laws = examples(25)

_OF_RINGS = (
    Affinity,
    CoInteraction,
    Fatigue,
    InteractedWith,
    LastActions,
    OnlineScore,
    OnlineSimilarity,
    Relative,
)
"""Kinds that look up what a person acted on and was shown: of a forgotten item there is nothing to be looked up."""

_People = tuple[str | None, str | None]
"""User and session of a request."""


def a_full_state(rng: Random, n: int) -> State:
    """After a history, with as many items, users and sessions as there is room for, of whom much is known."""
    state = State(small_view())
    for logged in ugly_history(rng, n):
        state.apply(logged)
    limits = state.view.limits
    for index in range(9):
        if len(state.items) < limits.items:
            forward(state, ItemUpserted(item=f"more {index}", fields={}))
        if len(state.users) < limits.users or len(state.sessions) < limits.sessions:
            forward(state, act(f"more {index}", f"more {index}", next(iter(state.items.rows))))
    assert len(state.items) == limits.items
    assert len(state.users) == limits.users
    assert len(state.sessions) == limits.sessions
    for _ in range(8):
        items, users, sessions = list(state.items.rows), list(state.users.rows), list(state.sessions.rows)
        fields = {"price": rng.randrange(9), "size": rng.randrange(9), "brand": rng.choice("ab")}
        lists = {"tags": rng.sample("ab", rng.randrange(3)), "genres": rng.sample("ab", rng.randrange(3))}
        forward(state, ItemUpserted(item=rng.choice(items), fields={**fields, **lists}))
        user, session = rng.choice(users), rng.choice(sessions)
        shown = [SlateItem(item=item) for item in rng.sample(items, 3)]
        forward(state, SlateServed(user=user, session=session, items=shown))
        if rng.randrange(2):
            forward(state, act(user, session, rng.choice(shown).item))
    return state


def forward(state: State, event: Event) -> None:
    """One event more, at the state's own time."""
    state.apply(Logged(state.sequence + 1, f"e{state.sequence}", state.clock, state.clock, event))


def act(user: str, session: str, item: str, action: str = "click") -> InteractionRecorded:
    return InteractionRecorded(user=user, session=session, item=item, action=action)


def vectors(state: State, who: _People, items: Sequence[str]) -> np.ndarray:
    user, session = who
    fields = [{"relevancy": index, "shelf": "a"} for index in range(len(items))]
    return state.vectors(user, session, items, fields, {"device": "a", "hour": 3}, state.clock)


def everybody(state: State) -> list[_People]:
    """Each user and each session alone, together with strangers."""
    users: list[_People] = [(user, None) for user in [*state.users.rows, "a stranger"]]
    return [*users, *((None, session) for session in state.sessions.rows)]


def holds(people: People, row: int, item: int, generation: int) -> bool:
    """Whether a person's ring knows the item."""
    keys = people.rings[row, rings.HEAD :: 2].tolist()
    return any(key >= 0 and key >> 8 == (generation << 24) | item for key in keys)


def ring_columns(state: State) -> list[int]:
    found, at = [], 0
    for feature in state.view.features:
        if isinstance(feature, _OF_RINGS):
            found += range(at, at + len(feature.columns))
        at += len(feature.columns)
    return found


@laws
@given(randoms, lengths)
def test_a_new_item_changes_no_vector_of_those_that_stay(rng: Random, n: int) -> None:
    """But for what a person did with the one that went: that is looked up, and there is nothing any more."""
    state = a_full_state(rng, n)
    oldest, row = next(iter(state.items.rows.items()))
    generation = int(state.items.meta[row, GENERATION])
    others = [*(item for item in state.items.rows if item != oldest), "nobody knows"]
    people = everybody(state)
    touched = [
        any(
            key is not None and key in table.rows and holds(table, table.rows[key], row, generation)
            for table, key in (
                (state.users, user if user is not None else session),
                (state.sessions, session),
            )
        )
        for user, session in people
    ]
    before = [vectors(state, who, others) for who in people]
    forward(state, ItemUpserted(item="brand new", fields={}))
    assert state.item(oldest) is None
    kept = [column for column in range(len(state.view.columns)) if column not in ring_columns(state)]
    for who, knew, then in zip(people, touched, before, strict=True):
        now = vectors(state, who, others)
        if knew:
            now, then = now[:, kept], then[:, kept]
        assert now.tobytes() == then.tobytes(), who


@laws
@given(randoms, lengths)
def test_a_new_user_changes_no_vector_of_those_who_stay(rng: Random, n: int) -> None:
    state = a_full_state(rng, n)
    oldest = next(iter(state.users.rows))
    people = [who for who in everybody(state) if oldest not in who]
    items = [*state.items.rows, "nobody knows"]
    before = [vectors(state, who, items).tobytes() for who in people]
    forward(state, UserUpserted(user="brand new", fields={}))
    assert state.user(oldest) is None
    assert [vectors(state, who, items).tobytes() for who in people] == before


@laws
@given(randoms, lengths)
def test_a_new_session_changes_no_vector_of_those_that_stay(rng: Random, n: int) -> None:
    """Its first action is none that counts: what it adds to rates and counts is no forgetting."""
    state = a_full_state(rng, n)
    oldest = next(iter(state.sessions.rows))
    who_acts = next(reversed(state.users.rows))
    people = [who for who in everybody(state) if oldest not in who and who_acts not in who]
    items = [*state.items.rows, "nobody knows"]
    before = [vectors(state, who, items).tobytes() for who in people]
    forward(state, act(who_acts, "brand new", items[0], action="unheard of"))
    assert oldest not in state.sessions.rows
    assert [vectors(state, who, items).tobytes() for who in people] == before


def test_the_people_and_items_of_histories_do_not_all_fit() -> None:
    """Or nobody would be forgotten, and the laws above would be about nothing."""
    limits = small_view().limits
    assert limits.items < len(ITEMS)
    assert limits.users < len(USERS)
    assert limits.sessions < len(SESSIONS)
