"""People who ask for lists while champions come and go: ``python -m benchmarks.succession_load ARGUMENTS``.

A process of its own, so that what it does delays nobody. Each list that it gets is clicked once.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

import msgspec
import nats
import uvloop
from msgspec import Struct

from benchmarks.rank_load import Connection, http_request
from eddyline_contracts.events import InteractionRecorded, encode, type_of
from eddyline_contracts.subjects import MSG_ID, event_subject, message_id
from tests.support.closed_loop.loop import N_ITEMS, N_PEOPLE

N_CANDIDATES = 100


class Answered(Struct, frozen=True, array_like=True):
    """What came of one request."""

    at: float
    """When it was to be sent, in seconds since the first."""
    ms: float
    """From then on to the answer."""
    outcome: str
    """``whole``, what was missing, or the status."""
    model: str | None


async def ask(url: str, bus: str, begins: float, n: int, rate: float) -> list[Answered]:
    """Send ``n`` requests, the first at ``begins`` (seconds since the Unix epoch), at ``rate`` a second."""
    loop = asyncio.get_running_loop()
    host, port = url.removeprefix("http://").split(":")
    client = await nats.connect(bus)
    js = client.jetstream(publish_async_max_pending=2_000)
    rng = random.Random(1)
    raws = [http_request(_request(rng)) for _ in range(n)]
    idle: list[Connection] = []
    found: list[Answered] = []
    first = time.perf_counter() + begins - time.time()

    async def one(k: int) -> None:
        at = first + k / rate
        if idle:
            connection = idle.pop()
        else:
            _, connection = await loop.create_connection(Connection, host, int(port))
        answer = await connection.call(raws[k])
        ms = 1e3 * (time.perf_counter() - at)
        idle.append(connection)
        head, body = answer.split(b"\r\n\r\n", 1)
        status = head.split(b" ", 2)[1].decode()
        if status != "200":
            found.append(Answered(k / rate, ms, status, None))
            return
        told = json.loads(body)
        found.append(Answered(k / rate, ms, "+".join(told["degraded"]) or "whole", told["model"]))
        click = InteractionRecorded(
            id=f"clicked-{k}",
            user=f"sim-user-{k % N_PEOPLE}",
            item=told["items"][0]["item"],
            slate=told["slate"],
        )
        headers = {MSG_ID: message_id(f"clicked-{k}")}
        await js.publish_async(event_subject(type_of(click)), encode(click), headers=headers)

    tasks = []
    for k in range(n):
        left = first + k / rate - time.perf_counter()
        if left > 0:
            await asyncio.sleep(left)
        tasks.append(asyncio.create_task(one(k)))
    await asyncio.gather(*tasks)
    await client.close()
    return found


def _request(rng: random.Random) -> dict[str, Any]:
    person = rng.randrange(N_PEOPLE)
    items = [f"sim-item-{k}" for k in rng.sample(range(N_ITEMS), N_CANDIDATES)]
    return {"user": f"sim-user-{person}", "session": f"visit-of-{person}", "items": items}


def command(*arguments: Any) -> list[str]:
    """What to start; it prints a JSON list of `Answered`."""
    return [sys.executable, "-m", "benchmarks.succession_load", json.dumps(arguments)]


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(ask(*json.loads(sys.argv[1])))))
