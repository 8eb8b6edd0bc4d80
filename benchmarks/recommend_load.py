"""The processes that `recommend.py` measures with: ``python -m benchmarks.recommend_load NAME ARGUMENTS``."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

from benchmarks.rank_load import (
    Child,
    Connection,
    be_one_of,
    echo,
    floor,
    http_request,
    publish_steadily,
    send_at_set_times,
)
from benchmarks.shelves import N_SHELVES, SHELF, a_request, shelf_of, visits

PATH = "/v1/recommend"
_PATIENCE_S = 0.2
"""So long a new user is asked for again, until there is a neighbour: beyond it a figure is missed in any case."""


async def load(url: str, seconds: float, warm_up_s: float, rate: float, seed: int) -> dict[str, Any]:
    """As `send_at_set_times`, requests for recommendations."""
    rng = random.Random(seed)
    raws = [http_request(a_request(rng), PATH) for _ in range(int((seconds + warm_up_s) * rate))]
    return await send_at_set_times(url, raws, warm_up_s, rate)


async def flow(url: str, prefix: str, rate: float) -> None:
    """Visits at a steady rate until ended."""
    await publish_steadily(url, visits(random.Random(prefix), prefix, 10**9), rate)


async def first_clicks(ingest: str, ranker: str, n: int) -> dict[str, Any]:
    """New users, one after another: from the POST of their first click to a slate with a neighbour of it, in ms.

    Where none came in time the time is that of giving up. ``before``: how many had a neighbour in their slate already,
    by chance. ``asked``: slates that it took, at the mean.
    """
    loop = asyncio.get_running_loop()

    async def connected(url: str) -> Connection:
        host, port = url.removeprefix("http://").split(":")
        return (await loop.create_connection(Connection, host, int(port)))[1]

    to_ingest, to_ranker = await connected(ingest), await connected(ranker)
    rng = random.Random(5)
    took: list[float] = []
    missed = before = asked = 0
    for k in range(n):
        item, user = f"item-{rng.randrange(N_SHELVES * SHELF)}", f"new-{k}"
        wanted = a_request(rng) | {"user": user, "session": f"s-{user}"}
        neighbours = set(shelf_of(item))
        before += bool(neighbours & set(_items(await to_ranker.call(http_request(wanted, PATH)))))
        click = {
            "type": "interaction",
            "id": f"first-{k}",
            "user": user,
            "session": f"s-{user}",
            "item": item,
        }
        started = time.perf_counter()
        answer = await to_ingest.call(http_request({**click, "action": "click"}, "/v1/events"))
        sequence = _body(answer)["sequence"]
        while True:
            asked += 1
            slate = _items(await to_ranker.call(http_request(wanted | {"min_sequence": sequence}, PATH)))
            if neighbours & set(slate):
                took.append(1e3 * (time.perf_counter() - started))
                break
            if time.perf_counter() - started > _PATIENCE_S:
                missed += 1
                took.append(1e3 * (time.perf_counter() - started))
                break
        await asyncio.sleep(0.005)
    return {"ms": sorted(took), "missed": missed, "before": before, "asked": asked / n}


def _body(answer: bytes) -> Any:
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


def _items(answer: bytes) -> list[str]:
    return [of["item"] for of in _body(answer)["items"]]


CHILDREN: dict[str, Child] = {
    "load": load,
    "flow": flow,
    "first_clicks": first_clicks,
    "echo": echo,
    "floor": floor,
}


def command(name: str, *arguments: Any) -> list[str]:
    """What to start for one of these processes."""
    return [sys.executable, "-m", "benchmarks.recommend_load", name, json.dumps(arguments)]


if __name__ == "__main__":
    be_one_of(CHILDREN)
