"""The ranker's questions over the bus, each answered from the state as it is at that moment.

A question that must wait for its place in the log is parked in a task of its own: the subscription hands questions
over one by one, and one that waited there would hold up all behind it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from functools import partial
from time import perf_counter

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from eddyline_feature_store import metrics
from eddyline_feature_store.live_fold import LiveFold
from eddyline_feature_store.questions import Question, Waits, questions
from eddyline_runtime.clock import Clock

log = logging.getLogger(__name__)

QUEUE_GROUP = "feature-store"


class Answering:
    """Answers what the ranker asks as one of a queue group of replicas."""

    def __init__(
        self, client: Client, fold: LiveFold, *, max_waiters: int, max_wait_ms: int, clock: Clock
    ) -> None:
        self._client = client
        self._fold = fold
        self._max_waiters = max_waiters
        self._max_wait_ms = max_wait_ms
        self._questions = questions(fold.state, clock)
        self._parked: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Answer from the moment the state has caught up until cancelled."""
        await self._fold.caught_up.wait()
        for question in self._questions:
            # Nobody waits for it; the first who asks would, longer than a ranker does.
            question.answer(question.first())
        try:
            async with AsyncExitStack() as stack:
                for question in self._questions:
                    subscription = await self._client.subscribe(
                        question.subject, queue=QUEUE_GROUP, cb=partial(self._take, question)
                    )
                    # Let go of the subjects first, so that another replica gets what comes now.
                    stack.push_async_callback(_let_go, subscription)
                    log.info(
                        "answering",
                        extra={"subject": question.subject, "sequence": self._fold.state.sequence},
                    )
                await asyncio.Event().wait()
        finally:
            for task in self._parked:
                task.cancel()

    async def _take(self, question: Question, message: Msg) -> None:
        try:
            request = question.decode(message.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            await self._refuse(question, message, f"the request cannot be read: {error}")
            return
        if request.min_sequence > self._fold.state.sequence and request.wait_ms > 0:
            if len(self._parked) < self._max_waiters:
                task = asyncio.create_task(self._wait(question, message, request))
                self._parked.add(task)
                task.add_done_callback(self._parked.discard)
                return
            log.debug("too many requests wait for their place in the log already")
        await self._answer(question, message, request)

    async def _wait(self, question: Question, message: Msg, request: Waits) -> None:
        wait_ms = min(request.wait_ms, self._max_wait_ms)
        await self._fold.reached(request.min_sequence, wait_ms / 1_000)
        await self._answer(question, message, request)

    async def _answer(self, question: Question, message: Msg, request: Waits) -> None:
        started = perf_counter()
        try:
            answer = question.answer(request)
        except Exception as error:
            # A fault in one request must not end the subscription that serves all.
            log.exception("%s could not be read", question.what)
            await self._refuse(question, message, f"{type(error).__name__}: {error}")
            return
        question.seconds.observe(perf_counter() - started)
        try:
            await self._client.publish(message.reply, question.encode(answer))
        except nats.errors.MaxPayloadError:
            await self._refuse(
                question, message, f"the {question.what} are larger than the bus takes: raise its max_payload"
            )
            return
        except nats.errors.Error as error:
            log.warning("an answer could not be sent: %s", error or type(error).__name__)
            return
        (metrics.ANSWERS_STALE if answer.stale else metrics.ANSWERS_FRESH).inc()

    async def _refuse(self, question: Question, message: Msg, why: str) -> None:
        metrics.ANSWERS_ERROR.inc()
        try:
            if message.reply:
                await self._client.publish(message.reply, question.encode(question.refuse(why)))
        except nats.errors.Error as error:
            log.warning("a refusal could not be sent: %s", error or type(error).__name__)


async def _let_go(subscription: Subscription) -> None:
    try:
        await subscription.unsubscribe()
    except nats.errors.Error:
        log.debug("the bus is away already")
