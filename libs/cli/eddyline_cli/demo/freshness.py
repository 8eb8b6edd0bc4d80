"""How soon what happens counts, in the words of the services: read from their metrics when all is over."""

from __future__ import annotations

import asyncio

import aiohttp
from msgspec import Struct

from eddyline_cli.data_folder import RunState
from eddyline_cli.demo.timings import Percentiles
from eddyline_cli.readings import Readings, read


class Freshness(Struct, frozen=True, kw_only=True):
    """Of one run. None, or nothing, where a service does not say."""

    event_to_log_ms: Percentiles
    """The inbox has stored an event → it is committed to the log; the oldest event of each batch."""
    event_to_fold_ms: Percentiles
    """The inbox has stored an event → the state behind the ranker reflects it; the oldest of each batch."""
    event_to_served_model_s: Percentiles
    """The newest label that a model may have learnt from is stored → the model is champion."""
    model_age_s: float | None
    """Since the promotion of the model that serves."""
    decisions: dict[str, int]
    """Of the gate, by outcome."""
    cycles: dict[str, int]
    """By what came of them."""
    cycle_seconds: dict[str, float]
    """In all cycles together, by phase."""


async def freshness(session: aiohttp.ClientSession, state: RunState) -> Freshness:
    """Ask the services at ``state``."""
    names = ("log-writer", "feature-store", "trainer", "ranker")
    log_writer, store, trainer, ranker = await asyncio.gather(
        *(read(session, state.url(name)) for name in names)
    )
    return told_by(log_writer, store, trainer, ranker)


def told_by(log_writer: Readings, store: Readings, trainer: Readings, ranker: Readings) -> Freshness:
    """What these readings say together."""
    age = ranker.value("eddyline_model_age_seconds")
    return Freshness(
        event_to_log_ms=_percentiles(log_writer, "eddyline_log_latency_seconds", 1_000),
        event_to_fold_ms=_percentiles(store, "eddyline_fold_latency_seconds", 1_000),
        event_to_served_model_s=_percentiles(trainer, "eddyline_trainer_event_to_served_seconds", 1),
        model_age_s=None if age is None or age < 0 else round(age, 1),
        decisions=_counts(trainer.by("outcome", "eddyline_trainer_decisions_total")),
        cycles=_counts(trainer.by("outcome", "eddyline_trainer_cycles_total")),
        cycle_seconds={
            phase: round(seconds, 2)
            for phase, seconds in trainer.by("phase", "eddyline_trainer_cycle_seconds_total").items()
        },
    )


def _percentiles(readings: Readings, name: str, scale: float) -> Percentiles:
    def at(share: float) -> float | None:
        seconds = readings.quantile(name, share)
        return None if seconds is None else round(seconds * scale, 1)

    return Percentiles(at(0.50), at(0.99))


def _counts(counts: dict[str, float]) -> dict[str, int]:
    return {what: int(n) for what, n in counts.items()}
