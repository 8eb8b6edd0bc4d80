"""Copies of what was refused, in the stream ``REJECTED``, with the reason in its headers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from urllib.parse import quote

from msgspec import Struct
from nats.aio.client import Client

from eddyline_contracts.limits import Refusal
from eddyline_contracts.subjects import MSG_ID, ORIGIN, REASON, REASON_CODE
from eddyline_ingest.jetstream import ApiError, checked, is_transient

log = logging.getLogger(__name__)
TRUNCATED = "Eddyline-Truncated"
"""Header: how many bytes the refused message had, when only its beginning is kept."""
_ROOM_FOR_HEADERS = 16 * 1024
_MAX_REASON = 2_000
_AT_ONCE = 200


class Rejected(Struct, frozen=True):
    """One refused event, as it was received."""

    key: str
    """Names this refusal, so that telling it twice keeps one copy."""
    origin: str
    """The subject it came by, or ``http``."""
    payload: bytes
    refusal: Refusal


async def keep(bus: Client, rejected: Sequence[Rejected], *, timeout_s: float = 5.0) -> int:
    """Store copies and return how many could not be: a stream that refuses them must not hold up the log.

    Raises
    ------
    nats.errors.Error
        If the bus does not answer: it may do so later.
    """
    n_refused = 0
    for start in range(0, len(rejected), _AT_ONCE):
        answers = await asyncio.gather(
            *(_store(bus, one, timeout_s) for one in rejected[start : start + _AT_ONCE]),
            return_exceptions=True,
        )
        for answer in answers:
            if isinstance(answer, ApiError) and not is_transient(answer):
                n_refused += 1
                log.error("REJECTED does not take a copy: %s", answer)
            elif isinstance(answer, BaseException):
                raise answer
    return n_refused


async def _store(bus: Client, one: Rejected, timeout_s: float) -> None:
    headers = {
        MSG_ID: one.key,
        REASON: quote(one.refusal.detail[:_MAX_REASON], safe=" `'.,:;()[]{}$<>=|/!?*+-_"),
        REASON_CODE: one.refusal.code,
        ORIGIN: quote(one.origin, safe=".*>$"),
    }
    payload, most = one.payload, bus.max_payload - _ROOM_FOR_HEADERS
    if len(payload) > most:
        # The bus closes the connection of whoever sends more than it takes.
        headers[TRUNCATED] = str(len(payload))
        payload = payload[:most]
    answer = await bus.request(f"rejected.{one.refusal.code}", payload, timeout=timeout_s, headers=headers)
    checked(answer.data)
