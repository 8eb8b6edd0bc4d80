"""The client for programs with an event loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp

from eddyline_client.async_questions import AsyncQuestions
from eddyline_client.bus_carrier import BusCarrier
from eddyline_client.carrier import Carrier
from eddyline_client.errors import Closed
from eddyline_client.http_carrier import HttpCarrier
from eddyline_client.options import Batching, Reading
from eddyline_client.outgoing import Ticket, moment, outgoing_of
from eddyline_client.own_writes import OwnWrites
from eddyline_client.sender import OnRejected, Sender, Sent, sent_of
from eddyline_contracts.events import (
    Event,
    InteractionRecorded,
    ItemUpserted,
    SlateItem,
    SlateServed,
    UserUpserted,
)

RANKER, INGEST, FEATURE_STORE = (f"http://127.0.0.1:{port}" for port in (7440, 7441, 7442))


class AsyncClient(AsyncQuestions):
    """Sends events, and asks for slates that reflect them. Use it as ``async with AsyncClient() as client``.

    ``item``, ``user``, ``interaction`` and ``slate`` return as soon as the event is queued; it is sent within
    milliseconds, again under the same id until it is stored. ``send`` waits for that. What is refused is raised by the
    ``send`` that it belongs to, else given to ``on_rejected``, else raised by the next ``flush`` or ``close``.

    Parameters
    ----------
    ranker, ingest, feature_store
        Addresses of the services; the last for ``similar`` and ``trending`` only.
    nats
        With it, events go over the bus instead of ingest.
    batching
        How events are gathered, kept and sent again.
    own_writes
        ``user``: a slate for a person reflects what this client sent about that person, and about items. ``client``:
        all that it sent. ``off``: nothing is waited for.
    timeout_s
        How long ``send``, ``flush``, ``close`` and each question may take, in seconds.
    """

    def __init__(
        self,
        *,
        ranker: str = RANKER,
        ingest: str = INGEST,
        feature_store: str = FEATURE_STORE,
        nats: str | None = None,
        batching: Batching | None = None,
        own_writes: Reading = "user",
        timeout_s: float = 10.0,
        on_rejected: OnRejected | None = None,
    ) -> None:
        self._ranker = ranker
        self._ingest = ingest
        self._feature_store = feature_store
        self._nats = nats
        self._batching = batching or Batching()
        self._timeout_s = timeout_s
        self._on_rejected = on_rejected
        self._own = OwnWrites(own_writes)
        self._session: aiohttp.ClientSession | None = None
        self._sender: Sender | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def item(
        self,
        item: str,
        fields: Mapping[str, Any] | None = None,
        *,
        removed: bool = False,
        occurred_at: datetime | int | None = None,
        id: str | None = None,
    ) -> None:
        """An item appeared or changed; a field of None is removed."""
        at = moment(occurred_at)
        await self._emit(
            ItemUpserted(id=id, occurred_at=at, item=item, fields=dict(fields or {}), removed=removed)
        )

    async def user(
        self,
        user: str,
        fields: Mapping[str, Any] | None = None,
        *,
        occurred_at: datetime | int | None = None,
        id: str | None = None,
    ) -> None:
        """A user appeared or changed."""
        await self._emit(
            UserUpserted(id=id, occurred_at=moment(occurred_at), user=user, fields=dict(fields or {}))
        )

    async def interaction(
        self,
        item: str,
        *,
        user: str | None = None,
        session: str | None = None,
        slate: str | None = None,
        action: str = "click",
        value: float = 1.0,
        fields: Mapping[str, Any] | None = None,
        occurred_at: datetime | int | None = None,
        id: str | None = None,
    ) -> None:
        """A person acted on an item; ``slate`` names the list that showed it."""
        await self._emit(
            InteractionRecorded(
                id=id,
                occurred_at=moment(occurred_at),
                user=user,
                session=session,
                item=item,
                slate=slate,
                action=action,
                value=value,
                fields=dict(fields or {}),
            )
        )

    async def slate(
        self,
        items: Sequence[str | SlateItem],
        *,
        user: str | None = None,
        session: str | None = None,
        context: Mapping[str, Any] | None = None,
        occurred_at: datetime | int | None = None,
        id: str | None = None,
    ) -> None:
        """A list was shown that Eddyline did not order; what it orders is logged by itself."""
        shown = [SlateItem(item=item) if isinstance(item, str) else item for item in items]
        at = moment(occurred_at)
        await self._emit(
            SlateServed(
                id=id, occurred_at=at, user=user, session=session, items=shown, context=dict(context or {})
            )
        )

    async def send(self, events: Iterable[Event | Mapping[str, Any]]) -> Sent:
        """Send these events and wait until each is stored; they go in this order.

        Raises
        ------
        Rejected
            If some were refused; the others are stored.
        Unavailable
            If they could not be stored in time; the client goes on trying.
        """
        sender, ticket, number = self._open(), Ticket(), 0
        # All are named and encoded before the first is taken: a call that fails here has sent nothing.
        outgoing = [outgoing_of(event) for event in events]
        for index, event in enumerate(outgoing):
            event.index, event.ticket = index, ticket
            number = await sender.take(event, self._timeout_s)
        await sender.settle(number, self._timeout_s)
        return sent_of(ticket)

    async def flush(self) -> None:
        """Wait until all that was queued is stored; raises as `send` does."""
        await self._open().flush(self._timeout_s)

    async def close(self) -> None:
        """Send what is left, and let go of the connections.

        Raises
        ------
        Unavailable
            With the events that nobody acknowledged, in ``unsent``.
        """
        self._closed = True
        try:
            if self._sender is not None:
                await self._sender.close(self._timeout_s)
        finally:
            if self._session is not None:
                await self._session.close()

    async def _emit(self, event: Event) -> None:
        sender = self._open()
        await sender.take(outgoing_of(event), self._timeout_s)

    def _open(self) -> Sender:
        if self._closed:
            raise Closed("this client was closed: make a new one")
        if self._sender is None:
            timeout = aiohttp.ClientTimeout(total=None, connect=2.0)
            self._session = aiohttp.ClientSession(timeout=timeout)
            carrier: Carrier = (
                BusCarrier(self._nats) if self._nats is not None else HttpCarrier(self._session, self._ingest)
            )
            self._sender = Sender(carrier, self._batching, self._own, self._on_rejected)
        return self._sender
