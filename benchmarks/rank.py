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
from nats.js import api
from rank_data import N_CANDIDATES, N_ITEMS, VIEW, a_bundle, a_request, some_items, some_traffic
from rank_load import command

from eddyline_cli.servers.nats_server import start_nats
from eddyline_cli.servers.postgres import start_postgres
from eddyline_cli.servers.processes import free_port, start, stop
from eddyline_contracts.bundle import Bundle, Champion, encode_bundle
from eddyline_contracts.events import encode, type_of
from eddyline_contracts.subjects import (
    BUNDLES_BUCKET,
    CHAMPION_KEY,
    MODELS_BUCKET,
    MSG_ID,
    event_subject,
    message_id,
)
from eddyline_features.view import load_view

RATE, EVENT_RATE = 100.0, 200.0
WARM_UP_S = 2.0
ROUNDS = 4


@contextlib.contextmanager
def a_process(arguments: list[str], log: Path, environ: dict[str, str] | None = None) -> Iterator[int]:
    with log.open("ab") as sink:
        process = start(arguments, log=sink, environ={**os.environ, **(environ or {})})
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


class Measured:
    """Latencies by the load generator, and the CPU time of the process that answered."""

    def __init__(self, url: str, pid: int) -> None:
        self._url = url
        self._pid = pid
        self._n = 0
        self._cpu_s = 0.0
        self.ms: list[float] = []
        self._outcomes: dict[str, int] = {}

    async def go_on(self, seconds: float) -> None:
        """Send requests for so long."""
        before = _cpu_s(self._pid)
        arguments = command("load", self._url, seconds, WARM_UP_S, RATE, self._n)
        told = await result_of(arguments)
        self._cpu_s += _cpu_s(self._pid) - before
        self._n += int((seconds + WARM_UP_S) * RATE)
        self.ms += told["ms"]
        for outcome, n in told["outcomes"].items():
            self._outcomes[outcome] = self._outcomes.get(outcome, 0) + n

    def show(self, what: str, budget: str = "") -> None:
        outcomes = ", ".join(f"{n} {outcome}" for outcome, n in self._outcomes.items())
        show(what, self.ms, f"CPU {1e3 * self._cpu_s / self._n:.2f} ms   {outcomes}   {budget}")


async def result_of(arguments: list[str]) -> Any:
    """Run one of the measuring processes; what it prints."""
    process = await asyncio.create_subprocess_exec(*arguments, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    return json.loads(out)


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def show(what: str, ms: list[float], more: str) -> None:
    p50, p99, p999 = np.percentile(ms, [50, 99, 99.9])
    print(f"{what:36} p50 {p50:6.2f}  p99 {p99:6.2f}  p99.9 {p999:7.2f} ms   {more}")


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
            acks.append(await js.publish_async(event_subject(type_of(event)), encode(event), headers=headers))
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
            run, log = [sys.executable, "-m", package], folder / f"{package}.log"
            pid = stack.enter_context(a_process(run, log, told))
            wait_for(f"http://127.0.0.1:{port}/health/ready")
            return f"http://127.0.0.1:{port}", pid

        service("eddyline_ingest.log_writer")
        feature_store, _ = service("eddyline_feature_store")
        await fill(bus.url, feature_store)
        ranker, ranker_pid = service("eddyline_ranker")

        n_bytes = N_CANDIDATES * n_features * 4
        stack.enter_context(a_process(command("echo", bus.url, n_bytes), folder / "echo.log"))
        port = free_port()
        told = command("floor", bus.url, port, str(folder / "model.onnx"), n_features)
        floor_pid = stack.enter_context(a_process(told, folder / "floor.log"))
        floor_url = f"http://127.0.0.1:{port}"
        wait_for_answer(floor_url)

        print(
            f"{N_CANDIDATES} of {N_ITEMS:,} items, {n_features} columns, 100 trees × 31 leaves, "
            f"{RATE:.0f} requests/s for {seconds:.0f} s, {EVENT_RATE:.0f} events/s\n"
        )
        stack.enter_context(a_process(command("flow", bus.url, "live", EVENT_RATE), folder / "flow.log"))
        floor, steady, swapping = (
            Measured(floor_url, floor_pid),
            Measured(ranker, ranker_pid),
            Measured(ranker, ranker_pid),
        )
        # In turns, since the machine is never the same for long.
        for _ in range(ROUNDS):
            async with promoting(bus.url, bundles, None):
                await floor.go_on(seconds / ROUNDS)
                await steady.go_on(seconds / ROUNDS)
            async with promoting(bus.url, bundles, 1.0):
                await swapping.go_on(seconds / ROUNDS)
        floor.show("floor: aiohttp + NATS echo + ONNX")
        steady.show("/v1/rank", "budget p50 2.5, p99 8")
        swapping.show("/v1/rank, a swap every second", "budget p50 2.5, p99 8")
        seen = await result_of(command("visible", bus.url, ranker, 300))
        show("event acknowledged → in a slate", seen, "budget p50 6, p99 50")
        ratio = np.median(steady.ms) / np.median(floor.ms)
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
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    asyncio.run(run(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
