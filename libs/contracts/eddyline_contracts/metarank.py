"""The event form of Metarank, taken as it stands, so that its users and public data need no conversion.

It differs in names (``event``, ``timestamp``, ``ranking``), in lists of name/value pairs for fields, and in
timestamps that may be digits in a string.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from eddyline_contracts.events import (
    Event,
    Id,
    InteractionRecorded,
    ItemUpserted,
    SlateItem,
    SlateServed,
    UserUpserted,
)
from eddyline_contracts.limits import MAX_FIELDS, MAX_ITEMS, InvalidEvent

KINDS = ("item", "user", "ranking", "interaction")


# As in ``events``: decoded JSON holds no cycles, so the collector need not track what there is many of.
class MetarankPair(Struct, frozen=True, gc=False):
    """A field."""

    name: str
    value: Any


class _Metarank(Struct, frozen=True, kw_only=True, tag_field="event"):
    id: Id | None = None
    timestamp: str | int | None = None
    fields: list[MetarankPair] = []


class MetarankItem(_Metarank, frozen=True, kw_only=True, tag="item"):
    """An item appeared or changed."""

    item: Id


class MetarankUser(_Metarank, frozen=True, kw_only=True, tag="user"):
    """A user appeared or changed."""

    user: Id


class MetarankRankingItem(Struct, frozen=True, kw_only=True, gc=False):
    """An item of a ranking, in the order shown."""

    id: Id
    relevancy: float | None = None
    fields: list[MetarankPair] = []


class MetarankRanking(_Metarank, frozen=True, kw_only=True, tag="ranking"):
    """A list was shown."""

    user: Id | None = None
    session: Id | None = None
    items: Annotated[list[MetarankRankingItem], Meta(min_length=1, max_length=MAX_ITEMS)]


class MetarankInteraction(_Metarank, frozen=True, kw_only=True, tag="interaction"):
    """A person acted on an item; ``type`` says how."""

    item: Id
    type: Id
    user: Id | None = None
    session: Id | None = None
    ranking: Id | None = None


MetarankEvent = MetarankItem | MetarankUser | MetarankRanking | MetarankInteraction
_decoder = msgspec.json.Decoder(MetarankEvent)


def decode(raw: bytes) -> Event:
    """Translate one event of that form.

    Raises
    ------
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        As the decoder does; `decode_event` turns them into refusals.
    Refusal
        For a timestamp that is no number of milliseconds.
    """
    told = _decoder.decode(raw)
    at = _millis(told.timestamp)
    fields = _fields(told.fields)
    match told:
        case MetarankItem():
            return ItemUpserted(id=told.id, occurred_at=at, item=told.item, fields=fields)
        case MetarankUser():
            return UserUpserted(id=told.id, occurred_at=at, user=told.user, fields=fields)
        case MetarankRanking():
            items = [SlateItem(item=i.id, fields=_item_fields(i)) for i in told.items]
            return SlateServed(
                id=told.id, occurred_at=at, user=told.user, session=told.session, items=items, context=fields
            )
        case _:
            return InteractionRecorded(
                id=told.id,
                occurred_at=at,
                user=told.user,
                session=told.session,
                item=told.item,
                slate=told.ranking,
                action=told.type,
                fields=fields,
            )


def _fields(pairs: list[MetarankPair]) -> dict[str, Any]:
    if len(pairs) > MAX_FIELDS:
        raise msgspec.ValidationError(f"Expected `object` of length <= {MAX_FIELDS} - at `$.fields`")
    return {pair.name: pair.value for pair in pairs}


def _item_fields(item: MetarankRankingItem) -> dict[str, Any]:
    fields = _fields(item.fields)
    if item.relevancy is not None:
        fields.setdefault("relevancy", item.relevancy)
    return fields


def _millis(timestamp: str | int | None) -> int | None:
    if timestamp is None:
        return None
    if isinstance(timestamp, str):
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 17):
            raise InvalidEvent(f"`timestamp` is {timestamp[:40]!r}; milliseconds since 1970 are expected")
        timestamp = int(timestamp)
    if not 0 <= timestamp < 2**53:
        raise InvalidEvent(f"`timestamp` is {timestamp}; milliseconds since 1970 are expected")
    return timestamp
