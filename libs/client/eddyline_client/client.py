"""The client for programs without an event loop: the same calls, on a thread of its own. Threads may share it."""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from eddyline_client.async_client import FEATURE_STORE, INGEST, RANKER, AsyncClient
from eddyline_client.errors import Closed, EddylineError
from eddyline_client.options import Batching, Reading
from eddyline_client.questions import Questions
from eddyline_client.sender import OnRejected, Sent
from eddyline_contracts.events import Event, SlateItem

_T = TypeVar("_T")
log = logging.getLogger(__name__)


class Client(Questions):
    """As `AsyncClient`, whose parameters it takes; ``on_rejected`` is called on the client's thread."""

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
        self._client: AsyncClient = AsyncClient(
            ranker=ranker,
            ingest=ingest,
            feature_store=feature_store,
            nats=nats,
            batching=batching,
            own_writes=own_writes,
            timeout_s=timeout_s,
            on_rejected=on_rejected,
        )
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that forgets to close must still end.
        self._thread = threading.Thread(target=self._loop.run_forever, name="eddyline-client", daemon=True)
        self._thread.start()
        # Also when the program ends without closing: what is queued is sent, or said to be lost.
        self._forgotten = weakref.finalize(self, _close_forgotten, self._client, self._loop, self._thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def item(
        self,
        item: str,
        fields: Mapping[str, Any] | None = None,
        *,
        removed: bool = False,
        occurred_at: datetime | int | None = None,
        id: str | None = None,
    ) -> None:
        """See `AsyncClient.item`."""
        self._do(self._client.item(item, fields, removed=removed, occurred_at=occurred_at, id=id))

    def user(
        self,
        user: str,
        fields: Mapping[str, Any] | None = None,
        *,
        occurred_at: datetime | int | None = None,
        id: str | None = None,
    ) -> None:
        """See `AsyncClient.user`."""
        self._do(self._client.user(user, fields, occurred_at=occurred_at, id=id))

    def interaction(
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
        """See `AsyncClient.interaction`."""
        self._do(
            self._client.interaction(
                item,
                user=user,
                session=session,
                slate=slate,
                action=action,
                value=value,
                fields=fields,
                occurred_at=occurred_at,
                id=id,
            )
        )

    def slate(
        self,
        items: Sequence[str | SlateItem],
        *,
        user: str | None = None,
        session: str | None = None,
        context: Mapping[str, Any] | None = None,
        occurred_at: datetime | int | None = None,
        id: str | None = None,
    ) -> None:
        """See `AsyncClient.slate`."""
        self._do(
            self._client.slate(
                items, user=user, session=session, context=context, occurred_at=occurred_at, id=id
            )
        )

    def send(self, events: Iterable[Event | Mapping[str, Any]]) -> Sent:
        """See `AsyncClient.send`."""
        return self._do(self._client.send(events))

    def flush(self) -> None:
        """See `AsyncClient.flush`."""
        self._do(self._client.flush())

    def close(self) -> None:
        """See `AsyncClient.close`."""
        if self._forgotten.detach() is None:
            return
        try:
            self._do(self._client.close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _do(self, call: Coroutine[Any, Any, _T]) -> _T:
        if self._loop.is_closed():
            call.close()
            raise Closed("this client was closed: make a new one")
        if threading.current_thread() is self._thread:
            call.close()
            raise RuntimeError(
                "a call from `on_rejected` would wait for itself: hand the event to another thread"
            )
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()


def _close_forgotten(client: AsyncClient, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    log.warning("an Eddyline client was not closed: closing it, which may take up to its timeout")
    closing = asyncio.run_coroutine_threadsafe(client.close(), loop)
    if threading.current_thread() is thread:
        return
    try:
        closing.result()
    except EddylineError as error:
        log.error("events of a client that was not closed: %s", error)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
