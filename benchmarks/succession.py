"""`/v1/rank` of one ranker while two hundred champions follow each other; a part of ``python -m benchmarks.endurance``.

Real processes: nats-server, PostgreSQL, log writer, feature-store, ranker. The models are those that the cycles before
made, each announced as a trainer does it, whether the gate let it through or not: more often than in any shop, so that
days of swaps pass within two minutes. Requests are sent at set times, so that a pause shows in all that it delays.

The last quarter of the champions is compared with the first, after a beginning that does not count. One p99 of a
quarter would be the one second in which something else had the machine; so each quarter is cut into windows, and its
figure is the median of their p99: what grows with each swap is in every window, a hiccup of the machine in one or two.
Other work that comes or goes for longer is still in it, and in p50 and the CPU time of an answer, told for that reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import msgspec
import numpy as np
import psutil

from benchmarks.crowning import Throne, throne
from benchmarks.latencies import cpu_seconds, result_of
from benchmarks.processes import servers
from benchmarks.publishing import publish_all, until_at
from benchmarks.report import Figure, at_least, at_most, told
from benchmarks.succession_load import N_CANDIDATES, Answered, command
from eddyline_contracts.bundle import Bundle
from eddyline_contracts.events import Event

RATE, CHAMPIONS_PER_S = 100.0, 2.5
_BEGINNING = 20
_WINDOW_S = 2.5
_LOAD_STARTS_S = 10.0
"""The load needs so long to start and to make its requests."""
_AFTER_S = 1.0
_SAMPLE_S = 0.25


class Sample(NamedTuple):
    """The ranker at one moment."""

    at: float
    """Seconds since the first champion was announced."""
    mb: float
    """Resident memory, in MiB."""
    cpu_s: float
    """CPU time since its start."""


def measure(
    declaration: str, past: Sequence[Event], bundles: Sequence[Bundle], *, whole: bool
) -> list[Figure]:
    """Figures of the ``bundles`` as champions, one after another; with budgets if it is the ``whole``."""
    return asyncio.run(_measured(declaration, past, bundles, whole))


async def _measured(
    declaration: str, past: Sequence[Event], bundles: Sequence[Bundle], whole: bool
) -> list[Figure]:
    with servers(declaration) as using, ExitStack() as stack:
        stack.enter_context(using.service("eddyline_ingest.log_writer"))
        store = stack.enter_context(using.service("eddyline_feature_store"))
        await until_at(store.url, await publish_all(using.nats.url, past))
        async with throne(using.nats.url) as place:
            await _crown(place, bundles[0])
            ranker = stack.enter_context(using.service("eddyline_ranker"))
            begins = time.time() + _LOAD_STARTS_S
            n_requests = round(RATE * (len(bundles) / CHAMPIONS_PER_S + _AFTER_S))
            asked = asyncio.create_task(
                result_of(command(ranker.url, using.nats.url, begins, n_requests, RATE))
            )
            samples: list[Sample] = []
            watching = asyncio.create_task(_watch(ranker.pid, begins, samples))
            for k, bundle in enumerate(bundles):
                await asyncio.sleep(max(0.0, begins + k / CHAMPIONS_PER_S - time.time()))
                await _crown(place, bundle)
            answers = msgspec.convert(await asked, list[Answered])
            watching.cancel()
    return _figures(answers, samples, bundles, whole)


async def _crown(place: Throne, bundle: Bundle) -> None:
    await place.put(bundle)
    await place.crown(bundle)


async def _watch(pid: int, begins: float, samples: list[Sample]) -> None:
    process = psutil.Process(pid)
    while True:
        samples.append(Sample(time.time() - begins, process.memory_info().rss / 2**20, cpu_seconds(pid)))
        await asyncio.sleep(_SAMPLE_S)


def _figures(
    answers: Sequence[Answered], samples: Sequence[Sample], bundles: Sequence[Bundle], whole: bool
) -> list[Figure]:
    n_champions, n_models = len(bundles), len({bundle.model for bundle in bundles})
    length = n_champions / 4 / CHAMPIONS_PER_S
    starts = (
        (_BEGINNING if whole else 0) / CHAMPIONS_PER_S,
        n_champions / CHAMPIONS_PER_S - length,
    )
    first, last = (_Quarter(answers, samples, start, start + length) for start in starts)
    n_served = len({one.model for one in answers if one.model is not None})
    n_incomplete = sum(one.outcome != "whole" for one in answers)
    name = f"/v1/rank, {N_CANDIDATES} items, a champion after another"
    return [
        at_least(
            f"{name}: of {n_models} models, those that answered", n_served, "models", 200 if whole else None
        ),
        at_most(f"{name}: failed or degraded of {len(answers):,}", n_incomplete, "answers", 0),
        told(f"{name}: p50, first quarter", first.p50, "ms"),
        told(f"{name}: p50, last quarter", last.p50, "ms"),
        told(f"{name}: p99, first quarter", first.p99, "ms"),
        told(f"{name}: p99, last quarter", last.p99, "ms"),
        at_most(f"{name}: p99 last ÷ first quarter", last.p99 / first.p99, "×", 1.25 if whole else None),
        told(f"{name}: the ranker's CPU, first quarter", first.cpu_ms, "ms an answer"),
        told(f"{name}: the ranker's CPU, last quarter", last.cpu_ms, "ms an answer"),
        told(f"{name}: the ranker's memory, last quarter", last.mb, "MiB"),
        at_most(f"{name}: memory last ÷ first quarter", last.mb / first.mb, "×", 1.1 if whole else None),
    ]


class _Quarter:
    """What was seen within [first_s, last_s)."""

    def __init__(
        self, answers: Sequence[Answered], samples: Sequence[Sample], first_s: float, last_s: float
    ) -> None:
        inside = [one for one in answers if first_s <= one.at < last_s]
        n_windows = max(1, round((last_s - first_s) / _WINDOW_S))
        windows: list[list[float]] = [[] for _ in range(n_windows)]
        for one in inside:
            windows[int((one.at - first_s) / (last_s - first_s) * n_windows)].append(one.ms)
        self.p50, self.p99 = (
            float(np.median([np.percentile(window, percent) for window in windows])) for percent in (50, 99)
        )
        seen = [sample for sample in samples if first_s <= sample.at < last_s]
        self.mb = float(np.median([sample.mb for sample in seen]))
        spell_s = seen[-1].at - seen[0].at
        self.cpu_ms = 1e3 * (seen[-1].cpu_s - seen[0].cpu_s) / (RATE * spell_s)
        """CPU time of an answer, with what the swaps cost."""
