"""What `/v1/rank` costs, beside its budgets and a floor of the same run: ``python -m benchmarks.rank``.

Real processes: nats-server, PostgreSQL, log writer, feature-store, trainer, ranker. A load generator of its own sends
100 requests a second at set times, whether answers have come or not, so that a pause shows in all that it delays;
another one publishes 200 events a second. The floor does what cannot be left out: a bare aiohttp handler, an echo over
NATS of as many bytes, the same ONNX model on as many rows.

In turns, since the machine is never the same for long: the floor; at rest; with a swap of the model every second; and
while the trainer makes one model after another from the log, and hands over what passes its gate. Elsewhere the trainer
is stopped, so that a rest is one.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from contextlib import ExitStack
from itertools import chain

import asyncpg

from benchmarks.area import alone
from benchmarks.crowning import crowned
from benchmarks.latencies import Latencies, cpu_seconds, result_of
from benchmarks.made_up import (
    N_CANDIDATES,
    N_ITEMS,
    VIEW,
    a_bundle,
    a_request,
    learning,
    some_items,
    some_traffic,
)
from benchmarks.processes import Servers, Service, a_process, servers, wait_for
from benchmarks.publishing import publish_all, until_at
from benchmarks.rank_load import command
from benchmarks.report import Figure, at_most, told
from eddyline_cli.servers.processes import free_port
from eddyline_contracts.bundle import Bundle
from eddyline_features.view import load_view

RATE, EVENT_RATE = 100.0, 200.0
# A model from scratch is due after each hundredth part more of what there is: one follows upon the other.
CONFIG = VIEW + learning(min_slates=4_000, learn_every=40, growth=1.01, tail=0)
# Six thousand slates, of which all but the last eight hundred are ripe when the flow of events begins.
_N_PAST, _EVERY_MS, _PAST_MS = 30_000, 15, 600_000
_FIRST_MODEL_S = 120.0
_SIZE_OF_A_SLATE = """
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY pg_column_size(payload)) FROM event_log
WHERE features_sequence IS NOT NULL
"""


def measure(seconds: float) -> list[Figure]:
    """All figures; each condition lasts ``seconds``."""
    return asyncio.run(_measured(seconds))


async def _measured(seconds: float) -> list[Figure]:
    view = load_view(CONFIG)
    n_features = len(view.columns)
    bundles = [a_bundle(view, seed) for seed in (1, 2)]
    with servers(CONFIG) as using, ExitStack() as stack:
        stack.enter_context(using.service("eddyline_ingest.log_writer"))
        store = stack.enter_context(using.service("eddyline_feature_store"))
        await _fill(using, store)
        async with crowned(using.nats.url, bundles, swap_every_s=None):
            ranker = stack.enter_context(using.service("eddyline_ranker"))
        trainer = stack.enter_context(using.service("eddyline_trainer", until="live"))
        await _has_made(using, 1)
        os.kill(trainer.pid, signal.SIGSTOP)
        bare = _start_floor(using, stack, bundles[0], n_features)
        flow = command("flow", using.nats.url, "live", EVENT_RATE)
        stack.enter_context(a_process(flow, using.folder / "flow.log"))
        print(
            f"{N_CANDIDATES} of {N_ITEMS:,} items, {n_features} columns, 100 trees × 31 leaves, "
            f"{RATE:.0f} requests/s, {EVENT_RATE:.0f} events/s",
            file=sys.stderr,
        )
        floor, rest, swaps, cycle = (Latencies(asked, RATE) for asked in (bare, ranker, ranker, ranker))
        n_before, busy_s, spell_s = await _n_models(using), 0.0, 0.0
        rounds = max(1, min(4, round(seconds / 5)))
        for _ in range(rounds):
            async with crowned(using.nats.url, bundles, swap_every_s=None):
                await floor.go_on(seconds / rounds)
                await rest.go_on(seconds / rounds)
            async with crowned(using.nats.url, bundles, swap_every_s=1.0):
                await swaps.go_on(seconds / rounds)
            began, before = time.monotonic(), cpu_seconds(trainer.pid)
            os.kill(trainer.pid, signal.SIGCONT)
            await cycle.go_on(seconds / rounds)
            os.kill(trainer.pid, signal.SIGSTOP)
            spell_s += time.monotonic() - began
            busy_s += cpu_seconds(trainer.pid) - before
        visible = await result_of(
            command("visible", using.nats.url, ranker.url, max(50, round(15 * seconds)))
        )
        return [
            *_latencies(floor, rest, swaps, cycle),
            told("the trainer meanwhile: CPU", busy_s / spell_s, "cores"),
            told("the trainer meanwhile: models made", await _n_models(using) - n_before, "models"),
            at_most("event accepted → in the next slate, p50", visible[len(visible) // 2], "ms", 6),
            at_most("event accepted → in the next slate, p99", visible[len(visible) * 99 // 100], "ms", 50),
            *await _logged_slate(using),
        ]


def _latencies(floor: Latencies, rest: Latencies, swaps: Latencies, cycle: Latencies) -> list[Figure]:
    figures = []
    conditions = (("at rest", rest), ("swap every second", swaps), ("while a cycle trains", cycle))
    for name, of in conditions:
        figures += [
            at_most(f"/v1/rank, {name}, p50", of.at(50), "ms", 2.5, floor.at(50)),
            at_most(f"/v1/rank, {name}, p99", of.at(99), "ms", 8, floor.at(99)),
        ]
    figures.append(at_most("/v1/rank p50 at rest ÷ floor", rest.at(50) / floor.at(50), "×", 2))
    figures += [
        at_most(f"/v1/rank p99 {name} ÷ at rest", of.at(99) / rest.at(99), "×", 2)
        for name, of in conditions[1:]
    ]
    figures += [
        told("/v1/rank at rest, p99.9", rest.at(99.9), "ms"),
        told("/v1/rank at rest, the ranker's CPU", rest.cpu_ms, "ms"),
        told("/v1/rank, incomplete answers", sum(of.n_incomplete for _, of in conditions), "answers"),
    ]
    return figures


async def _fill(using: Servers, store: Service) -> None:
    """Put the catalogue and a past into the log, and wait until the state has it."""
    rng = random.Random(1)
    first_ms = time.time_ns() // 10**6 - _PAST_MS
    past = some_traffic(rng, "past", _N_PAST, first_ms=first_ms, every_ms=_EVERY_MS)
    await until_at(store.url, await publish_all(using.nats.url, chain(some_items(rng, first_ms), past)))


def _start_floor(using: Servers, stack: ExitStack, bundle: Bundle, n_features: int) -> Service:
    onnx, port = using.folder / "model.onnx", free_port()
    onnx.write_bytes(bundle.onnx)
    echo = command("echo", using.nats.url, N_CANDIDATES * n_features * 4)
    stack.enter_context(a_process(echo, using.folder / "echo.log"))
    log = using.folder / "floor.log"
    floor = command("floor", using.nats.url, port, str(onnx), n_features)
    process = stack.enter_context(a_process(floor, log))
    url = f"http://127.0.0.1:{port}"
    wait_for(f"{url}/v1/rank", process, log, json.dumps(a_request(random.Random(0))).encode())
    return Service(url, process.pid)


async def _n_models(using: Servers) -> int:
    """Models that the trainer has made."""
    conn = await asyncpg.connect(using.postgres.url)
    try:
        n: int = await conn.fetchval("SELECT count(*) FROM models")
        return n
    finally:
        await conn.close()


async def _has_made(using: Servers, n: int) -> None:
    """Wait until the trainer has made so many models, and goes on with the next."""
    async with asyncio.timeout(_FIRST_MODEL_S):
        while await _n_models(using) < n:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _logged_slate(using: Servers) -> list[Figure]:
    """Bytes of a slate in the log, beside those of its items' ids."""
    conn = await asyncpg.connect(using.postgres.url)
    try:
        size: int = await conn.fetchval(_SIZE_OF_A_SLATE)
    finally:
        await conn.close()
    ids = len(json.dumps(a_request(random.Random(0))["items"], separators=(",", ":")))
    return [at_most("a logged slate of 100 items (floor: its ids as JSON)", size, "bytes", 2_500, ids)]


if __name__ == "__main__":
    alone(__doc__, measure)
