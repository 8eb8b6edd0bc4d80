"""One question to the feature-store, one answer; and no request pays for a store that does not answer.

Nobody listening is known at once (the bus says so). A store that hangs costs the first few requests their timeout;
then it is *suspended*: requests go on without it, while a small question is sent behind them until it answers again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as BusError

from eddyline_contracts import candidates, vectors
from eddyline_contracts.candidates import CandidatesAnswer, CandidatesRequest, Known
from eddyline_contracts.subjects import candidates_subject, vectors_subject
from eddyline_contracts.vectors import VectorsAnswer, VectorsRequest
from eddyline_features.retrieval.because import NONE
from eddyline_ranker.bus_link import BusLink
from eddyline_ranker.errors import FeaturesLost
from eddyline_runtime.bus import heard

log = logging.getLogger(__name__)

_TIMEOUTS_TO_SUSPEND = 3
_PROBE_EVERY_S = 0.25
_REACHED_IN_S = 1.0
_NO_RESPONDERS = "503"
_NO_VECTORS = VectorsRequest(None, None, [])
_ONE_CANDIDATE = CandidatesRequest("", None, 1, priors=False)


class _Question(Protocol):
    @property
    def wait_ms(self) -> int: ...


class _Answer(Protocol):
    @property
    def error(self) -> str | None: ...


Q = TypeVar("Q", bound=_Question)
A = TypeVar("A", bound=_Answer)


@dataclass(slots=True)
class _Store:
    """What is known about how the feature-store of one view answers one kind of question."""

    subject: str
    timeouts: int = 0
    """In a row."""
    probing: asyncio.Task[None] | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Kind(Generic[Q, A]):
    """A kind of question, and the stores that it was put to, by view."""

    timeout_s: float
    subject: Callable[[str], str]
    encode: Callable[[Q], bytes]
    decode: Callable[[bytes], A]
    is_for: Callable[[A, Q], bool]
    """Whether an answer has the shape that the question asks for."""
    probe: Q
    """A small question of this kind: who does not answer it in time would not answer others."""
    stores: dict[str, _Store] = field(default_factory=dict)


class FeaturesClient:
    """Asks over the bus with an inbox of its own: fewer steps than the client's general request.

    Parameters
    ----------
    timeout_ms
        How long to wait for vectors, beside the wait that a question itself asks for.
    retrieval_timeout_ms
        The same for candidates, which take longer to find.
    """

    def __init__(self, link: BusLink, *, timeout_ms: int, retrieval_timeout_ms: int) -> None:
        self._link = link
        self._waiting: dict[str, asyncio.Future[Msg | None]] = {}
        self._inbox: str | None = None
        self._number = 0
        self._complained_at = 0.0
        self._vectors: _Kind[VectorsRequest, VectorsAnswer] = _Kind(
            timeout_ms / 1_000,
            vectors_subject,
            vectors.encode,
            vectors.decode_answer,
            _vectors_fit,
            _NO_VECTORS,
        )
        self._candidates: _Kind[CandidatesRequest, CandidatesAnswer] = _Kind(
            retrieval_timeout_ms / 1_000,
            candidates_subject,
            candidates.encode,
            candidates.decode_answer,
            _candidates_fit,
            _ONE_CANDIDATE,
        )

    async def run(self) -> None:
        """Open the inbox as soon as there is a bus, and hold it until cancelled."""
        client = await self._link.first_connection()
        inbox = client.new_inbox()
        subscription = await client.subscribe(f"{inbox}.*", cb=self._take)
        await heard(client)
        self._inbox = inbox
        try:
            await asyncio.Event().wait()
        finally:
            self._inbox = None
            for store in (*self._vectors.stores.values(), *self._candidates.stores.values()):
                if store.probing:
                    store.probing.cancel()
            if not client.is_closed:
                await subscription.unsubscribe()

    async def vectors(self, view: str, question: VectorsRequest) -> VectorsAnswer:
        """Vectors of the candidates by the store of this view.

        Raises
        ------
        FeaturesLost
            At once if nobody can answer; after the question's own ``wait_ms`` and the timeout otherwise. Nothing else
            is raised, whatever happens.
        """
        return await self._answer(self._vectors, view, question)

    async def candidates(self, view: str, question: CandidatesRequest) -> CandidatesAnswer:
        """Candidates from the whole catalogue by the store of this view, or why it refuses the question.

        Raises
        ------
        FeaturesLost
            As `vectors`.
        """
        return await self._answer(self._candidates, view, question)

    async def reachable(self, view: str) -> int:
        """Number of columns of the store of this view, asked without candidates.

        Raises
        ------
        FeaturesLost
            If it does not answer.
        """
        return (await self._ask(self._vectors, vectors_subject(view), _NO_VECTORS, _REACHED_IN_S)).n_features

    async def _answer(self, kind: _Kind[Q, A], view: str, question: Q) -> A:
        store = kind.stores.get(view)
        if store is None:
            store = kind.stores[view] = _Store(kind.subject(view))
        if store.probing:
            raise FeaturesLost("suspended")
        try:
            answer = await self._ask(kind, store.subject, question, kind.timeout_s + question.wait_ms / 1_000)
        except FeaturesLost as lost:
            if lost.reason == "timeout":
                self._count_timeout(kind, store)
            raise
        except Exception as error:
            # Whatever it is, it must not cost the answer.
            self._complain(store.subject, repr(error))
            raise FeaturesLost("error", repr(error)) from error
        store.timeouts = 0
        return answer

    async def _ask(self, kind: _Kind[Q, A], subject: str, question: Q, timeout_s: float) -> A:
        client = self._link.client
        if client is None or self._inbox is None or not client.is_connected:
            raise FeaturesLost("bus")
        self._number += 1
        reply = f"{self._inbox}.{self._number}"
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Msg | None] = loop.create_future()
        self._waiting[reply] = future
        timer = loop.call_later(timeout_s, self._expire, reply)
        try:
            await client.publish(subject, kind.encode(question), reply=reply)
            message = await future
        except BusError as error:
            raise FeaturesLost("bus", str(error)) from error
        finally:
            timer.cancel()
            self._waiting.pop(reply, None)
        if message is None:
            raise FeaturesLost("timeout")
        if message.headers and message.headers.get("Status") == _NO_RESPONDERS:
            raise FeaturesLost("no_responders")
        try:
            answer = kind.decode(message.data)
        except msgspec.MsgspecError as error:
            raise FeaturesLost("error", f"the answer cannot be read: {error}") from error
        if answer.error is not None:
            self._complain(subject, answer.error)
            raise FeaturesLost("error", answer.error)
        if not kind.is_for(answer, question):
            self._complain(subject, "the answer is not for the question")
            raise FeaturesLost("error", "the answer is not for the question")
        return answer

    def _complain(self, subject: str, error: str) -> None:
        """Once a second is enough: there may be hundreds, and the metric counts them all."""
        now = time.monotonic()
        if now - self._complained_at > 1.0:
            self._complained_at = now
            log.warning("the feature-store gave no answer: %s", error, extra={"subject": subject})

    async def _take(self, message: Msg) -> None:
        future = self._waiting.get(message.subject)
        if future is not None and not future.done():
            future.set_result(message)

    def _expire(self, reply: str) -> None:
        future = self._waiting.get(reply)
        if future is not None and not future.done():
            future.set_result(None)

    def _count_timeout(self, kind: _Kind[Any, Any], store: _Store) -> None:
        store.timeouts += 1
        if store.timeouts >= _TIMEOUTS_TO_SUSPEND and store.probing is None:
            log.warning(
                "the feature-store does not answer: going on without it", extra={"subject": store.subject}
            )
            store.probing = asyncio.create_task(self._probe(kind, store))

    async def _probe(self, kind: _Kind[Any, Any], store: _Store) -> None:
        try:
            while True:
                try:
                    # By the same patience, or one that is too slow would be asked again at once.
                    await self._ask(kind, store.subject, kind.probe, kind.timeout_s)
                except FeaturesLost as lost:
                    if lost.reason != "timeout":
                        # Not hanging but gone, or the bus is: both are known at once without probing.
                        break
                    await asyncio.sleep(_PROBE_EVERY_S)
                else:
                    log.info("the feature-store answers again", extra={"subject": store.subject})
                    break
        finally:
            store.timeouts = 0
            store.probing = None


def _vectors_fit(answer: VectorsAnswer, question: VectorsRequest) -> bool:
    n = 4 * len(question.items)
    return (
        len(answer.vectors) == n * answer.n_features
        and (len(answer.priors) == n or not (question.priors or answer.priors))
        and len(answer.deviations) in (0, n)
    )


def _known_fits(known: Known, n: int) -> bool:
    n_recent = len(known.recent)
    return (
        len(known.beside) == len(known.near) == len(known.first_seen) == n
        and all(led < n_recent or led == NONE for led in (*known.beside, *known.near))
        and all(len(values) == n for values in known.values.values())
        and all(len(values) == n_recent for values in known.recent_values.values())
    )


def _candidates_fit(answer: CandidatesAnswer, question: CandidatesRequest) -> bool:
    if answer.refused is not None:
        return True
    n = len(answer.items)
    return (
        n <= question.n
        and len(answer.vectors) == 4 * n * answer.n_features
        and len(answer.source) == n
        and max(answer.source, default=-1) < len(answer.sources)
        and (len(answer.priors) == 4 * n or not (question.priors or answer.priors))
        and len(answer.values) == len(question.fields)
        and all(len(values) == n for values in answer.values)
        and len(answer.embeddings) % max(1, 4 * n) == 0
        and len(answer.deviations) in (0, 4 * n)
        and (answer.known is None or _known_fits(answer.known, n))
    )
