"""Protocol ``next-item``: a history without slates, or without a look at them."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from eddyline_cli.evaluating.answer import cycles_table
from eddyline_cli.evaluating.cold_start import cold_start_tables
from eddyline_cli.evaluating.figures import figure
from eddyline_cli.evaluating.forms import warmup_of
from eddyline_cli.evaluating.history import Found, History
from eddyline_cli.evaluating.hosting import Asked
from eddyline_cli.evaluating.progress import EvaluationProgress
from eddyline_cli.screen import table
from eddyline_features.view import View, load_view
from eddyline_learning.metrics import Estimate
from eddyline_learning.next_item.evaluation import Foreseen, NextItem
from eddyline_learning.next_item.meetings import (
    BASELINES,
    CHAMPION,
    FROZEN,
    POPULAR,
    POPULAR_TOGETHER,
    RANDOM,
    TOGETHER,
)
from eddyline_learning.warmup import Warmup
from eddyline_runtime.cost import Energy, Meter

_NAMES = {
    CHAMPION: "Eddyline",
    FROZEN: "frozen model",
    POPULAR_TOGETHER: "popular + together",
    POPULAR: "popular",
    TOGETHER: "together",
    RANDOM: "random",
}
LEARN_EVERY = 1_000
"""Interactions from a cycle to the next, where no view says otherwise. Each is a slate of its own here, and far more of
them come than lists are shown; the fold knows each at once."""
_Plain = dict[str, dict[str, float | int | None]]


class NextItemAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that ``--json`` prints."""

    protocol: str
    events: int
    """That entered the log."""
    scored: int
    """Interactions."""
    found: int
    """Those whose item is among the candidates: no order can hit more."""
    seconds: float
    metrics: _Plain
    """By name: mean, standard error, and of how many interactions."""
    baselines: dict[str, _Plain]
    chosen: dict[str, str]
    """Variants that stand for baselines: the best on the warm-up."""
    popularity: dict[str, _Plain]
    """By half-life."""
    timeline: list[dict[str, Any]]
    """The metrics of stretches of interactions, in the order of the log."""
    cold_start: dict[str, list[dict[str, Any]]]
    """The metrics by how often the person, and the item, were met before."""
    unscored: dict[str, int]
    cycles: list[dict[str, Any]]
    sync: list[dict[str, Any]] = []
    """By interval, where they were asked for: the same metrics with all that is learnt so late."""


@dataclass(frozen=True)
class Synced:
    """What came of one interval."""

    interval: str
    """As it was written."""
    interval_ms: int
    found: Foreseen
    seconds: float
    metrics: Mapping[str, Mapping[str, Estimate]]

    def as_json(self) -> dict[str, Any]:
        """One of the answer's ``sync``."""
        plain = _plain(self.metrics)
        return {
            "interval": self.interval,
            "interval_ms": self.interval_ms,
            "scored": len(self.found.measured.of),
            "found": self.found.measured.n_found,
            "metrics": plain[CHAMPION],
            "baselines": {name: plain[name] for name in BASELINES},
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class NextItemOutcome:
    """As `Outcome`."""

    runs: list[Synced]
    """The first one is told at length."""
    asked_for_syncs: bool

    @property
    def unscored(self) -> Mapping[str, int]:
        """As `Outcome`."""
        return self.runs[0].found.unscored

    def answer(self, *, events: int, seconds: float) -> NextItemAnswer:
        """As `Outcome`."""
        first = self.runs[0]
        plain, measured = _plain(first.metrics), first.found.measured
        return NextItemAnswer(
            protocol="next-item",
            events=events,
            scored=len(measured.of),
            found=measured.n_found,
            seconds=round(seconds, 3),
            metrics=plain[CHAMPION],
            baselines={name: plain[name] for name in BASELINES},
            chosen=measured.variants,
            popularity=_plain(measured.popularity()),
            timeline=list(measured.timeline()),
            cold_start=measured.cold_start().as_json(CHAMPION),
            unscored=dict(self.unscored),
            cycles=[cycle.as_json() for cycle in first.found.cycles],
            sync=[run.as_json() for run in self.runs] if self.asked_for_syncs else [],
        )

    def show(self, screen: Console, *, events: int, seconds: float) -> None:
        """As `Outcome`."""
        first = self.runs[0]
        measured = first.found.measured
        n, share = len(measured.of), measured.n_found / max(1, len(measured.of))
        screen.print()
        screen.print(
            f"{events:,} events, {n:,} interactions ranked before they were known, in {seconds:.1f} s; "
            f"{share:.1%} of the items were among the candidates"
        )
        screen.print()
        screen.print(_figures(first.metrics))
        screen.print()
        chosen = ", ".join(f"{_NAMES[name]}: {variant}" for name, variant in measured.variants.items())
        screen.print(f"Best on the warm-up, and so in the table: {chosen}")
        screen.print()
        screen.print(_popularity(measured.popularity()))
        screen.print()
        shown = {name: _NAMES[name] for name in (CHAMPION, POPULAR_TOGETHER, POPULAR, RANDOM)}
        for listed in cold_start_tables(measured.cold_start(), shown, "interactions"):
            screen.print(listed)
            screen.print()
        if self.asked_for_syncs:
            screen.print(_delays(self.runs))
            screen.print()
        screen.print(cycles_table(first.found.cycles))
        screen.print()


class NextItemHost:
    """As `Host`."""

    def lacks(self, found: Found, files: str) -> str | None:
        """As `Host`."""
        if found.interactions:
            return None
        return f'there is no interaction in {files}: --protocol next-item needs events of type "interaction"'

    def warmup(self, text: str, found: Found) -> Warmup:
        """As `Host`."""
        return warmup_of(text, n_interactions=found.interactions)

    def fitted(self, proposed: str) -> View:
        """As `Host`."""
        view = load_view(proposed)
        return dataclasses.replace(view, learning=dataclasses.replace(view.learning, learn_every=LEARN_EVERY))

    def run(
        self, history: History, view: View, asked: Asked, progress: EvaluationProgress
    ) -> NextItemOutcome:
        """As `Host`; the events are decoded once for all intervals."""
        intervals = asked.sync_intervals or (("0", 0),)
        runs = []
        for number, (name, interval_ms) in enumerate(intervals):
            began = time.monotonic()
            run = NextItem(
                view,
                self.warmup(asked.warmup, history.found),
                repeats=asked.repeats,
                sync_ms=interval_ms,
                now=time.perf_counter,
                cpu=time.process_time,
                meter=functools.partial(Meter, Energy()),
            )
            progress.begin(f"evaluating, sync {name}" if interval_ms else "evaluating", history.found.events)
            n = 0
            for batch in history.batches(last=number == len(intervals) - 1):
                run.read(batch)
                n += len(batch)
                progress.show(n, f"{run.n_scored:,} interactions ranked")
            found = run.finish(asked.ks)
            runs.append(Synced(name, interval_ms, found, time.monotonic() - began, found.measured.metrics()))
        if asked.plot is not None:
            from eddyline_cli.evaluating.plot import plot_delays

            plot_delays(asked.plot, runs, asked.ks[0])
        return NextItemOutcome(runs, bool(asked.sync_intervals))


def _plain(measured: Mapping[str, Mapping[str, Estimate]]) -> dict[str, _Plain]:
    return {who: {m: e.as_json() for m, e in metrics.items()} for who, metrics in measured.items()}


def _figures(measured: Mapping[str, Mapping[str, Estimate]]) -> Table:
    listed = table("", *_NAMES.values())
    for metric in measured[CHAMPION]:
        cells = [figure(measured[name][metric]) for name in _NAMES]
        listed.add_row(metric, f"[bold]{cells[0]}[/bold]", *cells[1:])
    return listed


def _popularity(measured: Mapping[str, Mapping[str, Estimate]]) -> Table:
    metrics = list(next(iter(measured.values())))
    listed = table("half-life", *metrics, title="Recent popularity")
    for half_life, of in measured.items():
        listed.add_row(half_life, *(figure(of[name]) for name in metrics))
    return listed


def _delays(runs: list[Synced]) -> Table:
    metrics = [name for name in runs[0].metrics[CHAMPION] if name.startswith(("hr@", "mrr@"))]
    listed = table(
        "learnt every",
        *metrics,
        *(f"{_NAMES[POPULAR_TOGETHER]}, {name}" for name in metrics),
        "seconds",
        title="What delay costs",
    )
    for run in runs:
        listed.add_row(
            run.interval if run.interval_ms else "event",
            *(f"[bold]{figure(run.metrics[CHAMPION][name])}[/bold]" for name in metrics),
            *(figure(run.metrics[POPULAR_TOGETHER][name]) for name in metrics),
            f"{run.seconds:.0f}",
        )
    return listed
