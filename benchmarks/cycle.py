"""A cycle, from the last label to the model that serves: ``python -m benchmarks.cycle``.

Log writer, feature-store, trainer and ranker run as processes on 100,000 example rows of a made-up shop. Two stretches
count: from the event by which the last slate becomes ripe until the challenger is made and registered, and from the
event by which its gate has seen enough until the ranker answers with it. What lies between is waiting for people, which
no machine shortens. The floor is the training alone.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.area import SECONDS, alone
from benchmarks.made_up import VIEW, learning, some_items, some_traffic
from benchmarks.processes import Service, servers
from benchmarks.publishing import details, publish_all, until_at
from benchmarks.report import Figure, at_most, told
from eddyline_contracts.events import Event, InteractionRecorded

N_ROWS = 100_000
_SIZE, _EVENTS_OF_A_SLATE = 24, 5
_EVERY_MS = 200
_WINDOW_MS = 60_000
_EVIDENCE = 250
"""Slates between two looks of the gate."""
_LOOKS = 12
_AGO_MS = 8 * 3_600_000
_DEADLINE_S = 300.0
_SETTLED_S = 4.0


def measure(seconds: float) -> list[Figure]:
    """All figures; with fewer ``seconds`` than usual, of fewer rows and without a budget."""
    return asyncio.run(_measured(round(N_ROWS * min(1.0, seconds / SECONDS))))


async def _measured(n_rows: int) -> list[Figure]:
    n_slates = math.ceil(n_rows / _SIZE)
    gate = f"{{delta: 0.05, min_slates: {_EVIDENCE // 2}}}"
    config = VIEW + learning(min_slates=n_slates, learn_every=_EVIDENCE, growth=2, gate=gate)
    history = _History()
    with servers(config) as using, ExitStack() as stack:
        stack.enter_context(using.service("eddyline_ingest.log_writer"))
        trainer = stack.enter_context(using.service("eddyline_trainer"))
        stack.enter_context(using.service("eddyline_feature_store"))
        ranker = stack.enter_context(using.service("eddyline_ranker"))

        async def send(*events: Event) -> float:
            """Publish; the moment at which all is stored."""
            history.last = await publish_all(using.nats.url, events)
            return time.monotonic()

        await send(*history.catalogue(), *history.slates(n_slates))
        await until_at(trainer.url, history.last)
        assert await asyncio.to_thread(_models, trainer) == 0, "made before the last label was ripe"
        ripe_at = await send(history.ripening())
        while await asyncio.to_thread(_models, trainer) == 0:
            _in_time(ripe_at, "no model was made")
            await asyncio.sleep(0.05)
        made_s = time.monotonic() - ripe_at
        phases = await asyncio.to_thread(_phases, trainer)
        served_s = await _served(ranker, trainer, ripe_at, history.last)
        if served_s is not None:
            # Nothing stood between making and serving.
            made_s, served_s = min(made_s, served_s), max(0.0, served_s - made_s)
        for _ in range(_LOOKS):
            if served_s is not None:
                break
            await send(*history.slates(_EVIDENCE))
            await until_at(trainer.url, history.last)
            enough_at = await send(history.ripening())
            served_s = await _served(ranker, trainer, enough_at, history.last)
        if served_s is None:
            raise SystemExit(f"the gate let none through in {_LOOKS * _EVIDENCE:,} slates")
    name = f"cycle: last label ripe → challenger served, {n_rows:,} rows"
    budget = 15.0 if n_rows >= N_ROWS else None
    return [
        at_most(f"{name} (floor: training)", made_s + served_s, "s", budget, phases.get("train")),
        told("cycle: last label ripe → challenger registered", made_s, "s"),
        told("cycle: the gate has seen enough → served", served_s, "s"),
        *(told(f"cycle: {phase}", of_phase, "s") for phase, of_phase in phases.items()),
    ]


class _History:
    """Slates one after another, in a past long enough that their labels ripen as soon as an event says so."""

    def __init__(self) -> None:
        self.last = 0
        """Place in the log of what was sent last."""
        self._rng = random.Random(2)
        self._now_ms = time.time_ns() // 10**6 - _AGO_MS
        self._n = 0

    def catalogue(self) -> Iterator[Event]:
        """The items."""
        return some_items(self._rng, self._now_ms)

    def slates(self, n: int) -> Iterator[Event]:
        """So many, with their clicks."""
        self._n += 1
        n_events, first_ms = n * _EVENTS_OF_A_SLATE, self._now_ms
        self._now_ms += n_events * _EVERY_MS
        return some_traffic(
            self._rng, f"part-{self._n}", n_events, size=_SIZE, first_ms=first_ms, every_ms=_EVERY_MS
        )

    def ripening(self) -> Event:
        """Happens when the labels of all slates so far are ripe; only acts of people tell that time."""
        self._now_ms += _WINDOW_MS + 1
        self._n += 1
        return InteractionRecorded(
            id=f"ripe-{self._n}", occurred_at=self._now_ms, user="somebody", item="item-1"
        )


async def _served(ranker: Service, trainer: Service, since: float, last: int) -> float | None:
    """Seconds until the ranker has a model; None once the trainer has been done for a while without."""
    done_at: float | None = None
    while True:
        if await asyncio.to_thread(_model, ranker) is not None:
            return time.monotonic() - since
        if done_at is None and (await asyncio.to_thread(details, trainer.url)).get("sequence", 0) >= last:
            done_at = time.monotonic()
        if done_at is not None and time.monotonic() - done_at > _SETTLED_S:
            return None
        _in_time(since, "the trainer does not come to an end")
        await asyncio.sleep(0.05)


def _in_time(since: float, otherwise: str) -> None:
    if time.monotonic() - since > _DEADLINE_S:
        raise SystemExit(otherwise)


def _model(ranker: Service) -> str | None:
    """The model that answers now."""
    body = json.dumps({"user": "user-1", "items": ["item-1", "item-2"], "log": False}).encode()
    with urllib.request.urlopen(f"{ranker.url}/v1/rank", body, timeout=10) as answer:
        model: str | None = json.load(answer).get("model")
        return model


def _models(trainer: Service) -> int:
    with urllib.request.urlopen(f"{trainer.url}/v1/models", timeout=30) as answer:
        models: list[Any] = json.load(answer)["models"]
        return len(models)


def _phases(trainer: Service) -> dict[str, float]:
    with urllib.request.urlopen(f"{trainer.url}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        sample.labels["phase"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "eddyline_trainer_cycle_seconds_total"
    }


if __name__ == "__main__":
    alone(__doc__, measure)
