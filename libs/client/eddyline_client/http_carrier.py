"""Batches by HTTP: ``POST /v1/events`` of ingest, which answers once the inbox has stored them."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp
import msgspec

from eddyline_client.carrier import Again, Outcome, Refused, Stored
from eddyline_client.outgoing import Outgoing
from eddyline_contracts.api import Problem, Receipt, Rejection

_receipt = msgspec.json.Decoder(Receipt).decode
LATER = (408, 425, 429, 503)
"""Answers that say to come again."""
_problem = msgspec.json.Decoder(Problem).decode


class HttpCarrier:
    """Sends by the session of the client, which closes it."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url.rstrip('/')}/v1/events"

    async def send(self, events: Sequence[Outgoing]) -> list[Outcome]:
        """See `Carrier`."""
        body = b"[" + b",".join(event.payload for event in events) + b"]"
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self._url, data=body, headers=headers) as answer:
                told = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            return [Again(f"{self._url}: {error or type(error).__name__}")] * len(events)
        if answer.status in LATER:
            return [Again(_detail(told), retry_after_s(answer.headers.get("Retry-After")))] * len(events)
        try:
            if answer.status == 200:
                receipt = _receipt(told)
                return _sorted(len(events), receipt.rejected, receipt.sequence)
            if answer.status in (400, 413, 422):
                problem = _problem(told)
                if problem.errors:
                    return _sorted(len(events), problem.errors, None)
                return await self._each(events, Refused(problem.code, problem.detail))
        except msgspec.MsgspecError:
            if answer.status == 413:
                # As a proxy says it.
                return await self._each(
                    events, Refused("too_large", f"{self._url} takes no body of {len(body):,} bytes")
                )
        reason = f"{self._url} answered {answer.status}: is that ingest?"
        return [Again(reason, misdirected=answer.status < 500)] * len(events)

    async def _each(self, events: Sequence[Outgoing], refused: Refused) -> list[Outcome]:
        """What is said of a whole body may be true of its size only: halves are tried, down to a single event."""
        if len(events) == 1:
            return [refused]
        middle = len(events) // 2
        first = await self.send(events[:middle])
        # Order: what follows waits for what has to come again.
        if any(isinstance(outcome, Again) for outcome in first):
            return [*first, *[Again("what was sent before it has to come again")] * (len(events) - middle)]
        return [*first, *await self.send(events[middle:])]

    async def close(self) -> None:
        """The session is the client's."""


def _sorted(n_events: int, rejections: Sequence[Rejection], sequence: int | None) -> list[Outcome]:
    outcomes: list[Outcome] = [Stored(sequence)] * n_events
    for rejection in rejections:
        outcomes[rejection.index] = Refused(rejection.code, rejection.detail)
    return outcomes


def _detail(body: bytes) -> str:
    try:
        return _problem(body).detail
    except msgspec.MsgspecError:
        return "unavailable"


def retry_after_s(value: str | None) -> float:
    """Seconds that a ``Retry-After`` asks for; 0 where it says nothing usable."""
    return float(value) if value is not None and value.isascii() and value.isdigit() else 0.0
