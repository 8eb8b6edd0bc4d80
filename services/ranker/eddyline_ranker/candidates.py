"""From a request's bytes to candidates that can be ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from eddyline_contracts.api import RankItem, RankRequest
from eddyline_contracts.api_recommend import RecommendRequest
from eddyline_contracts.decoding import checked_millis
from eddyline_contracts.limits import MAX_EVENT_BYTES, EventTooLarge
from eddyline_contracts.vectors import VectorsRequest
from eddyline_ranker.errors import DuplicateItem
from eddyline_ranker.reading import check_person, check_text, fitting, has_long_number, read_form

_request = msgspec.json.Decoder(RankRequest)
_encode = msgspec.json.Encoder().encode

_ROOM_FOR_HEADERS = 2 * 1024
MAX_SLATE_BYTES = MAX_EVENT_BYTES - _ROOM_FOR_HEADERS
"""Of a slate that is to be logged: as an event, and with its headers on a bus that takes 1 MiB a message."""
_SURELY_FITS = 128 * 1024
"""A request up to here has no slate beyond that: ids come twice, short numbers may grow fourfold, scores are added."""
_BYTES_PER_ITEM = 100
"""Of a slate's item without its id and fields: names of members, a score of 24 digits, a propensity of 20."""
_BYTES_BESIDE = 8 * 1024
"""Of a slate without its items and context: two ids of 128 characters (768 bytes each if escaped), names, places."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is to be ranked, and for whom."""

    request: RankRequest | RecommendRequest
    items: list[str]
    """N ids, each once, in the order of the request, or in that in which they were found."""
    item_fields: list[dict[str, Any]] | None
    """Fields of each in this request only; none when no item has any."""
    at: int | None
    """The request's own time in ms since the Unix epoch, if it has one."""
    slate: str | None = None
    """What the slate is to be called, where the client has named it."""

    def question(self, max_wait_ms: int, *, priors: bool = True, deviations: bool = False) -> VectorsRequest:
        """What to ask the feature-store; ``priors``: for how to order without a model, too; see `VectorsRequest`."""
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
            priors,
            deviations,
        )


def read_candidates(body: bytes) -> Candidates:
    """Decode and check a ``POST /v1/rank``.

    Raises
    ------
    Refusal
        A subclass for each limit, those of the event included that the slate will be; `DuplicateItem` names the item.
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        If it is no JSON, or not of the form.
    """
    told = read_form(body, _request)
    check_person(told.user, told.session, "for whom to rank")
    at = None if told.occurred_at is None else checked_millis(told.occurred_at)
    return checked_candidates(told, body, at)


def checked_candidates(
    told: RankRequest, body: bytes, at: int | None, slate: str | None = None
) -> Candidates:
    """Check a request of either form beyond what its type says; ``body`` is what it was decoded from.

    Raises
    ------
    Refusal
        As `read_candidates`.
    """
    check_text(body)
    if has_long_number(body):
        told = _with_fitting_numbers(told)
    items, fields = _split(told.items)
    if len(set(items)) != len(items):
        _refuse_duplicate(items)
    candidates = Candidates(told, items, fields, at, slate)
    if told.log and len(body) > _SURELY_FITS and slate_bytes(candidates) > MAX_SLATE_BYTES:
        raise EventTooLarge(
            f"the slate of this request would have up to {slate_bytes(candidates):,} bytes, of which the log takes "
            f"{MAX_SLATE_BYTES:,}: send fewer items or fields, or say `log: false`"
        )
    return candidates


def slate_bytes(candidates: Candidates) -> int:
    """How large the slate of these candidates may be as an event: an upper bound, whatever the scores."""
    items = candidates.items
    told = (candidates.request.context, items, items, candidates.item_fields)
    return len(_encode(told)) + len(items) * _BYTES_PER_ITEM + _BYTES_BESIDE


def _with_fitting_numbers(told: RankRequest) -> RankRequest:
    """The request with integers beyond 64 bits, which the feature-store cannot be asked with, as the nearest float.

    It is what is asked *and* logged, so that a replay reads the same.
    """
    return msgspec.structs.replace(
        told,
        context=fitting(told.context),
        items=[
            item if isinstance(item, str) else RankItem(item=item.item, fields=fitting(item.fields))
            for item in told.items
        ],
    )


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
