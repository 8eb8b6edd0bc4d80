"""What `/v1/rank` costs: ``python benchmarks/rank.py [--seconds N]``, beside its budgets and a floor of the same run.

Real processes: nats-server, PostgreSQL, log writer, feature-store, ranker. A load generator of its own sends 100
requests a second at set times, whether answers have come or not, so that a pause shows in all that it delays; another
one publishes 200 events a second. The floor does what cannot be left out: a bare aiohttp handler, an echo over NATS of
as many bytes, the same ONNX model on as many rows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import nats
import numpy as np
import psutil
import uvloop
from nats.js import api

from eddyline_cli.servers.nats_server import start_nats
from eddyline_cli.servers.postgres import start_postgres
from eddyline_cli.servers.processes import free_port, start, stop
from eddyline_contracts.bundle import Bundle, Champion, encode_bundle, model_name
from eddyline_contracts.events import Event, InteractionRecorded, ItemUpserted, SlateItem, SlateServed, encode
from eddyline_contracts.subjects import (
    BUNDLES_BUCKET,
    CHAMPION_KEY,
    MODELS_BUCKET,
    MSG_ID,
    event_subject,
    message_id,
)
from eddyline_features.view import View, load_view

VIEW = """
view: bench
label_window: 1m
actions: {click: 1, like: {weight: 2, gain: 2}}
features:
  - {name: popularity, kind: number, field: item.popularity}
  - {name: price, kind: number, field: item.price}
  - {name: vote_avg, kind: number, field: item.vote_avg}
  - {name: age, kind: number, field: user.age}
  - {name: position, kind: position}
  - {name: item_age, kind: item_age}
  - {name: genres, kind: categories, field: item.genres, encode: one-hot, values: [g0, g1, g2, g3, g4, g5, g6, g7]}
  - {name: device, kind: categories, field: context.device, encode: one-hot, values: [phone, desk]}
  - {name: ctr, kind: rate, by: item, half_lives: [5m, 1h, 1d, 30d]}
  - {name: clicks, kind: count, by: item, of: click, half_lives: [1h, 1d]}
  - {name: shown, kind: count, by: item, of: impression, half_lives: [1h, 1d]}
  - {name: genre_ctr, kind: rate, by: item.genres, half_lives: [1h, 1d], reduce: [mean, max]}
  - {name: tag_ctr, kind: rate, by: item.tags, half_lives: [1h, 1d], reduce: [mean, max]}
  - {name: maker_ctr, kind: rate, by: item.maker, half_lives: [1h, 1d]}
  - {name: my_genres, kind: affinity, by: user, field: item.genres, half_lives: [1h, forever], outputs: [acted, passed, rate, best, share]}
  - {name: my_tags, kind: affinity, by: user, field: item.tags, half_lives: [1h, forever], outputs: [acted, passed, rate, best]}
  - {name: my_makers, kind: affinity, by: user, field: item.maker, half_lives: [1h], outputs: [acted, passed, rate]}
  - {name: now_genres, kind: affinity, by: session, field: item.genres, half_lives: [10m], outputs: [acted, passed, rate]}
"""  # noqa: E501
N_ITEMS, N_USERS, N_CANDIDATES = 20_000, 5_000, 100
RATE, EVENT_RATE = 100.0, 200.0
WARM_UP_S = 4.0


# What is said about items and people ------------------------------------------------------------------------


def some_items(rng: random.Random) -> Iterator[Event]:
    for k in range(N_ITEMS):
        fields = {
            "popularity": rng.random() * 100,
            "price": rng.random() * 50,
            "vote_avg": rng.random() * 10,
            "genres": rng.sample([f"g{g}" for g in range(8)], 3),
            "tags": [f"t{rng.randrange(800)}" for _ in range(6)],
            "maker": f"m{rng.randrange(3000)}",
        }
        yield ItemUpserted(id=f"item-{k}", item=f"item-{k}", fields=fields)


def some_traffic(rng: random.Random, prefix: str, n: int) -> Iterator[Event]:
    """Slates of ten and, after each, interactions with some of them."""
    made = 0
    while made < n:
        user, slate = f"user-{rng.randrange(N_USERS)}", f"{prefix}-{made}"
        items = [f"item-{k}" for k in rng.sample(range(N_ITEMS), 10)]
        yield SlateServed(id=slate, user=user, session=f"s-{user}", items=[SlateItem(item=i) for i in items])
        made += 1
        for item in rng.sample(items, 4):
            click = InteractionRecorded(
                id=f"{prefix}-{made}", user=user, session=f"s-{user}", item=item, slate=slate
            )
            yield click
            made += 1


def a_request(rng: random.Random) -> dict[str, Any]:
    return {
        "user": f"user-{rng.randrange(N_USERS)}",
        "session": f"s-{rng.randrange(N_USERS)}",
        "items": [f"item-{k}" for k in rng.sample(range(N_ITEMS), N_CANDIDATES)],
        "context": {"device": "phone"},
    }


def a_bundle(view: View, seed: int) -> Bundle:
    """100 trees × 31 leaves on made-up rows of the view's width."""
    import lightgbm as lgb

    from eddyline_learning.onnx_export import to_onnx

    rng = np.random.default_rng(seed)
    n_features = len(view.columns)
    rows = rng.normal(size=(8_000, n_features)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    target = np.nan_to_num(rows[:, :8]).sum(axis=1) + rng.normal(size=len(rows))
    settings = {"num_leaves": 31, "verbose": -1, "num_threads": 2, "boost_from_average": False}
    booster = lgb.train(settings, lgb.Dataset(rows, target), num_boost_round=100)
    onnx = to_onnx(booster, n_features)
    items = [f"item-{k}" for k in range(N_ITEMS)]
    return Bundle(
        model=model_name(onnx),
        view=view.id,
        features=view.columns,
        objective="rank",
        onnx=onnx,
        prior_items=items,
        prior_scores=rng.random(N_ITEMS).astype("<f4").tobytes(),
        prior_default=0.0,
        first_sequence=1,
        last_sequence=2,
        n_slates=1,
        n_examples=1,
    )


# The load: processes of their own ---------------------------------------------------------------------------


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


async def load(url: str, seconds: float, rate: float, seed: int) -> dict[str, Any]:
    """Send requests at set times; latency counts from the set time."""
    loop = asyncio.get_running_loop()
    host, port = url.removeprefix("http://").split(":")
    rng = random.Random(seed)
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

    n = int((seconds + WARM_UP_S) * rate)
    raws = []
    for _ in range(n):
        body = json.dumps(a_request(rng)).encode()
        head = f"POST /v1/rank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        raws.append(head.encode() + b"\r\n\r\n" + body)
    first = time.perf_counter() + 0.1
    tasks = []
    for k, raw in enumerate(raws):
        at = first + k / rate
        left = at - time.perf_counter()
        if left > 0:
            await asyncio.sleep(left)
        tasks.append(asyncio.create_task(one(at, raw)))
        if k == int(WARM_UP_S * rate):
            took.clear()
            outcomes.clear()
    await asyncio.gather(*tasks)
    return {"ms": sorted(1e3 * t for t in took), "outcomes": outcomes}


async def flow(url: str, prefix: str) -> None:
    """Publish events at a steady rate until ended."""
    client = await nats.connect(url)
    js = client.jetstream()
    rng = random.Random(prefix)
    events = some_traffic(rng, prefix, 10**9)
    first = time.perf_counter()
    for k, event in enumerate(events):
        left = first + k / EVENT_RATE - time.perf_counter()
        if left > 0:
            await asyncio.sleep(left)
        headers = {MSG_ID: message_id(str(event.id))}
        await js.publish_async(event_subject(_type(event)), encode(event), headers=headers)


def _type(event: Event) -> str:
    return str(event.__struct_config__.tag)


async def echo(url: str, n_bytes: int) -> None:
    """The other end of the floor."""
    client = await nats.connect(url)
    answer = bytes(n_bytes)

    async def reply(message: Any) -> None:
        await client.publish(message.reply, answer)

    await client.subscribe("floor", cb=reply)
    await asyncio.Event().wait()


async def floor(url: str, port: int, onnx_path: str, n_features: int) -> None:
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
        rows = np.frombuffer(message.data, np.float32)[: N_CANDIDATES * n_features]
        session.run(None, {name: rows.reshape(N_CANDIDATES, n_features)})
        return web.Response(body=answer, content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/rank", rank)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


CHILDREN = {"load": load, "flow": flow, "echo": echo, "floor": floor}


def child(name: str, *arguments: Any) -> list[str]:
    return [sys.executable, __file__, "--child", name, json.dumps(arguments)]


# The run -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def a_process(command: list[str], log: Path, environ: dict[str, str] | None = None) -> Iterator[int]:
    with log.open("ab") as sink:
        process = start(command, log=sink, environ={**os.environ, **(environ or {})})
    try:
        yield process.pid
    finally:
        stop(process, signal.SIGTERM)


def wait_for(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


async def measured(url: str, pid: int, seconds: float, rate: float = RATE) -> dict[str, Any]:
    """Latencies by the load generator, and the CPU time of the process that answered."""
    before = _cpu_s(pid)
    process = await asyncio.create_subprocess_exec(
        *child("load", url, seconds, rate, 7), stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    told: dict[str, Any] = json.loads(out)
    told["cpu_ms"] = 1e3 * (_cpu_s(pid) - before) / ((seconds + WARM_UP_S) * rate)
    return told


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def show(what: str, told: dict[str, Any], budget: str = "") -> None:
    p50, p99, p999 = np.percentile(told["ms"], [50, 99, 99.9])
    outcomes = ", ".join(f"{n} {what}" for what, n in told["outcomes"].items())
    print(
        f"{what:40} p50 {p50:6.2f}  p99 {p99:6.2f}  p99.9 {p999:7.2f} ms   "
        f"CPU {told['cpu_ms']:.2f}   {outcomes}   {budget}"
    )


@contextlib.asynccontextmanager
async def promoting(url: str, bundles: list[Bundle], every_s: float | None) -> AsyncIterator[None]:
    """Make the first bundle the champion; then swap all the time, if asked to."""
    client = await nats.connect(url)
    js = client.jetstream()

    async def crown(bundle: Bundle) -> None:
        champion = Champion(
            model=bundle.model, view=bundle.view, promoted_at=time.time_ns() // 10**6, last_sequence=1
        )
        await models.put(CHAMPION_KEY, msgspec.json.encode(champion))

    async def swap() -> None:
        k = 0
        while every_s is not None:
            k += 1
            await crown(bundles[k % len(bundles)])
            await asyncio.sleep(every_s)

    try:
        models = await js.create_key_value(api.KeyValueConfig(bucket=MODELS_BUCKET))
        store = await js.create_object_store(BUNDLES_BUCKET)
        for bundle in bundles:
            await store.put(bundle.model, encode_bundle(bundle))
    except nats.js.errors.BadRequestError:
        models = await js.key_value(MODELS_BUCKET)
    await crown(bundles[0])
    task = asyncio.create_task(swap())
    yield
    task.cancel()
    await client.close()


async def fill(url: str, feature_store: str) -> None:
    """Put the catalogue and a past into the log, and wait until the state has it."""
    client = await nats.connect(url, pending_size=64 * 1024 * 1024)
    js = client.jetstream()
    rng = random.Random(1)
    last = 0
    for source in (some_items(rng), some_traffic(rng, "past", 30_000)):
        acks = []
        for event in source:
            headers = {MSG_ID: message_id(str(event.id))}
            acks.append(await js.publish_async(event_subject(_type(event)), encode(event), headers=headers))
        last = (await acks[-1]).seq
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(feature_store + "/health/ready") as answer:
                if (await answer.json())["details"]["sequence"] % 2**40 >= last:
                    break
            await asyncio.sleep(0.1)
    await client.close()


async def run(seconds: float) -> None:
    """Start everything, measure, print."""
    with tempfile.TemporaryDirectory(prefix="eddyline-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        config = folder / "eddyline.yaml"
        config.write_text(VIEW)
        view = load_view(VIEW)
        n_features = len(view.columns)
        bundles = [a_bundle(view, seed) for seed in (1, 2)]
        (folder / "model.onnx").write_bytes(bundles[0].onnx)
        bus = start_nats(folder / "nats")
        stack.callback(bus.stop)
        database = start_postgres(folder / "postgres")
        stack.callback(database.stop)
        environ = {
            "EDDYLINE_NATS_URL": bus.url,
            "EDDYLINE_DATABASE_URL": database.url,
            "EDDYLINE_CONFIG": str(config),
        }

        def service(package: str) -> tuple[str, int]:
            port = free_port()
            told = {**environ, "EDDYLINE_PORT": str(port), "EDDYLINE_STATE_DIR": str(folder / package)}
            command, log = [sys.executable, "-m", package], folder / f"{package}.log"
            pid = stack.enter_context(a_process(command, log, told))
            wait_for(f"http://127.0.0.1:{port}/health/ready")
            return f"http://127.0.0.1:{port}", pid

        service("eddyline_ingest.log_writer")
        feature_store, _ = service("eddyline_feature_store")
        await fill(bus.url, feature_store)
        ranker, ranker_pid = service("eddyline_ranker")

        n_bytes = N_CANDIDATES * n_features * 4
        stack.enter_context(a_process(child("echo", bus.url, n_bytes), folder / "echo.log"))
        port = free_port()
        told = child("floor", bus.url, port, str(folder / "model.onnx"), n_features)
        floor_pid = stack.enter_context(a_process(told, folder / "floor.log"))
        floor_url = f"http://127.0.0.1:{port}"
        wait_for_answer(floor_url)

        print(
            f"{N_CANDIDATES} of {N_ITEMS:,} items, {n_features} columns, 100 trees × 31 leaves, "
            f"{RATE:.0f} requests/s for {seconds:.0f} s, {EVENT_RATE:.0f} events/s\n"
        )
        stack.enter_context(a_process(child("flow", bus.url, "live"), folder / "flow.log"))
        async with promoting(bus.url, bundles, None):
            await asyncio.sleep(1.0)
            base = await measured(floor_url, floor_pid, seconds)
            show("floor: aiohttp + NATS echo + ONNX", base)
            steady = await measured(ranker, ranker_pid, seconds)
            show("/v1/rank", steady, "budget p50 2.5, p99 8")
        async with promoting(bus.url, bundles, 1.0):
            swaps = await measured(ranker, ranker_pid, seconds)
            show("/v1/rank, a swap every second", swaps, "budget p50 2.5, p99 8")
        ratio = np.median(steady["ms"]) / np.median(base["ms"])
        print(f"\np50 of /v1/rank ÷ p50 of the floor: {ratio:.2f}   budget 2")
        for title, url, names in (
            ("ranker", ranker, ("eddyline_rank_seconds", "eddyline_slates")),
            ("feature-store", feature_store, ("eddyline_vectors_seconds", "eddyline_fold_latency")),
        ):
            print(f"\n{title}:")
            tell_metrics(url, names)


def tell_metrics(url: str, names: tuple[str, ...]) -> None:
    with urllib.request.urlopen(url + "/metrics") as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(names) and "_bucket" not in line and "_created" not in line:
                print("   ", line)


def wait_for_answer(url: str) -> None:
    body = json.dumps(a_request(random.Random(0))).encode()
    end = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url + "/v1/rank", body, timeout=2):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def main() -> None:
    """Measure and print; or be one of the processes that the measuring needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, arguments = options.child
        told = uvloop.run(CHILDREN[name](*json.loads(arguments)))  # type: ignore[operator]
        if told is not None:
            print(json.dumps(told))
    else:
        asyncio.run(run(options.seconds))


if __name__ == "__main__":
    main()
