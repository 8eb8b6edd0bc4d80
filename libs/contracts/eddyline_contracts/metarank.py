"""The event form of Metarank, taken as it stands, so that its users and public data need no conversion.

It differs in names (``event``, ``timestamp``, ``ranking``), in lists of name/value pairs for fields, in timestamps
that may be digits in a string, and in that nobody need be named: a ranking without user and session is a visit of its
own, to which the interactions that name it belong.
"""

from __future__ import annotations

from datetime import datetime
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
    to_millis,
)
from eddyline_contracts.limits import MAX_FIELDS, MAX_ITEMS, InvalidEvent, UnknownType

KINDS = ("item", "user", "ranking", "interaction")


# As in ``events``: decoded JSON holds no cycles, so the collector need not track what there is many of.
class MetarankPair(Struct, frozen=True, gc=False):
    """A field."""

    name: str
    value: Any


Pairs = Annotated[list[MetarankPair], Meta(extra_json_schema={"maxItems": MAX_FIELDS})]
# What is said here for readers is checked below, in words that help.
_MOMENT = (
    r"(197[1-9]|19[89]\d|[2-9]\d{3})-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
    r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-3]):[0-5]\d)"
)
Timestamp = (
    Annotated[str, Meta(extra_json_schema={"pattern": f"^([0-8]?[0-9]{{1,15}}|{_MOMENT})$"})]
    | Annotated[int, Meta(extra_json_schema={"minimum": 0, "exclusiveMaximum": 2**53})]
)


class _Metarank(Struct, frozen=True, kw_only=True, tag_field="event"):
    id: Annotated[Id, Meta(extra_json_schema={"pattern": "^[^\0]*$"})] | None = None
    timestamp: Timestamp | None = None
    """Milliseconds since the Unix epoch, as a number or its digits, or RFC 3339 with an offset; absent means when it
    was received."""
    fields: Pairs = []


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
    fields: Pairs = []


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
        For a kind that there is not, and for a timestamp that is none.
    """
    try:
        told = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        if str(error).endswith("`$.event`"):
            raise UnknownType(f"{error}; known are {', '.join(KINDS)}") from error
        raise
    at = millis(told.timestamp)
    fields = fields_of(told.fields)
    match told:
        case MetarankItem():
            return ItemUpserted(id=told.id, occurred_at=at, item=told.item, fields=fields)
        case MetarankUser():
            return UserUpserted(id=told.id, occurred_at=at, user=told.user, fields=fields)
        case MetarankRanking():
            return SlateServed(
                id=told.id,
                occurred_at=at,
                user=told.user,
                session=visit_of(told.user, told.session, told.id),
                items=[SlateItem(item=i.id, fields=item_fields_of(i)) for i in told.items],
                context=fields,
            )
        case _:
            return InteractionRecorded(
                id=told.id,
                occurred_at=at,
                user=told.user,
                session=visit_of(told.user, told.session, told.ranking or told.id),
                item=told.item,
                slate=told.ranking,
                action=told.type,
                fields=fields,
            )


def visit_of(user: str | None, session: str | None, ranking: str | None) -> str | None:
    """The session; where nobody is named at all, the ranking stands for the visit."""
    return ranking if user is None and session is None else session


def fields_of(pairs: list[MetarankPair]) -> dict[str, Any]:
    """Fields by name; of two with the same name, the last.

    Raises
    ------
    msgspec.ValidationError
        Beyond 256, in the words in which the native form is refused.
    """
    if len(pairs) > MAX_FIELDS:
        raise msgspec.ValidationError(f"Expected `object` of length <= {MAX_FIELDS} - at `$.fields`")
    return {pair.name: pair.value for pair in pairs}


def item_fields_of(item: MetarankRankingItem) -> dict[str, Any]:
    """Fields of an item in this ranking, ``relevancy`` among them wherever it was written."""
    fields = fields_of(item.fields)
    if item.relevancy is not None:
        fields.setdefault("relevancy", item.relevancy)
    return fields


def millis(timestamp: str | int | None) -> int | None:
    """ms since the Unix epoch, from a number, digits in a string, or ISO 8601 with an offset.

    Raises
    ------
    InvalidEvent
        For anything else, and before 1970.
    """
    if timestamp is None:
        return None
    at = timestamp if isinstance(timestamp, int) else _written(timestamp)
    if at is None or not 0 <= at < 2**53:
        shown = timestamp[:40] if isinstance(timestamp, str) else timestamp
        raise InvalidEvent(
            f"`timestamp` is {shown!r}; milliseconds since 1970, or a date and time with its offset such as "
            "2022-06-22T11:21:39Z, are expected"
        )
    return at


def _written(text: str) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text) if len(text) < 17 else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else to_millis(moment)
