"""Sending goes on when ingest is away for a while, keeps the order, and gives up when it makes no sense."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from eddyline_cli.sending.ingest_client import IngestAway, IngestClient, IngestRefused
from eddyline_cli.servers.processes import free_port
from tests.support.waiting import wait_until


class Answers:
    """An ingest that answers as it is told, the last answer for ever."""

    def __init__(self, *answers: tuple[int, dict[str, Any], dict[str, str]]) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        status, body, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.json_response(body, status=status, headers=headers)


TAKEN = (200, {"accepted": 2, "duplicates": 0, "rejected": [], "sequence": 7}, {})


@asynccontextmanager
async def listening(answers: Answers, port: int = 0) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/v1/events", answers.handle)
    runner = web.AppRunner(app, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_busy_ingest_gets_the_same_events_again() -> None:
    busy = (503, {"detail": "the inbox is full"}, {"Retry-After": "0"})
    answers, waits = Answers(busy, busy, TAKEN), []
    async with listening(answers) as url, aiohttp.ClientSession() as session:
        receipt = await IngestClient(session, url, on_wait=waits.append).send([b'{"id":"a"}', b'{"id":"b"}'])
    assert receipt.sequence == 7
    assert answers.bodies == [b'{"id":"a"}\n{"id":"b"}'] * 3
    assert waits == ["the inbox is full"] * 2


async def test_an_ingest_that_comes_later_is_waited_for() -> None:
    port = free_port()
    waits: list[str] = []
    async with aiohttp.ClientSession() as session:
        client = IngestClient(session, f"http://127.0.0.1:{port}", on_wait=waits.append)
        sending = asyncio.create_task(client.send([b"{}"]))
        await wait_until(lambda: waits)
        async with listening(Answers(TAKEN), port):
            assert (await sending).accepted == 2


async def test_an_ingest_that_never_comes_is_given_up_with_its_address() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(IngestAway, match=url):
            await IngestClient(session, url, first_patience_s=0.2).send([b"{}"])


async def test_a_batch_of_which_every_event_is_refused_is_a_receipt_all_the_same() -> None:
    problem = {
        "title": "Refused",
        "status": 422,
        "detail": "all",
        "errors": [{"index": 0, "code": "x", "detail": "y"}],
    }
    async with listening(Answers((422, problem, {}))) as url, aiohttp.ClientSession() as session:
        receipt = await IngestClient(session, url).send([b"{}"])
    assert (receipt.accepted, receipt.rejected[0].detail) == (0, "y")


async def test_an_answer_that_waiting_does_not_change_ends_the_sending() -> None:
    wrong = (404, {"detail": "no such path"}, {})
    async with listening(Answers(wrong)) as url, aiohttp.ClientSession() as session:
        with pytest.raises(IngestRefused, match="404: no such path"):
            await IngestClient(session, url).send([json.dumps({}).encode()])
