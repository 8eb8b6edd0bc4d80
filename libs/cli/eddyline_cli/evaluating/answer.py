"""What an evaluation found, as JSON and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from eddyline_cli.evaluating.cold_start import cold_start_tables
from eddyline_cli.evaluating.diversity import diversity_table
from eddyline_cli.evaluating.figures import figure
from eddyline_cli.screen import table
from eddyline_learning.gate import PRIORS
from eddyline_learning.metrics import Estimate
from eddyline_learning.prequential import Cycle, Evaluation
from eddyline_learning.scored import BASELINES, CHAMPION, ITEM_RATE, RANDOM
from eddyline_learning.timeline import stretches
from eddyline_learning.tradeoff import Tradeoff

_NAMES = {
    CHAMPION: "Eddyline",
    "frozen": "frozen model",
    "item_rate": "item rate",
    "shown_order": "as shown",
    "random": "random",
}


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that ``--json`` prints."""

    protocol: str
    events: int
    """That entered the log."""
    scored: int
    """Slates."""
    seconds: float
    metrics: dict[str, dict[str, float | int | None]]
    """By name: mean, standard error, and of how many slates."""
    baselines: dict[str, dict[str, dict[str, float | int | None]]]
    timeline: list[dict[str, Any]]
    """The main metrics of stretches of slates, in the order in which they were shown."""
    cold_start: dict[str, list[dict[str, Any]]]
    """The main metrics by how often the person, and what was acted on, were met before."""
    calibration: list[dict[str, float | int | None]]
    """Where scores are probabilities: foreseen and observed, by bins of as many items."""
    cycles: list[dict[str, Any]]
    diversity: list[dict[str, Any]] = []
    """What each place of the dial costs and gives, where it was asked for."""


def answer_of(
    found: Evaluation,
    measured: Mapping[str, Mapping[str, Estimate]],
    *,
    objective: str,
    k: int,
    protocol: str,
    events: int,
    seconds: float,
    diversity: Sequence[Tradeoff] = (),
) -> Answer:
    """The answer as it is printed."""
    plain = {who: {m: e.as_json() for m, e in metrics.items()} for who, metrics in measured.items()}
    return Answer(
        protocol=protocol,
        events=events,
        scored=len(found.slates),
        seconds=round(seconds, 3),
        metrics=plain[CHAMPION],
        baselines={name: plain[name] for name in BASELINES},
        timeline=[stretch.as_json() for stretch in stretches(found.slates, objective, k)],
        cold_start=found.slates.cold_start(objective, k).as_json(CHAMPION),
        calibration=[each.as_json() for each in found.slates.calibration(objective)],
        cycles=[cycle.as_json() for cycle in found.cycles],
        diversity=[each.as_json() for each in diversity],
    )


def show(
    screen: Console,
    found: Evaluation,
    measured: Mapping[str, Mapping[str, Estimate]],
    *,
    objective: str,
    k: int,
    events: int,
    seconds: float,
    diversity: Sequence[Tradeoff] = (),
) -> None:
    """Print it for people."""
    screen.print()
    screen.print(
        f"{events:,} events, {len(found.slates):,} slates scored before their interactions were known, "
        f"in {seconds:.1f} s"
    )
    screen.print()
    screen.print(_figures(measured))
    screen.print()
    shown = {name: _NAMES[name] for name in (CHAMPION, ITEM_RATE, RANDOM)}
    for listed in cold_start_tables(found.slates.cold_start(objective, k), shown, "slates"):
        screen.print(listed)
        screen.print()
    if diversity:
        screen.print(diversity_table(diversity))
        screen.print()
    screen.print(cycles_table(found.cycles))
    screen.print()


def _figures(measured: Mapping[str, Mapping[str, Estimate]]) -> Table:
    who = [name for name in _NAMES if name in measured]
    listed = table("", *(_NAMES[name] for name in who))
    for metric in measured[CHAMPION]:
        cells = [figure(measured[name].get(metric)) for name in who]
        listed.add_row(metric, f"[bold]{cells[0]}[/bold]", *cells[1:])
    return listed


def cycles_table(cycles: list[Cycle]) -> Table:
    """What happened at each cut."""
    listed = table(
        "cut at", "made", "of slates", "gate", "against", "difference", "over", "seconds", title="Cycles"
    )
    champion: str | None = None
    for cycle in cycles:
        first = [f"{cycle.cut:,}", cycle.strategy or "–", f"{cycle.n_slates:,}"]
        seconds = f"{sum(cycle.seconds.values()):.1f}"
        if not cycle.decisions:
            listed.add_row(*first, "–", "", "", "", seconds)
        for number, decision in enumerate(cycle.decisions):
            # What was made is told once, beside the first of the decisions.
            head, tail = (first, seconds) if number == 0 else ([""] * 3, "")
            against = _opponent(decision, champion)
            listed.add_row(
                *head, str(decision["outcome"]), against, _interval(decision), f"{decision['n']:,}", tail
            )
        champion = cycle.champion
    return listed


def _opponent(decision: Mapping[str, Any], champion: str | None) -> str:
    if decision["opponent"] == champion:
        return "champion"
    return "item priors" if decision["opponent"] == PRIORS else "former"


def _interval(decision: Mapping[str, Any]) -> str:
    lower, upper = decision["lower"], decision["upper"]
    if lower is None or upper is None:
        return "–"
    return f"{decision['mean']:+.4f} [{lower:+.4f}, {upper:+.4f}]"
