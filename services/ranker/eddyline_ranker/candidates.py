"""From a request's bytes to candidates that can be ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from eddyline_contracts.api import RankItem, RankRequest
from eddyline_contracts.decoding import refusal_by_limit
from eddyline_contracts.events import to_millis
from eddyline_contracts.limits import MAX_STRING_BYTES, InvalidEvent, check_strings
from eddyline_contracts.vectors import VectorsRequest
from eddyline_ranker.errors import DuplicateItem

_request = msgspec.json.Decoder(RankRequest)
_anything = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is to be ranked, and for whom."""

    request: RankRequest
    items: list[str]
    """N ids, each once, in the order of the request."""
    item_fields: list[dict[str, Any]] | None
    """Fields of each in this request only; none when no item has any."""
    at: int | None
    """The request's own time in ms since the Unix epoch, if it has one."""

    def question(self, max_wait_ms: int) -> VectorsRequest:
        """What to ask the feature-store."""
        told = self.request
        return VectorsRequest(
            told.user,
            told.session,
            self.items,
            self.item_fields,
            told.context,
            self.at,
            told.min_sequence,
            max_wait_ms if told.min_sequence else 0,
        )


def read_candidates(body: bytes) -> Candidates:
    """Decode and check a ``POST /v1/rank``.

    Raises
    ------
    Refusal
        A subclass for each limit; `DuplicateItem` names the item.
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        If it is no JSON, or not of the form.
    """
    try:
        told = _request.decode(body)
    except msgspec.ValidationError as error:
        refusal = refusal_by_limit(error)
        if refusal is None:
            raise
        raise refusal from error
    if told.user is None and told.session is None:
        raise InvalidEvent("`user` or `session` is required: say for whom to rank")
    # No string can be longer than the body that holds it, so most requests need no walk.
    if len(body) > MAX_STRING_BYTES:
        check_strings(_anything.decode(body), "$")
    items, fields = _split(told.items)
    if len(set(items)) != len(items):
        _refuse_duplicate(items)
    at = None if told.occurred_at is None else to_millis(told.occurred_at)
    return Candidates(told, items, fields, at)


def _split(told: list[str | RankItem]) -> tuple[list[str], list[dict[str, Any]] | None]:
    """The ids, and the fields of each unless none has any."""
    # Plain ids are by far the most common: one pass in C tells.
    if RankItem not in set(map(type, told)):
        return told, None  # type: ignore[return-value]
    items = [item if isinstance(item, str) else item.item for item in told]
    fields = [{} if isinstance(item, str) else item.fields for item in told]
    return items, fields if any(fields) else None


def _refuse_duplicate(items: list[str]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item in seen:
            raise DuplicateItem(f"`items[{index}]`: {item!r} occurs twice: send each item once")
        seen.add(item)
