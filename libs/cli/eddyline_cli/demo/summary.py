"""What a demo measured, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from rich.console import Console

from eddyline_cli.demo.freshness import Freshness
from eddyline_cli.demo.timings import Percentiles
from eddyline_cli.screen import table


class Events(Struct, frozen=True, kw_only=True):
    """What became of the file's events."""

    accepted: int
    """By ingest."""
    logged: int
    """Rows of the log, counted in PostgreSQL."""
    refused: int


class Baselines(Struct, frozen=True, kw_only=True):
    """NDCG@10 of the same slates in other orders."""

    shown_order: float | None
    item_rate: float | None
    """By the click rate of the item before that slate."""


class Summary(Struct, frozen=True, kw_only=True):
    """One run."""

    events: Events
    slates: int
    promotions: int
    ndcg: float | None = field(name="ndcg@10")
    """Of the ranker's order, over the last fifth of the slates that have a click."""
    ndcg_se: float | None = field(name="ndcg@10_se")
    """Its standard error."""
    judged_slates: int
    """How many these are."""
    baselines: Baselines
    event_to_slate_ms: Percentiles
    """Ingest has answered → the ranker's answer reflects that event, both as the client sees it."""
    freshness: Freshness
    rank_ms: Percentiles
    """``POST /v1/rank`` as the client sees it, when nothing has to be waited for."""
    degraded: dict[str, int]
    """Answers that lacked something, by what."""
    waited_for_trainer_seconds: float
    """Pauses of the sender because the trainer was far behind."""
    restarts: int
    """Processes that had to be started again."""
    seconds: float
    """From the first event to the last one logged."""


def show(screen: Console, summary: Summary) -> None:
    """Print a summary for people."""
    fresh = summary.freshness
    rows: Sequence[tuple[str, str]] = [
        (
            "events",
            f"{summary.events.accepted:,} accepted, {summary.events.logged:,} in the log, "
            f"{summary.events.refused:,} refused",
        ),
        (
            "slates",
            f"{summary.slates:,}, ranked before their clicks were known; {_degraded(summary.degraded)}",
        ),
        ("models promoted", str(summary.promotions)),
        (
            "NDCG@10, ranker",
            f"{_figure(summary.ndcg)} ± {_figure(summary.ndcg_se)} "
            f"(last fifth: {summary.judged_slates:,} slates with a click)",
        ),
        ("NDCG@10, as shown", _figure(summary.baselines.shown_order)),
        ("NDCG@10, item click rate", _figure(summary.baselines.item_rate)),
        ("how fresh", ""),
        ("  event → log", _times(fresh.event_to_log_ms)),
        ("  event → features", _times(fresh.event_to_fold_ms)),
        ("  event → next slate", _times(summary.event_to_slate_ms)),
        ("  event → served model", _times(fresh.event_to_served_model_s, "s")),
        ("  age of the model", "–" if fresh.model_age_s is None else f"{fresh.model_age_s:.0f} s"),
        ("the gate's decisions", _counts(fresh.decisions)),
        ("cycles", _counts(fresh.cycles)),
        ("seconds of cycles", _seconds(fresh.cycle_seconds)),
        ("POST /v1/rank", _times(summary.rank_ms)),
        ("time", _time(summary)),
    ]
    listed = table("", "")
    listed.show_header = False
    for what, value in rows:
        listed.add_row(f"[bold]{what}[/bold]", value)
    screen.print()
    screen.print(listed)
    screen.print()


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _times(times: Percentiles, unit: str = "ms") -> str:
    if times.p50 is None:
        return "–"
    return f"p50 {times.p50:.1f} {unit}, p99 {times.p99:.1f} {unit}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{what} {n:,}" for what, n in counts.items()) or "–"


def _seconds(by_phase: dict[str, float]) -> str:
    return ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in by_phase.items()) or "–"


def _degraded(counts: dict[str, int]) -> str:
    if not counts:
        return "every answer complete"
    return "without " + ", ".join(f"{what}: {n:,}" for what, n in counts.items())


def _time(summary: Summary) -> str:
    text = f"{summary.seconds:.0f} s"
    if summary.waited_for_trainer_seconds:
        text += f", of these {summary.waited_for_trainer_seconds:.0f} s pauses for the trainer"
    if summary.restarts:
        text += f"; {summary.restarts} restarts"
    return text
