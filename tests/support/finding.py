"""What answers questions for candidates where a test says what: silence, refusals, on the real bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.aio.msg import Msg

from eddyline_contracts.candidates import CandidatesAnswer, CandidatesRequest, decode_request, encode
from eddyline_contracts.subjects import candidates_subject


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
