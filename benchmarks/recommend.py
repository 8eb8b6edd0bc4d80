"""What `/v1/recommend` costs with 100,000 items, beside its budgets and a floor: ``python -m benchmarks.recommend``.

Real processes: nats-server, PostgreSQL, ingest, log writer, feature-store, ranker. Requests for 20 items come at set
times, 100 a second, whether answers have come or not; meanwhile 200 events a second flow, and each slate that is served
is an event too. The floor does what cannot be left out: a bare aiohttp handler, an echo over NATS of as many bytes as
the candidates' vectors have, the same ONNX model on as many rows. In turns, since the machine is never the same for
long.

Then new users come, one after another: from the POST of the first click to a slate with an item of the same shelf (see
`shelves`), read-your-writes by the sequence that ingest answers with.

The model that serves is a real one, trained on the shop's past, so that an order means something.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain

from benchmarks.area import alone
from benchmarks.crowning import crowned
from benchmarks.latencies import Latencies, result_of
from benchmarks.processes import Servers, Service, a_process, servers, wait_for
from benchmarks.publishing import publish_all, until_at
from benchmarks.recommend_load import PATH, command
from benchmarks.report import Figure, at_least, at_most, told
from benchmarks.shelves import N_CANDIDATES, N_ITEMS, VIEW, a_request, the_items, visits
from eddyline_cli.servers.processes import free_port
from eddyline_contracts.bundle import Bundle
from eddyline_contracts.events import Event, encode
from eddyline_eventlog.admission import Offline
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from eddyline_learning.cycle import Learner

RATE, EVENT_RATE = 100.0, 200.0
_N_PAST, _EVERY_MS, _PAST_MS = 30_000, 15, 600_000
_SPELL = 3.0
"""The load lasts for so many times ``seconds``: a minute by default."""
_NEW_USERS = 50.0
"""A second."""


def measure(seconds: float) -> list[Figure]:
    """All figures."""
    return asyncio.run(_measured(seconds))


async def _measured(seconds: float) -> list[Figure]:
    view = load_view(VIEW)
    past = list(_past())
    bundle = _trained(view, past)
    with servers(VIEW) as using, ExitStack() as stack:
        stack.enter_context(using.service("eddyline_ingest.log_writer"))
        ingest = stack.enter_context(using.service("eddyline_ingest"))
        store = stack.enter_context(using.service("eddyline_feature_store"))
        await until_at(store.url, await publish_all(using.nats.url, past))
        async with crowned(using.nats.url, [bundle], swap_every_s=None):
            ranker = stack.enter_context(using.service("eddyline_ranker"))
            bare = _start_floor(using, stack, bundle)
            flow = command("flow", using.nats.url, "live", EVENT_RATE)
            stack.enter_context(a_process(flow, using.folder / "flow.log"))
            print(
                f"20 of {N_ITEMS:,} items by {N_CANDIDATES} candidates, {len(view.columns)} columns, "
                f"{RATE:.0f} requests/s, {EVENT_RATE:.0f} events/s",
                file=sys.stderr,
            )
            load = partial(command, "load")
            floor, asked = Latencies(bare, RATE, load), Latencies(ranker, RATE, load)
            spell = _SPELL * seconds
            rounds = max(1, min(4, round(spell / 10)))
            for _ in range(rounds):
                await floor.go_on(seconds / rounds)
                await asked.go_on(spell / rounds)
            print(
                f"p50 {asked.at(50):.1f} ms, p99 {asked.at(99):.1f} ms, {dict(asked.outcomes)}",
                file=sys.stderr,
            )
            n_new = max(50, round(_NEW_USERS * seconds))
            clicks = await result_of(command("first_clicks", ingest.url, ranker.url, n_new))
    took = clicks["ms"]
    print(f"slates asked for: {clicks['asked']:.2f} a click", file=sys.stderr)
    return [
        at_most("/v1/recommend, p50", asked.at(50), "ms", 8, floor.at(50)),
        at_most("/v1/recommend, p99", asked.at(99), "ms", 25, floor.at(99)),
        told("/v1/recommend, p99.9", asked.at(99.9), "ms"),
        told("/v1/recommend, the ranker's CPU", asked.cpu_ms, "ms"),
        at_most("/v1/recommend, incomplete answers", asked.n_incomplete, "answers", 0),
        at_most("first click → a neighbour in the slate, p50", took[len(took) // 2], "ms", None),
        at_most("first click → a neighbour in the slate, p99", took[len(took) * 99 // 100], "ms", 100),
        at_least("first click: users with a neighbour then", 100 * (1 - clicks["missed"] / n_new), "%", 99),
        told("first click: users who had one before, by chance", 100 * clicks["before"] / n_new, "%"),
    ]


def _past() -> list[Event]:
    rng = random.Random(1)
    first_ms = time.time_ns() // 10**6 - _PAST_MS
    return list(
        chain(the_items(rng, first_ms), visits(rng, "past", _N_PAST, first_ms=first_ms, every_ms=_EVERY_MS))
    )


def _trained(view: View, past: Sequence[Event]) -> Bundle:
    """The first model that a trainer would make of it."""
    intake = Offline()
    taken = [intake.take_decoded(encode(event)) for event in past]
    log = [logged for logged in taken if logged is not None]
    learner = Learner(view, State(view), starts_by_itself=False)
    learner.ahead(log)
    learner.cut_here()
    learner.behind([logged for logged in log if logged.sequence <= learner.fold_until])
    learner.collect()
    learner.judge()
    return learner.make(time.perf_counter).bundle


def _start_floor(using: Servers, stack: ExitStack, bundle: Bundle) -> Service:
    onnx, port = using.folder / "model.onnx", free_port()
    onnx.write_bytes(bundle.onnx)
    n_features = len(bundle.features)
    echo = command("echo", using.nats.url, N_CANDIDATES * n_features * 4)
    stack.enter_context(a_process(echo, using.folder / "echo.log"))
    log = using.folder / "floor.log"
    floor = command("floor", using.nats.url, port, str(onnx), n_features, PATH, N_CANDIDATES)
    process = stack.enter_context(a_process(floor, log))
    url = f"http://127.0.0.1:{port}"
    wait_for(f"{url}{PATH}", process, log, json.dumps(a_request(random.Random(0))).encode())
    return Service(url, process.pid)


if __name__ == "__main__":
    alone(__doc__, measure)
