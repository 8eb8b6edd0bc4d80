"""Texts of requests are read while somebody waits, and only for as many as can wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import cast

import numpy as np
from nats.aio.client import Client
from numpy.typing import NDArray

from eddyline_encoder.answering import Answering
from eddyline_encoder.worker import Worker
from eddyline_encoding.choosing import Fixed


class Slow:
    """Reads nothing before it may."""

    id, dims = "slow", 1

    def __init__(self) -> None:
        self.may = threading.Event()
        self.n_read = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        assert self.may.wait(20)
        self.n_read += len(texts)
        return np.ones((len(texts), 1), np.float32)


async def test_when_more_ask_than_can_be_read_in_time_the_rest_goes_without_at_once() -> None:
    encoder, worker = Slow(), Worker(0)
    answering = Answering(cast(Client, None), Fixed(encoder), worker)
    asking = [asyncio.create_task(answering.read(f"text {n}".encode())) for n in range(100)]
    refused, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result() for task in refused} == {""}
    assert encoder.n_read == 0
    encoder.may.set()
    answers = await asyncio.gather(*asking)
    assert 0 < encoder.n_read == len(waiting) == sum(map(bool, answers)) < 100
    assert (await answering.read(b"one more")).startswith("slow:")
    await worker.close()
