"""The ranker's questions over the bus, each answered from the state as it is at that moment.

A question that must wait for its place in the log is parked in a task of its own: the subscription hands questions
over one by one, and one that waited there would hold up all behind it.
"""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter

import msgspec
import nats.errors
import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg

from eddyline_contracts.subjects import vectors_subject
from eddyline_contracts.vectors import VectorsAnswer, VectorsRequest, decode_request, encode
from eddyline_feature_store import metrics
from eddyline_feature_store.live_fold import LiveFold
from eddyline_runtime.clock import Clock

log = logging.getLogger(__name__)

QUEUE_GROUP = "feature-store"


class Answering:
    """Answers vectors requests as one of a queue group of replicas."""

    def __init__(
        self, client: Client, fold: LiveFold, *, max_waiters: int, max_wait_ms: int, clock: Clock
    ) -> None:
        self._client = client
        self._fold = fold
        self._max_waiters = max_waiters
        self._max_wait_ms = max_wait_ms
        self._clock = clock
        self._parked: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Answer from the moment the state has caught up until cancelled."""
        await self._fold.caught_up.wait()
        subject = vectors_subject(self._fold.state.view.id)
        subscription = await self._client.subscribe(subject, queue=QUEUE_GROUP, cb=self._take)
        log.info("answering", extra={"subject": subject, "sequence": self._fold.state.sequence})
        try:
            await asyncio.Event().wait()
        finally:
            # Let go of the subject first, so that another replica gets what comes now.
            try:
                await subscription.unsubscribe()
            except nats.errors.Error:
                log.debug("the bus is away already")
            for task in self._parked:
                task.cancel()

    async def _take(self, message: Msg) -> None:
        try:
            request = decode_request(message.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            await self._refuse(message, f"the request cannot be read: {error}")
            return
        if request.min_sequence > self._fold.state.sequence and request.wait_ms > 0:
            if len(self._parked) < self._max_waiters:
                task = asyncio.create_task(self._wait(message, request))
                self._parked.add(task)
                task.add_done_callback(self._parked.discard)
                return
            log.debug("too many requests wait for their place in the log already")
        await self._answer(message, request)

    async def _wait(self, message: Msg, request: VectorsRequest) -> None:
        wait_ms = min(request.wait_ms, self._max_wait_ms)
        await self._fold.reached(request.min_sequence, wait_ms / 1_000)
        await self._answer(message, request)

    async def _answer(self, message: Msg, request: VectorsRequest) -> None:
        started = perf_counter()
        try:
            answer = self._read(request)
        except Exception as error:
            # A fault in one request must not end the subscription that serves all.
            log.exception("vectors could not be read")
            await self._refuse(message, f"{type(error).__name__}: {error}")
            return
        metrics.VECTORS_SECONDS.observe(perf_counter() - started)
        try:
            await self._client.publish(message.reply, encode(answer))
        except nats.errors.MaxPayloadError:
            await self._refuse(message, "the vectors are larger than the bus takes: raise its max_payload")
            return
        except nats.errors.Error as error:
            log.warning("an answer could not be sent: %s", error or type(error).__name__)
            return
        (metrics.ANSWERS_STALE if answer.stale else metrics.ANSWERS_FRESH).inc()

    def _read(self, request: VectorsRequest) -> VectorsAnswer:
        state = self._fold.state
        items, fields = request.items, request.item_fields
        if fields is not None and len(fields) != len(items):
            raise ValueError(f"{len(items)} items have {len(fields)} item_fields")
        at = state.time_of(request.at, self._clock())
        vectors = priors = deviations = b""
        if items:
            table = state.vectors(request.user, request.session, items, fields, request.context, at)
            vectors = np.ascontiguousarray(table, "<f4").tobytes()
            if request.priors:
                scores = state.first_scores(request.user, request.session, items, at)
                priors = np.ascontiguousarray(scores, "<f4").tobytes()
            if request.deviations:
                deviations = np.ascontiguousarray(state.deviations(items, at), "<f4").tobytes()
        return VectorsAnswer(
            state.sequence,
            at,
            len(state.view.columns),
            vectors,
            priors,
            request.min_sequence > state.sequence,
            deviations=deviations,
        )

    async def _refuse(self, message: Msg, why: str) -> None:
        metrics.ANSWERS_ERROR.inc()
        answer = VectorsAnswer(self._fold.state.sequence, 0, 0, b"", b"", error=why)
        try:
            if message.reply:
                await self._client.publish(message.reply, encode(answer))
        except nats.errors.Error as error:
            log.warning("a refusal could not be sent: %s", error or type(error).__name__)
