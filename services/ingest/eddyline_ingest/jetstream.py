"""JetStream's own API, as far as ingest and the log writer need it: requests in JSON, errors with their numbers."""

from __future__ import annotations

from typing import Any

import msgspec
import nats.errors
from nats.aio.client import Client

TIMEOUT_S = 5.0
STREAM_NOT_FOUND = 10059
MESSAGE_NOT_FOUND = 10037
NO_STORAGE = 10047
NO_ACCOUNT_STORAGE = 10028
BATCH_HAS_DUPLICATE = 10201
STORE_FAILED = 10077
_UNAVAILABLE = (429, 503)


class ApiError(Exception):
    """JetStream refused a request."""

    def __init__(self, code: int, err_code: int, description: str) -> None:
        super().__init__(f"{description} ({err_code})")
        self.code = code
        self.err_code = err_code
        self.description = description


def is_transient(error: BaseException) -> bool:
    """Whether the bus may answer later as if nothing had been."""
    if isinstance(error, ApiError):
        # A full stream answers with the same code, and stays full.
        return error.code in _UNAVAILABLE and error.err_code != STORE_FAILED
    return isinstance(error, nats.errors.Error | TimeoutError | OSError)


def checked(raw: bytes) -> dict[str, Any]:
    """An answer of the API or a publish acknowledgement, decoded.

    Raises
    ------
    ApiError
        If it says that the request was refused.
    """
    answer: dict[str, Any] = msgspec.json.decode(raw)
    error = answer.get("error")
    if error:
        raise ApiError(
            error.get("code", 0), error.get("err_code", 0), error.get("description", "no reason given")
        )
    return answer


async def api(bus: Client, call: str, body: Any = None, *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Ask ``$JS.API.<call>``.

    Raises
    ------
    ApiError
        If the answer is a refusal.
    nats.errors.Error
        If there is no answer.
    """
    raw = b"" if body is None else msgspec.json.encode(body)
    return checked((await bus.request(f"$JS.API.{call}", raw, timeout=timeout_s)).data)
