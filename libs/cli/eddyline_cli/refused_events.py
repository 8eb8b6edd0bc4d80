"""Reads the events that the log writer and ingest refused, from the stream where they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from urllib.parse import unquote

import nats
from msgspec import Struct
from nats.js.errors import NotFoundError

from eddyline_contracts.subjects import EVENT_ID, ORIGIN, REASON, REASON_CODE, REJECTED_STREAM

_AT_ONCE = 50
_CONNECT_S = 3


class RefusedEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event that was not taken."""

    sequence: int
    """Its place among the refused."""
    at: datetime
    """When it was refused."""
    origin: str
    """The subject that it was published on, or ``http``."""
    code: str
    detail: str
    """Why, and what to do about it."""
    id: str | None = None
    payload: bytes
    """As it was received."""


class BusAway(RuntimeError):
    """The bus cannot be reached."""


async def newest_refused(url: str, limit: int) -> AsyncIterator[RefusedEvent]:
    """The newest refused events, oldest of them first; none when nothing was ever refused.

    Raises
    ------
    BusAway
        If there is no bus at ``url``.
    """
    try:
        client = await nats.connect(
            url,
            name="eddyline rejected",
            connect_timeout=_CONNECT_S,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0.1,
            error_cb=_ignored,
        )
    except (OSError, TimeoutError, nats.errors.Error) as error:
        raise BusAway(
            f"no nats-server answers at {url} ({error or type(error).__name__}): start Eddyline with `eddyline up`, "
            "or say where it is with --nats-url"
        ) from error
    try:
        stream = client.jetstream()
        try:
            state = (await stream.stream_info(REJECTED_STREAM)).state
        except NotFoundError:
            return
        # A stream that never held anything says that its first message is number 0, and there is none.
        numbers = range(max(1, state.first_seq, state.last_seq - limit + 1), state.last_seq + 1)
        for start in range(0, len(numbers), _AT_ONCE):
            part = numbers[start : start + _AT_ONCE]
            found = await asyncio.gather(
                *(stream.get_msg(REJECTED_STREAM, number) for number in part), return_exceptions=True
            )
            for number, message in zip(part, found, strict=True):
                if isinstance(message, NotFoundError):
                    continue  # expired meanwhile
                if isinstance(message, BaseException):
                    raise message
                headers: Mapping[str, str] = message.headers or {}
                assert message.time is not None
                yield RefusedEvent(
                    sequence=number,
                    at=message.time,
                    origin=unquote(headers.get(ORIGIN, "")),
                    code=headers.get(REASON_CODE, ""),
                    detail=unquote(headers.get(REASON, "")),
                    id=unquote(headers[EVENT_ID]) if EVENT_ID in headers else None,
                    payload=message.data or b"",
                )
    finally:
        await client.close()


async def _ignored(error: Exception) -> None:
    """Connection faults are raised where they matter."""
