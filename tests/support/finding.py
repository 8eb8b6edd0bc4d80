"""What answers questions for candidates in a test: the state of a log, on the real bus, with a hand on what it says."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
from nats.aio.client import Client
from nats.aio.msg import Msg

from eddyline_contracts.candidates import CandidatesAnswer, CandidatesRequest, decode_request, encode
from eddyline_contracts.subjects import candidates_subject
from eddyline_features.state import State


def found(state: State, asked: CandidatesRequest) -> CandidatesAnswer:
    """What a feature-store with this state answers (filters are not heeded)."""
    at = state.time_of(asked.at, time.time_ns() // 1_000_000)
    chosen = state.candidates(asked.user, asked.session, asked.context, at, asked.n, exclude=asked.exclude)
    vectors = state.vectors(asked.user, asked.session, chosen.items, None, asked.context, at)
    priors = state.first_scores(asked.user, asked.session, chosen.items, at) if asked.priors else np.empty(0)
    return CandidatesAnswer(
        state.sequence,
        at,
        len(state.view.columns),
        chosen.items,
        list(chosen.sources),
        chosen.source.tobytes(),
        np.ascontiguousarray(vectors, "<f4").tobytes(),
        np.ascontiguousarray(priors, "<f4").tobytes(),
        [state.fields.texts(name, chosen.rows) for name in asked.fields],
        stale=asked.min_sequence > state.sequence,
    )


@asynccontextmanager
async def a_finder(
    client: Client, view: str, answer: Callable[[CandidatesRequest], CandidatesAnswer | None]
) -> AsyncIterator[list[CandidatesRequest]]:
    """Answer what is asked of a view while the block runs, with silence where ``answer`` gives none."""
    heard: list[CandidatesRequest] = []

    async def hear(message: Msg) -> None:
        asked = decode_request(message.data)
        heard.append(asked)
        told = answer(asked)
        if told is not None:
            await client.publish(message.reply, encode(told))

    subscription = await client.subscribe(candidates_subject(view), cb=hear)
    await client.flush()
    try:
        yield heard
    finally:
        await subscription.unsubscribe()
