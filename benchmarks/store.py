"""The feature-store under load, beside its budgets: ``python -m benchmarks.store``.

Real processes: nats-server, PostgreSQL, log writer, feature-store. 2,000 events a second go the whole way that an
event goes: published to the inbox, written to the log by the log writer, pushed to the store; 100 of them are slates of
24 items. Beside it 300 questions a second of 100 items each are asked at set times, whether answers have come or not,
just as the ranker asks them. What makes the load is published without waiting for acknowledgements, and is made before
the clock starts, so that two cores suffice: how late it was at worst is told as a figure, and so is the CPU that each
process took.

A snapshot is due every few seconds. A question asked from its beginning until it is stored, for a second at least,
counts as asked during a snapshot; the others do not. Lag is what a question takes that waits for the
newest batch, from the push of that batch, so it has a round trip in it.

Then the same with two replicas, which share the questions; what both answer at one place of the log is compared.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

import aiohttp
import numpy as np

from benchmarks.area import alone
from benchmarks.latencies import cpu_seconds, result_of
from benchmarks.made_up import N_CANDIDATES, N_ITEMS, N_USERS, VIEW, learning, some_items
from benchmarks.processes import Servers, Service, servers
from benchmarks.publishing import publish_all, until_at
from benchmarks.report import Figure, at_least, at_most, told
from benchmarks.store_load import EVENTS_OF_A_SLATE, SLATE_SIZE, busy_traffic, command
from eddyline_cli.readings import read
from eddyline_features.view import load_view

RATE, EVENT_RATE = 300.0, 2_000.0
CONFIG = VIEW + learning()
_WARM_UP_S = 2.0
_N_PAST = 60_000
_SNAPSHOT_EVERY_S = 4.0
_SNAPSHOT_S = 1.0
_STORE = "eddyline_feature_store"
_APPLIED = "eddyline_fold_events_total"


def measure(seconds: float) -> list[Figure]:
    """All figures; one replica is measured for ``seconds``, two for half of it."""
    return asyncio.run(_measured(seconds))


async def _measured(seconds: float) -> list[Figure]:
    view = load_view(CONFIG)
    print(
        f"{N_CANDIDATES} of {N_ITEMS:,} items, {N_USERS:,} users, {len(view.columns)} columns, {RATE:.0f} questions/s, "
        f"{EVENT_RATE:,.0f} events/s of which {EVENT_RATE / EVENTS_OF_A_SLATE:.0f} are slates of {SLATE_SIZE}",
        file=sys.stderr,
    )
    every = {"EDDYLINE_SNAPSHOT_EVENTS": str(round(EVENT_RATE * _SNAPSHOT_EVERY_S))}
    with servers(CONFIG) as using, ExitStack() as stack:
        writer = stack.enter_context(using.service("eddyline_ingest.log_writer"))
        first = stack.enter_context(using.service(_STORE, **every))
        rng = random.Random(1)
        past = chain(some_items(rng), busy_traffic(rng, "past", _N_PAST))
        await until_at(first.url, await publish_all(using.nats.url, past))
        # With nothing else to do, to tell what the load costs.
        idle = await result_of(
            command("questions", using.nats.url, view.id, RATE, seconds / 4, _WARM_UP_S, 1)
        )
        one = await _Spell(using, view.id, {"store": first, "log writer": writer}).run("one", seconds, seed=2)
        second = stack.enter_context(using.service(_STORE, **every))
        services = {"store": first, "second": second, "log writer": writer}
        two = await _Spell(using, view.id, services).run("two", seconds / 2, seed=3, compare=True)
        return [*_of_one(one, idle), *_of_two(two)]


class _Spell:
    """Some seconds of load, and what came of it."""

    def __init__(self, using: Servers, view: str, services: dict[str, Service]) -> None:
        self.asked: list[tuple[float, float]] = []
        """When each question was due, in s since the Unix epoch, and the ms until its answer came."""
        self.faults = 0
        self.lag_ms: list[float] = []
        self.late_ms = 0.0
        self.missing = [math.inf]
        """Of the events sent, how many each store has not applied."""
        self.cpu: dict[str, float] = {}
        """Cores that each process took."""
        self.answers: dict[str, float] = {}
        self.same: dict[str, int] = {}
        self._using = using
        self._view = view
        self._services = services

    async def run(self, name: str, seconds: float, *, seed: int, compare: bool = False) -> _Spell:
        url, whole = self._using.nats.url, seconds + _WARM_UP_S
        before = {name: cpu_seconds(service.pid) for name, service in self._services.items()}
        applied, answered = await self._told(_APPLIED), await self._answered()
        children = [
            command("events", url, name, EVENT_RATE, whole + 1, _WARM_UP_S),
            command("questions", url, self._view, RATE, seconds, _WARM_UP_S, seed),
            command("lag", url, self._view, whole),
        ]
        if compare:
            children.append(command("same", url, self._view, whole, time.time_ns() // 10**6 + 10**9))
        began = time.monotonic()
        sent, asked, lag, *same = await asyncio.gather(*map(result_of, children))
        spent = time.monotonic() - began
        self.asked = [(at, ms) for at, ms in asked["asked"]]
        self.faults, self.lag_ms, self.late_ms = asked["faults"], lag, sent["late_ms"]
        self.same = same[0] if same else {}
        self.cpu = {n: (cpu_seconds(s.pid) - before[n]) / spent for n, s in self._services.items()}
        self.answers = {n: m - answered[n] for n, m in (await self._answered()).items()}
        # Whatever is still on its way gets a moment.
        deadline = time.monotonic() + 5
        while max(self.missing) > 0 and time.monotonic() < deadline:
            self.missing = [
                sent["sent"] - n + b for n, b in zip(await self._told(_APPLIED), applied, strict=True)
            ]
        return self

    def at(self, percent: float, snapshots: bool | None = None) -> float:
        """This percentile in ms; of those asked during snapshots, or else, or of all."""
        spans = [(begin, end) for begin, end, _ in self._snapshots]
        chosen = [
            ms
            for at, ms in self.asked
            if snapshots is None or snapshots == any(begin <= at < end for begin, end in spans)
        ]
        return float(np.percentile(chosen, percent)) if chosen else float("nan")

    @property
    def pauses_ms(self) -> list[float]:
        """For how long each snapshot stopped everything; those that were taken within the time measured."""
        first, last = self.asked[0][0], self.asked[-1][0]
        return [pause for begin, end, pause in self._snapshots if begin <= last and end >= first]

    @cached_property
    def _snapshots(self) -> list[tuple[float, float, float]]:
        """Begin and end of each so far, in s since the Unix epoch, and its pause in ms: as the store has said."""
        lines = (self._using.folder / f"{_STORE}.log").read_text().splitlines()
        told = [json.loads(line) for line in lines if '"message":"snapshot"' in line]
        ends = [
            (datetime.fromisoformat(one["at"]).timestamp(), one["seconds"], one["pause_ms"]) for one in told
        ]
        return [(end - took, max(end, end - took + _SNAPSHOT_S), pause) for end, took, pause in ends]

    async def _answered(self) -> dict[str, float]:
        async with aiohttp.ClientSession() as http:
            told = {n: await read(http, service.url) for n, service in self._services.items()}
        return {n: sum(r.by("outcome", "eddyline_vectors_answers_total").values()) for n, r in told.items()}

    async def _told(self, metric: str) -> list[float]:
        """A metric of each store."""
        async with aiohttp.ClientSession() as http:
            told = [
                await read(http, service.url)
                for name, service in self._services.items()
                if name != "log writer"
            ]
        return [one.value(metric) or 0.0 for one in told]


def _of_one(one: _Spell, idle: dict[str, Any]) -> list[Figure]:
    alone_ms = [ms for _, ms in idle["asked"]]
    during, between = one.at(99, snapshots=True), one.at(99, snapshots=False)
    return [
        at_most(
            "vectors under load, p50 (floor: no events)",
            one.at(50),
            "ms",
            None,
            float(np.percentile(alone_ms, 50)),
        ),
        at_most(
            "vectors under load, p99 (floor: no events)",
            one.at(99),
            "ms",
            10,
            float(np.percentile(alone_ms, 99)),
        ),
        told("vectors under load, p99.9", one.at(99.9), "ms"),
        at_most("vectors under load, p99 between snapshots", between, "ms", 10),
        at_most("vectors under load, p99 during snapshots", during, "ms", 10),
        at_most("vectors under load, p99 during ÷ between snapshots", during / between, "×", 1.5),
        told("snapshots meanwhile", len(one.pauses_ms), "snapshots"),
        told("a snapshot stops the store for, at worst", max(one.pauses_ms), "ms"),
        at_most("committed → visible, p99", float(np.percentile(one.lag_ms, 99)), "ms", 100),
        at_most("committed → visible, at worst", max(one.lag_ms), "ms", 100),
        at_most("questions that got no answer", one.faults, "questions", 0),
        at_most("events that the store has not applied", max(one.missing), "events", 0),
        told("the store's CPU under load", one.cpu["store"], "cores"),
        told("the log writer's CPU under load", one.cpu["log writer"], "cores"),
        told("events sent late, at worst", one.late_ms, "ms"),
    ]


def _of_two(two: _Spell) -> list[Figure]:
    answers = two.answers["store"], two.answers["second"]
    return [
        at_most("two replicas: vectors under load, p99", two.at(99), "ms", 10),
        at_most("two replicas: committed → visible, p99", float(np.percentile(two.lag_ms, 99)), "ms", 100),
        at_least(
            "two replicas: part of the questions that the less asked one answers",
            min(answers) / sum(answers),
            "",
            0.4,
        ),
        told("two replicas: answers compared at the same place of the log", two.same["compared"], "answers"),
        at_most("two replicas: of these, not the same bytes", two.same["different"], "answers", 0),
        at_most("two replicas: events that one has not applied", max(two.missing), "events", 0),
        told("two replicas: CPU of both", two.cpu["store"] + two.cpu["second"], "cores"),
    ]


if __name__ == "__main__":
    alone(__doc__, measure)
