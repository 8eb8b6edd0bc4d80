"""Listening on the bus to what the ranker receives: the very bytes of the vectors it scored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.aio.msg import Msg

from eddyline_contracts.vectors import VectorsAnswer, VectorsRequest, decode_answer, decode_request


@asynccontextmanager
async def tapped(nats_url: str, view: str) -> AsyncIterator[list[tuple[VectorsRequest, VectorsAnswer]]]:
    """Yield a list that grows by each question about vectors and its answer."""
    heard: list[tuple[VectorsRequest, VectorsAnswer]] = []
    asked: dict[str, VectorsRequest] = {}
    client = await nats.connect(nats_url, max_reconnect_attempts=-1, reconnect_time_wait=0.1)

    async def listen(message: Msg) -> None:
        # One subscription for both, so that a question is heard before its answer.
        if message.subject == f"features.{view}.vectors":
            asked[message.reply] = decode_request(message.data)
        elif (request := asked.pop(message.subject, None)) is not None and message.data:
            # Without data it is the server's own answer: that nobody is there.
            heard.append((request, decode_answer(message.data)))

    await client.subscribe(">", cb=listen)
    await client.flush()
    try:
        yield heard
    finally:
        await client.close()
