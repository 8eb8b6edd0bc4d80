"""The streams that the log writer owns: the inbox ``EVENTS``, and ``REJECTED`` for what was refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from nats.aio.client import Client

from eddyline_contracts.events import to_millis
from eddyline_contracts.subjects import (
    EPOCH_METADATA,
    INBOX_STREAM,
    INBOX_SUBJECTS,
    REJECTED_STREAM,
    REJECTED_SUBJECTS,
)
from eddyline_eventlog.appending import Cursor
from eddyline_ingest.jetstream import (
    MESSAGE_NOT_FOUND,
    NO_ACCOUNT_STORAGE,
    NO_STORAGE,
    STREAM_NOT_FOUND,
    ApiError,
    api,
)
from eddyline_ingest.log_writer.adoption import Inbox, position
from eddyline_ingest.log_writer.settings import LogWriterSettings

log = logging.getLogger(__name__)
Config = Callable[[int], dict[str, Any]]
OLDEST_SERVER = (2, 14)
DEFAULT_INBOX_BYTES = 8 * 1024**3
_LEAST_BYTES = 64 * 1024**2
_REJECTED_BYTES = 256 * 1024**2
_REJECTED_AGE_S = 7 * 24 * 3600.0


class UnusableInbox(RuntimeError):
    """The bus cannot hold the inbox as configured; the text says why and what to do."""


def check_server(version: tuple[int, int]) -> None:
    """Major and minor of the nats-server.

    Raises
    ------
    UnusableInbox
        If it is older than what the inbox uses; it would take the streams and leave out what it does not know.
    """
    if version < OLDEST_SERVER:
        have, least = ".".join(map(str, version)), ".".join(map(str, OLDEST_SERVER))
        raise UnusableInbox(
            f"nats-server {have} is too old for the inbox: upgrade it to {least} or newer, or unset EDDYLINE_NATS_URL "
            "and let `eddyline up` bring one along"
        )


def _inbox(settings: LogWriterSettings, max_bytes: int) -> dict[str, Any]:
    return {
        "name": INBOX_STREAM,
        "subjects": [INBOX_SUBJECTS],
        "storage": "file",
        "retention": "limits",
        # Full means refused, so that nothing unread is pushed out.
        "discard": "new",
        "allow_atomic": True,
        "max_age": _ns(settings.inbox_max_age_s),
        "max_bytes": max_bytes,
        "duplicate_window": _ns(min(settings.duplicate_window_s, settings.inbox_max_age_s)),
        "num_replicas": settings.replicas,
    }


def _rejected(settings: LogWriterSettings, max_bytes: int) -> dict[str, Any]:
    return {
        "name": REJECTED_STREAM,
        "subjects": [REJECTED_SUBJECTS],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "max_age": _ns(_REJECTED_AGE_S),
        "max_bytes": max_bytes,
        "duplicate_window": _ns(120),
        "num_replicas": settings.replicas,
    }


async def ensure_rejected(bus: Client, settings: LogWriterSettings) -> None:
    """Create or adjust ``REJECTED``."""
    await _ensure(bus, REJECTED_STREAM, lambda size: _rejected(settings, size), _REJECTED_BYTES, exact=False)


async def ensure_inbox(bus: Client, settings: LogWriterSettings, cursor: Cursor) -> Inbox:
    """Create or adjust ``EVENTS`` and say what it holds.

    A stream that is made here gets the epoch after the log's, at once and with it, so that nobody ever reads it
    without.
    """

    server = bus.connected_server_version
    check_server((server.major, server.minor))

    def config(size: int) -> dict[str, Any]:
        return _inbox(settings, size) | {"metadata": {EPOCH_METADATA: str(cursor.epoch + 1)}}

    wanted = settings.inbox_max_bytes or DEFAULT_INBOX_BYTES
    info = await _ensure(bus, INBOX_STREAM, config, wanted, exact=settings.inbox_max_bytes > 0)
    state, metadata = info["state"], info["config"].get("metadata") or {}
    written = metadata.get(EPOCH_METADATA, "")
    inbox = Inbox(
        created=info["created"],
        epoch=int(written) if written.isdigit() else None,
        first=state["first_seq"],
        last=state["last_seq"],
    )
    at = position(cursor)
    if inbox.created == cursor.stream_created and inbox.first <= at <= inbox.last and at > 0:
        return Inbox(inbox.created, inbox.epoch, inbox.first, inbox.last, await _recorded_ns(bus, at))
    return inbox


async def write_epoch(bus: Client, epoch: int) -> None:
    """Tell everybody who numbers places which epoch the inbox is of."""
    info = await api(bus, f"STREAM.INFO.{INBOX_STREAM}")
    config = info["config"]
    metadata = config.get("metadata") or {}
    if metadata.get(EPOCH_METADATA) != str(epoch):
        config["metadata"] = metadata | {EPOCH_METADATA: str(epoch)}
        await api(bus, f"STREAM.UPDATE.{INBOX_STREAM}", config)


async def _recorded_ns(bus: Client, number: int) -> int | None:
    try:
        answer = await api(bus, f"STREAM.MSG.GET.{INBOX_STREAM}", {"seq": number})
    except ApiError as error:
        if error.err_code == MESSAGE_NOT_FOUND:
            return None
        raise
    return nanoseconds(answer["message"]["time"])


def nanoseconds(text: str) -> int:
    """JetStream's RFC 3339 time, which has up to nine decimals, in ns since the Unix epoch."""
    whole, _, rest = text.partition(".")
    digits = rest.rstrip("Z")
    seconds = to_millis(datetime.fromisoformat(whole.rstrip("Z") + "+00:00")) * 1_000_000
    return seconds + int(digits.ljust(9, "0") or 0)


async def _ensure(bus: Client, name: str, config: Config, max_bytes: int, *, exact: bool) -> dict[str, Any]:
    """The stream's state, after making it what ``config(max_bytes)`` says.

    Unless ``exact``, less space will do where the server has less.
    """
    try:
        info: dict[str, Any] = await api(bus, f"STREAM.INFO.{name}")
    except ApiError as error:
        if error.err_code != STREAM_NOT_FOUND:
            raise
        return await _within_storage(bus, f"STREAM.CREATE.{name}", name, config, max_bytes, exact=exact)
    held: dict[str, Any] = info["config"]
    wanted = config(max_bytes)
    fixed = [key for key in ("storage", "retention", "subjects") if held.get(key) != wanted[key]]
    if fixed:
        raise UnusableInbox(
            f"the stream {name} on this server is another one ({', '.join(fixed)} differ): "
            "rename or delete it, or use another NATS account"
        )
    wanted.pop("metadata", None)
    # Space that was once found to be too much stays as it is, unless it was set on purpose.
    if not exact:
        wanted.pop("max_bytes")
    if all(held.get(key) == value for key, value in wanted.items()):
        return info

    def adjusted(size: int) -> dict[str, Any]:
        return held | wanted | ({"max_bytes": size} if exact else {})

    return await _within_storage(bus, f"STREAM.UPDATE.{name}", name, adjusted, max_bytes, exact=exact)


async def _within_storage(
    bus: Client, call: str, name: str, config: Config, max_bytes: int, *, exact: bool
) -> dict[str, Any]:
    size = max_bytes
    while True:
        try:
            info = await api(bus, call, config(size))
        except ApiError as error:
            if error.err_code in (NO_STORAGE, NO_ACCOUNT_STORAGE):
                if exact or size // 2 < _LEAST_BYTES:
                    raise UnusableInbox(
                        f"the bus has no room for {size:,} bytes of {name}: free disk space, raise the server's "
                        "JetStream limit, or set EDDYLINE_INBOX_MAX_BYTES lower"
                    ) from error
                size //= 2
                continue
            if error.code == 503:
                raise
            raise UnusableInbox(f"the bus refuses the stream {name}: {error}") from error
        if size < max_bytes:
            log.warning(
                "the bus has less room than wanted for %s",
                name,
                extra={"max_bytes": size, "wanted_bytes": max_bytes},
            )
        return info


def _ns(seconds: float) -> int:
    return int(seconds * 1_000_000_000)
