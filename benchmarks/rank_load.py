"""The processes that `rank.py` measures with: ``python -m benchmarks.rank_load NAME ARGUMENTS``."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

import nats
import numpy as np
import uvloop

from benchmarks.made_up import N_CANDIDATES, a_request, some_traffic
from benchmarks.publishing import epoch_of
from eddyline_contracts.events import Event, InteractionRecorded, encode, type_of
from eddyline_contracts.record import sequence_of
from eddyline_contracts.subjects import MSG_ID, event_subject, message_id


class Connection(asyncio.Protocol):
    """A kept-alive HTTP connection with one request under way, as thin as it can be."""

    def __init__(self) -> None:
        self.transport: Any = None
        self._buffer = bytearray()
        self._need = -1
        self._done: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._need < 0:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            lines = bytes(self._buffer[:head]).lower().split(b"\r\n")
            length = next(line for line in lines if line.startswith(b"content-length:"))
            self._need = head + 4 + int(length.split(b":")[1])
        if len(self._buffer) >= self._need and self._done is not None:
            whole, self._buffer, self._need = bytes(self._buffer), bytearray(), -1
            self._done.set_result(whole)

    async def call(self, raw: bytes) -> bytes:
        self._done = asyncio.get_running_loop().create_future()
        self.transport.write(raw)
        return await self._done


def http_request(request: Any, path: str = "/v1/rank") -> bytes:
    """A whole ``POST``."""
    body = json.dumps(request).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def load(url: str, seconds: float, warm_up_s: float, rate: float, seed: int) -> dict[str, Any]:
    """As `send_at_set_times`, requests to rank."""
    rng = random.Random(seed)
    raws = [http_request(a_request(rng)) for _ in range(int((seconds + warm_up_s) * rate))]
    return await send_at_set_times(url, raws, warm_up_s, rate)


async def send_at_set_times(url: str, raws: Sequence[bytes], warm_up_s: float, rate: float) -> dict[str, Any]:
    """Send requests at set times, whether answers have come or not; latency counts from the set time."""
    loop = asyncio.get_running_loop()
    host, port = url.removeprefix("http://").split(":")
    idle: list[Connection] = []
    took: list[float] = []
    outcomes: dict[str, int] = {}

    async def one(at: float, raw: bytes) -> None:
        if idle:
            connection = idle.pop()
        else:
            _, connection = await loop.create_connection(Connection, host, int(port))
        answer = await connection.call(raw)
        took.append(time.perf_counter() - at)
        idle.append(connection)
        head, body = answer.split(b"\r\n\r\n", 1)
        outcome = head.split(b" ", 2)[1].decode()
        if outcome == "200":
            degraded = json.loads(body).get("degraded")
            outcome = "whole" if not degraded else "+".join(degraded)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1

    first = time.perf_counter() + 0.1
    tasks = []
    for k, raw in enumerate(raws):
        at = first + k / rate
        left = at - time.perf_counter()
        if left > 0:
            await asyncio.sleep(left)
        tasks.append(asyncio.create_task(one(at, raw)))
        if k == int(warm_up_s * rate):
            took.clear()
            outcomes.clear()
    await asyncio.gather(*tasks)
    return {"ms": sorted(1e3 * t for t in took), "outcomes": outcomes}


async def flow(url: str, prefix: str, rate: float) -> None:
    """Publish events at a steady rate until ended."""
    await publish_steadily(url, some_traffic(random.Random(prefix), prefix, 10**9), rate)


async def publish_steadily(url: str, events: Iterable[Event], rate: float) -> None:
    """Publish these at a steady rate."""
    client = await nats.connect(url)
    js = client.jetstream()
    first = time.perf_counter()
    for k, event in enumerate(events):
        left = first + k / rate - time.perf_counter()
        if left > 0:
            await asyncio.sleep(left)
        headers = {MSG_ID: message_id(str(event.id))}
        await js.publish_async(event_subject(type_of(event)), encode(event), headers=headers)


async def echo(url: str, n_bytes: int) -> None:
    """The other end of the floor."""
    client = await nats.connect(url)
    answer = bytes(n_bytes)

    async def reply(message: Any) -> None:
        await client.publish(message.reply, answer)

    await client.subscribe("floor", cb=reply)
    await asyncio.Event().wait()


async def floor(
    url: str, port: int, onnx_path: str, n_features: int, path: str = "/v1/rank", n_rows: int = N_CANDIDATES
) -> None:
    """A handler that does only what no ranker can leave out."""
    import onnxruntime
    from aiohttp import web

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(onnx_path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    client = await nats.connect(url)
    answer = b'{"degraded":[]' + b" " * 8_000 + b"}"

    async def rank(http: web.Request) -> web.Response:
        body = await http.read()
        message = await client.request("floor", body, timeout=1)
        rows = np.frombuffer(message.data, np.float32)[: n_rows * n_features]
        session.run(None, {name: rows.reshape(n_rows, n_features)})
        return web.Response(body=answer, content_type="application/json")

    app = web.Application()
    app.router.add_post(path, rank)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def visible(url: str, ranker: str, n: int) -> list[float]:
    """From an event's acknowledgement to an answer that reflects it, in ms, one after another."""
    client = await nats.connect(url)
    js = client.jetstream()
    epoch = await epoch_of(js)
    host, port = ranker.removeprefix("http://").split(":")
    _, connection = await asyncio.get_running_loop().create_connection(Connection, host, int(port))
    rng = random.Random(3)
    took = []
    for k in range(n):
        event = InteractionRecorded(id=f"visible-{k}", user="user-1", item=f"item-{k}")
        headers = {MSG_ID: message_id(f"visible-{k}")}
        acknowledged = await js.publish(event_subject("interaction"), encode(event), headers=headers)
        started = time.perf_counter()
        request = a_request(rng) | {"min_sequence": sequence_of(epoch, acknowledged.seq)}
        answer = await connection.call(http_request(request))
        took.append(1e3 * (time.perf_counter() - started))
        assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["degraded"] == []
        await asyncio.sleep(0.013)
    return sorted(took)


Child = Callable[..., Coroutine[Any, Any, Any]]
CHILDREN: dict[str, Child] = {"load": load, "flow": flow, "echo": echo, "floor": floor, "visible": visible}


def command(name: str, *arguments: Any) -> list[str]:
    """What to start for one of these processes."""
    return [sys.executable, "-m", "benchmarks.rank_load", name, json.dumps(arguments)]


def be_one_of(children: Mapping[str, Child]) -> None:
    """Be the process that the command line names, and print what it found as JSON."""
    _, name, arguments = sys.argv
    told = uvloop.run(children[name](*json.loads(arguments)))
    if told is not None:
        print(json.dumps(told))


if __name__ == "__main__":
    be_one_of(CHILDREN)
