"""Events for tests in one line each; whatever is not named has a harmless value."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from eddyline_contracts.events import (
    Event,
    InteractionRecorded,
    ItemUpserted,
    SlateItem,
    SlateServed,
    UserUpserted,
)
from eddyline_contracts.record import Logged

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_800_000_000_000
"""Where time begins in tests, in ms since the Unix epoch."""

_numbers = itertools.count(1)


def an_item(
    item: str = "i1", /, *, removed: bool = False, id: str | None = None, **fields: Any
) -> ItemUpserted:
    """An item with these fields."""
    return ItemUpserted(id=id or _new_id("item"), item=item, fields=fields, removed=removed)


def a_user(user: str = "u1", /, *, id: str | None = None, **fields: Any) -> UserUpserted:
    """A user with these fields."""
    return UserUpserted(id=id or _new_id("user"), user=user, fields=fields)


def a_slate(
    items: Iterable[str | SlateItem] = ("i1", "i2", "i3"),
    /,
    *,
    user: str | None = "u1",
    session: str | None = None,
    id: str | None = None,
    context: Mapping[str, Any] | None = None,
    **served: Any,
) -> SlateServed:
    """A slate of these items, the top first; ``served`` takes ``features_sequence`` and what else a ranker writes."""
    members = [SlateItem(item=item) if isinstance(item, str) else item for item in items]
    return SlateServed(
        id=id or _new_id("slate"),
        user=user,
        session=session,
        items=members,
        context=dict(context or {}),
        **served,
    )


def a_click(
    item: str = "i1",
    /,
    *,
    user: str | None = "u1",
    session: str | None = None,
    slate: str | None = None,
    action: str = "click",
    value: float = 1.0,
    id: str | None = None,
) -> InteractionRecorded:
    """An interaction with an item, a click unless ``action`` says otherwise."""
    return InteractionRecorded(
        id=id or _new_id(action),
        user=user,
        session=session,
        item=item,
        slate=slate,
        action=action,
        value=value,
    )


def logged(event: Event, sequence: int = 1, at: int = START, recorded_at: int | None = None) -> Logged:
    """The event at its place in the log; ``at`` is its fold time in ms, at which it is recorded too."""
    return Logged(sequence, event.id or "", at, at if recorded_at is None else recorded_at, event)


def a_log(*events: Event, start: int = START, every: int = 1_000, first: int = 1) -> list[Logged]:
    """Events one after another, ``every`` ms apart."""
    return [logged(event, first + i, start + i * every) for i, event in enumerate(events)]


def _new_id(what: str) -> str:
    return f"{what}-{next(_numbers)}"
