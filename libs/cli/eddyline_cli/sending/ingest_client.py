"""A client of ingest that waits while it is away, and sends the same events again without counting them twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import msgspec

from eddyline_contracts.api import Receipt

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)
_FIRST_WAIT_S, _MOST_WAIT_S = 0.1, 5.0
_receipt = msgspec.json.Decoder(Receipt)


class IngestAway(RuntimeError):
    """Ingest could not be reached for too long."""


class IngestRefused(RuntimeError):
    """Ingest does not take the request as a whole."""


class IngestClient:
    """Sends batches to ``POST /v1/events``, one request at a time, so that events keep their order.

    Parameters
    ----------
    url
        Where ingest is; asked before each try where it is a function, since a restarted one may be elsewhere.
    patience_s
        How long to try when ingest was reached before; ``first_patience_s`` when it never was.
    on_wait
        Called with the reason before each wait.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str | Callable[[], str],
        *,
        patience_s: float = 600.0,
        first_patience_s: float = 30.0,
        on_wait: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._session = session
        self._where = url
        self._patience_s = patience_s
        self._first_patience_s = first_patience_s
        self._on_wait = on_wait
        self._reached = False

    @property
    def _url(self) -> str:
        return (self._where if isinstance(self._where, str) else self._where()).rstrip("/")

    async def send(self, events: Sequence[bytes]) -> Receipt:
        """Send events (each one JSON object with an id) and return what the inbox stored.

        Raises
        ------
        IngestAway
            After too long a wait.
        IngestRefused
            If the request is answered by an error that waiting does not change.
        """
        body = b"\n".join(events)
        began = time.monotonic()
        wait = _FIRST_WAIT_S
        while True:
            try:
                return await self._post(body)
            except _Later as later:
                patience = self._patience_s if self._reached else self._first_patience_s
                if time.monotonic() - began > patience:
                    raise IngestAway(
                        f"{self._url} could not be reached for {patience:.0f} s: {later}"
                    ) from later
                self._on_wait(str(later))
                await asyncio.sleep(max(wait, later.after_s))
                wait = min(wait * 2, _MOST_WAIT_S)

    async def _post(self, body: bytes) -> Receipt:
        headers = {"Content-Type": "application/x-ndjson"}
        try:
            async with self._session.post(
                f"{self._url}/v1/events", data=body, headers=headers, timeout=_TIMEOUT
            ) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _Later(str(error) or type(error).__name__) from error
        if answer.status >= 500 or answer.status in (408, 429):
            raise _Later(_detail(raw) or f"status {answer.status}", _retry_after(answer))
        self._reached = True
        if answer.status == 200:
            return _receipt.decode(raw)
        try:
            # All events of the batch were refused: the problem lists them.
            problem: dict[str, Any] = msgspec.json.decode(raw)
            if errors := problem.get("errors"):
                told = {"accepted": 0, "duplicates": 0, "rejected": errors, "sequence": None}
                return msgspec.convert(told, Receipt)
        except (msgspec.MsgspecError, AttributeError):
            pass
        raise IngestRefused(f"{self._url} answered {answer.status}: {_detail(raw) or answer.reason}")


class _Later(Exception):
    """Worth another try."""

    def __init__(self, reason: str, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.after_s = after_s


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said), _MOST_WAIT_S) if said.isdigit() else 0.0


def _detail(raw: bytes) -> str:
    try:
        told = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return ""
    return str(told.get("detail", "")) if isinstance(told, dict) else ""
