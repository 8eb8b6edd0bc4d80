"""The page of a running system."""

from __future__ import annotations

import dataclasses
import statistics

import numpy as np

from eddyline_cli.reporting.exposure import gini
from eddyline_cli.reporting.figures.by_policy import by_policy
from eddyline_cli.reporting.figures.by_source import by_source
from eddyline_cli.reporting.figures.by_version import by_version
from eddyline_cli.reporting.figures.calibration import calibration_served
from eddyline_cli.reporting.figures.click_rate import click_rate_over_time, overall
from eddyline_cli.reporting.figures.cost import cost_of_cycles
from eddyline_cli.reporting.figures.decisions import gate_decisions
from eddyline_cli.reporting.figures.freshness import event_to_served
from eddyline_cli.reporting.figures.importance import importance_and_drift
from eddyline_cli.reporting.figures.loss import loss_and_drift
from eddyline_cli.reporting.figures.served_order import served_order
from eddyline_cli.reporting.figures.simulation import expected_clicks, shift_of
from eddyline_cli.reporting.figures.spread import exposure_over_time, impressions, who_gets_seen
from eddyline_cli.reporting.plate import Page, Part, Plate, Tile
from eddyline_cli.reporting.registry import MOST_CYCLES, MOST_DECISIONS
from eddyline_cli.reporting.running import MOST_LISTS, RunningSystem
from eddyline_cli.reporting.serving import by_kind
from eddyline_cli.reporting.told import CHANGES, ROLL_BACK
from eddyline_cli.reporting.wording import count, duration, joules, moment, percent, plural, short
from eddyline_cli.simulating.summary import SimulationSummary

_LEFT_OUT = {
    "clicked_before": "whose click stands before them in the log",
    "no_room": "that found no room in memory",
    "not_held": "that found no room in memory",
    "late": "that came late",
    "stalled": "of a time when clicks had ceased to arrive, so that nobody knows what people did with them,",
    "from_the_future": "that name a place which the log had not reached",
}


def page_of(told: RunningSystem, *, first: Part | None = None) -> Page:
    """All figures; ``first`` comes before them."""
    kinds = by_kind(told.shown, told.decisions)
    served = sorted(
        (each for each in told.versions if each.promoted_at is not None and each.importance),
        key=lambda each: each.promoted_at or 0,
    )
    champion = told.champion
    if champion is not None and champion.importance:
        served = [*(each for each in served if each is not champion), champion]
    learnt: list[Plate | None] = [
        gate_decisions(told.decisions),
        loss_and_drift(told.cycles, told.marks),
        cost_of_cycles(told.cycles),
        event_to_served(told.versions, told.fresh),
        importance_and_drift(served),
    ]
    people: list[Plate | None] = [
        click_rate_over_time(told.shown, kinds, told.marks),
        by_version(told.shown, told.versions),
        by_policy(told.shown),
        by_source(told.shown, told.sources),
        served_order(told.shown, kinds, told.marks),
    ]
    seen = [
        exposure_over_time(told.shown, told.n_items, told.marks),
        who_gets_seen(told.shown, told.n_items),
        calibration_served(told.shown, told.view.learning.objective),
    ]
    parts = [
        Part(title="What people did", plates=[each for each in people if each is not None]),
        Part(title="What was learnt, and what it cost", plates=[each for each in learnt if each is not None]),
        Part(title="What is shown to people, and how sure the model is", plates=seen),
    ]
    return Page(
        title=f"Eddyline, {told.view.id}",
        lead=_lead(told),
        tiles=_tiles(told),
        parts=[first, *parts] if first is not None else parts,
        notes=_notes(told),
    )


def page_of_simulated(told: RunningSystem, simulation: SimulationSummary) -> Page:
    """The same, with what only a simulation knows before it."""
    marks = sorted([*told.marks, *shift_of(simulation)], key=lambda mark: mark.at_ms)
    told = dataclasses.replace(told, marks=marks)
    plate = expected_clicks(simulation, marks, told.cycles)
    return page_of(told, first=Part(title="What the simulation knows", plates=[plate]))


def _lead(told: RunningSystem) -> str:
    if told.newest_ms is None:
        return (
            "The log is empty: nothing was sent yet. Send events with `eddyline import FILE` or POST /v1/events, or "
            "let made-up people come with `eddyline simulate`."
        )
    words = (
        f"{plural(told.n_events, 'event')} since {moment(told.since_ms)}, up to {moment(told.newest_ms)}; drawn "
        f"{moment(told.now_ms)}. All times are UTC, as the log recorded them."
    )
    if not told.n_events:
        words += " Nothing was recorded in this time: look further back with --since."
    elif not told.shown:
        words += (
            " Among them is no list that was shown: POST /v1/rank and /v1/recommend log one for each answer, and "
            "clients send theirs as events of type slate."
        )
    elif not any(each.clicked for each in told.shown):
        words += " Nobody acted on what was shown: see that clicks are sent, and that eddyline.yaml names their action."
    return words


def _tiles(told: RunningSystem) -> list[Tile]:
    tiles = []
    if told.shown:
        rate = overall(told.shown)
        error = "" if rate.se is None else f"± {percent(rate.se)}, "
        tiles.append(
            Tile(label="click rate", value=percent(rate.mean), note=f"{error}{count(len(told.shown))} lists")
        )
    champion = told.champion
    if champion is None:
        tiles.append(
            Tile(label="model in service", value="none yet", note="lists are ordered by what is known live")
        )
    else:
        age = (told.now_ms - (champion.promoted_at or champion.made_at)) / 1_000
        trees = "" if champion.n_trees is None else f", {count(champion.n_trees)} trees"
        tiles.append(
            Tile(label="model in service", value=short(champion.model), note=f"for {duration(age)}{trees}")
        )
    waits = [
        (each.promoted_at - each.labelled_at) / 1_000
        for each in told.versions
        if each.promoted_at is not None and each.labelled_at is not None
    ]
    if waits:
        tiles.append(
            Tile(
                label="event to served model",
                value=duration(statistics.median(waits)),
                note="median of promotions",
            )
        )
    changes = {(d.at_ms, d.challenger): d for d in told.decisions if d.outcome in CHANGES}
    rolled = sum(each.outcome == ROLL_BACK for each in changes.values())
    tiles.append(
        Tile(
            label="cycles",
            value=count(len(told.cycles)),
            note=f"{plural(len(changes) - rolled, 'promotion')}, {plural(rolled, 'roll-back')}",
        )
    )
    if told.cycles:
        seconds = [sum(each.seconds.values()) for each in told.cycles]
        energy = [each.joules for each in told.cycles if each.joules is not None]
        note = f"{joules(sum(energy))} in all" if energy else "energy not known"
        tiles.append(Tile(label="a cycle takes", value=duration(statistics.median(seconds)), note=note))
    if told.shown and told.n_items > 1:
        counts = impressions(told.shown, told.n_items, 10)
        tiles.append(
            Tile(
                label="catalogue shown",
                value=percent(float(np.count_nonzero(counts)) / told.n_items, 0),
                note=f"Gini {gini(counts):.2f}, {plural(told.n_items, 'item')}",
            )
        )
    if told.skew is not None:
        tiles.append(_skew(told.skew))
    return tiles


def _skew(told: dict[str, object]) -> Tile:
    compared, different, largest = told.get("compared") or 0, told.get("different") or 0, told.get("largest")
    if not compared:
        return Tile(label="served = replayed", value="not compared", note="1 % of lists carry their vectors")
    if not different:
        return Tile(label="served = replayed", value="to the bit", note=f"{compared:,} lists compared")
    most = "without bound" if largest is None else f"{largest:g}"
    note = f"of {compared:,} lists; largest difference {most}"
    return Tile(label="served ≠ replayed", value=f"{different:,}", note=note, alarm=True)


def _notes(told: RunningSystem) -> list[str]:
    notes = [
        "A click rate is the share of lists on which somebody acted with an action that eddyline.yaml names; a "
        "list's value is the sum of its items' gains. Interactions belong to lists as in training: those that name "
        f"it, or that follow from the same person within {duration(told.view.label_window_ms / 1_000)} (label_window).",
        "Intervals hold 95 %, with people drawn as wholes, since one person's lists are alike.",
    ]
    if told.lists_from_ms is not None:
        notes.append(
            f"There were more lists than are read: the figures of lists begin with the newest {MOST_LISTS:,}, at "
            f"{moment(told.lists_from_ms)}."
        )
    if len(told.cycles) >= MOST_CYCLES or len(told.decisions) >= MOST_DECISIONS:
        notes.append(f"Of cycles and decisions the newest {MOST_CYCLES:,} and {MOST_DECISIONS:,} are read.")
    unripe = sum(not each.ripe for each in told.shown)
    if unripe:
        notes.append(
            f"The newest {plural(unripe, 'list')} may still get clicks; only figures over time have them."
        )
    for why, n in told.left_out.items():
        notes.append(f"{plural(n, 'list')} {_LEFT_OUT.get(why, f'({why})')} are not counted.")
    return notes
