"""What a simulation measured, as JSON and for people."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct
from rich.console import Console

from eddyline_cli.demo.freshness import Freshness
from eddyline_cli.demo.timings import Percentiles, percentiles
from eddyline_cli.screen import table
from eddyline_cli.simulating.outcomes import ClickRate, Outcomes, click_rate, ratio
from eddyline_cli.simulating.phases import Phases
from eddyline_cli.simulating.timeline import Moment, timeline_of
from eddyline_cli.simulating.traffic import Traffic


class Rates(Struct, frozen=True, kw_only=True):
    """Of each stretch of time; None where it was not measured."""

    before: float | None
    lowest: float | None
    recovered: float | None
    frozen: float | None
    """Of the frozen first model, over the time of ``recovered``."""


class Lists(Struct, frozen=True, kw_only=True):
    """How many lists each rate is of."""

    before: int
    lowest: int
    recovered: int
    frozen: int


class Share(Struct, frozen=True, kw_only=True):
    """A rate in units of the rate before the shift."""

    mean: float
    se: float


class Scale(Struct, frozen=True, kw_only=True):
    """What could be had, over the whole run."""

    best_order: float
    random_order: float


class Recommended(Struct, frozen=True, kw_only=True):
    """Lists that `/v1/recommend` chose from the whole catalogue, over the whole run."""

    lists: int
    click_rate: float | None
    se: float | None
    expected: float
    """Chance of a click, by those who click: what the click rate is, without luck."""
    best: float
    """The same of the best list of the whole catalogue."""
    random: float
    """Of twenty items drawn by chance."""
    sources: dict[str, float]
    """Share of the items shown, by where they were found."""
    recommend_ms: Percentiles
    before: float | None = None
    """Click rate before the shift, as of the lists that are ordered."""
    lowest: float | None = None
    recovered: float | None = None


class SimulationSummary(Struct, frozen=True, kw_only=True):
    """One run."""

    click_rate: Rates
    """Share of the lists shown that got a click."""
    click_rate_se: Rates
    """Standard errors, of people drawn as wholes."""
    lists: Lists
    recovered_share: Share | None
    frozen_share: Share | None
    scale: Scale | None
    promotions: int
    """By the gate, as it counts them."""
    decisions: dict[str, int]
    models_seen: int
    """Different models that ordered people's lists."""
    events_acknowledged: int
    """Items and clicks; the lists are logged by the ranker."""
    lists_shown: int
    event_to_slate_ms: Percentiles
    """Ingest has answered → the ranker's answer reflects that event, both as the client sees it."""
    rank_ms: Percentiles
    freshness: Freshness | None
    degraded: dict[str, int]
    repeated_requests: int
    restarts: int | None
    began_at: int
    """When people began to come, in ms since the Unix epoch."""
    shift_at_s: float | None
    """Seconds after that, tastes turned."""
    timeline: list[Moment]
    seed: int
    seconds: float
    recommended: Recommended | None = None
    """Lists of their own: no other figure is of them."""


@dataclass(frozen=True)
class Measured:
    """The four rates."""

    before: ClickRate
    lowest: ClickRate
    recovered: ClickRate
    frozen: ClickRate

    @classmethod
    def of(cls, outcomes: Outcomes, phases: Phases) -> Measured:
        """What the phases are measured by."""
        none = ClickRate(None, None, 0)
        before = click_rate(outcomes.between(*phases.before, frozen=False))
        if phases.after is None:
            return cls(before, none, none, click_rate(outcomes.between(*phases.before, frozen=True)))
        steps = [click_rate(outcomes.between(*step, frozen=False)) for step in phases.steps_after]
        known = [step for step in steps if step.mean is not None]
        return cls(
            before,
            min(known, key=lambda rate: rate.mean or 0.0, default=none),
            click_rate(outcomes.between(*phases.after, frozen=False)),
            click_rate(outcomes.between(*phases.after, frozen=True)),
        )


def summarise(traffic: Traffic, fresh: Freshness | None, *, seed: int, seconds: float) -> SimulationSummary:
    """All that is known at the end."""
    found = Measured.of(traffic.outcomes, traffic.phases)
    shown = traffic.outcomes.shown
    decisions = {} if fresh is None else fresh.decisions
    return SimulationSummary(
        click_rate=Rates(**{name: _round(rate.mean) for name, rate in vars(found).items()}),
        click_rate_se=Rates(**{name: _round(rate.se) for name, rate in vars(found).items()}),
        lists=Lists(**{name: rate.lists for name, rate in vars(found).items()}),
        recovered_share=_share(found.recovered, found.before),
        frozen_share=_share(found.frozen, found.before),
        scale=Scale(
            best_order=round(sum(one.oracle for one in shown) / len(shown), 4),
            random_order=round(sum(one.random for one in shown) / len(shown), 4),
        )
        if shown
        else None,
        promotions=decisions.get("promote", 0),
        decisions=decisions,
        models_seen=len(traffic.models),
        events_acknowledged=traffic.acknowledged,
        lists_shown=len(shown),
        event_to_slate_ms=percentiles(traffic.event_to_slate_ms),
        rank_ms=percentiles(list(traffic.rank_ms)),
        freshness=fresh,
        degraded=dict(traffic.degraded),
        repeated_requests=traffic.repeated,
        restarts=None,
        began_at=traffic.began_at,
        shift_at_s=traffic.phases.shift_at,
        timeline=timeline_of(shown, traffic.phases.end, traffic.outcomes.recommended),
        seed=seed,
        seconds=round(seconds, 1),
        recommended=_recommended(traffic),
    )


def _recommended(traffic: Traffic) -> Recommended | None:
    lists = traffic.outcomes.recommended
    if not lists:
        return None
    rate, n_items = click_rate(lists), max(1, sum(traffic.sources.values()))
    by_time = Measured.of(Outcomes(shown=lists), traffic.phases)
    return Recommended(
        lists=rate.lists,
        click_rate=_round(rate.mean),
        se=_round(rate.se),
        expected=round(sum(one.expected or 0.0 for one in lists) / len(lists), 4),
        best=round(sum(one.oracle for one in lists) / len(lists), 4),
        random=round(sum(one.random for one in lists) / len(lists), 4),
        sources={name: round(n / n_items, 4) for name, n in traffic.sources.most_common()},
        recommend_ms=percentiles(list(traffic.recommend_ms)),
        before=_round(by_time.before.mean),
        lowest=_round(by_time.lowest.mean),
        recovered=_round(by_time.recovered.mean),
    )


def _share(of: ClickRate, to: ClickRate) -> Share | None:
    found = ratio(of, to)
    return None if found is None else Share(mean=round(found[0], 4), se=round(found[1], 4))


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def show(screen: Console, told: SimulationSummary) -> None:
    """Print a summary for people."""
    rate, error, lists = told.click_rate, told.click_rate_se, told.lists
    rows: list[tuple[str, str]] = []

    def add(what: str, name: str, share: Share | None = None) -> None:
        mean, se = getattr(rate, name), getattr(error, name)
        if mean is not None:
            of = "" if share is None else f" = {share.mean:.0%} ± {share.se:.0%} of before"
            noise = "" if se is None else f" ± {se:.1%}"
            rows.append((what, f"{mean:.1%}{noise}{of}  ({getattr(lists, name):,} lists)"))

    add("click rate before the shift" if rate.recovered is not None else "click rate", "before")
    add("  at its lowest", "lowest")
    add("  after recovery", "recovered", told.recovered_share)
    add("  the first model, frozen", "frozen", told.frozen_share)
    if told.scale is not None:
        scale = told.scale
        rows.append(
            ("  for scale", f"best order {scale.best_order:.1%}, random order {scale.random_order:.1%}")
        )
    if told.recommended is not None:
        rows += _of_recommended(told.recommended)
    n_lists = told.lists_shown + (0 if told.recommended is None else told.recommended.lists)
    rows.append(("lists shown", f"{n_lists:,}; {_degraded(told.degraded)}"))
    rows.append(("events acknowledged", f"{told.events_acknowledged:,}, all of them kept"))
    rows.append(("models", f"{told.models_seen} served; the gate {_decided(told.decisions)}"))
    rows.append(("event → next list", _times(told.event_to_slate_ms)))
    rows.append(("POST /v1/rank", _times(told.rank_ms)))
    rows.append(("time", f"{told.seconds:.0f} s (seed {told.seed})"))
    listed = table("", "")
    listed.show_header = False
    for what, value in rows:
        listed.add_row(f"[bold]{what}[/bold]", value)
    screen.print()
    screen.print(listed)
    screen.print(f"\n{conclusion(told)}", markup=False)
    screen.print()


def _of_recommended(told: Recommended) -> list[tuple[str, str]]:
    noise = "" if told.se is None else f" ± {told.se:.1%}"
    rate = "–" if told.click_rate is None else f"{told.click_rate:.1%}{noise}"
    found = ", ".join(f"{name} {share:.0%}" for name, share in told.sources.items() if share >= 0.005)
    if told.before is not None and told.lowest is not None and told.recovered is not None:
        rate = (
            f"{told.before:.1%} before, {told.lowest:.1%} at its lowest, {told.recovered:.1%} after recovery"
        )
    return [
        ("chosen from all items", f"click rate {rate}  ({told.lists:,} lists)"),
        ("  for scale", f"best choice {told.best:.1%}, by chance {told.random:.1%}"),
        ("  found by", found),
        ("POST /v1/recommend", _times(told.recommend_ms)),
    ]


def conclusion(told: SimulationSummary) -> str:
    """What it comes to, in a sentence."""
    if not told.models_seen:
        return (
            "No model has passed the gate in this time: let people come for longer, or more of them a second. A list "
            "teaches when the view's `label_window` is over, which is 3 s in examples/simulated-shop.yaml."
        )
    if told.recovered_share is None:
        return "Tastes did not turn, or not for long enough to measure: --shift-at says when."
    recovered = f"{told.recovered_share.mean:.0%} of the click rate came back"
    if told.frozen_share is None:
        return f"Tastes turned: {recovered}."
    beside = f"{told.frozen_share.mean:.0%} where the first model was kept"
    if told.recovered_share.mean >= 0.9:
        return f"Tastes turned, and the system learnt it: {recovered}, {beside}."
    return (
        f"Tastes turned, and it is not learnt yet: {recovered}, {beside}. It takes longer on a busy machine."
    )


def _decided(counts: dict[str, int]) -> str:
    told = {"promote": "promoted", "reject": "rejected", "give_up": "gave up on", "roll_back": "took back"}
    made = ", ".join(f"{verb} {counts[what]:,}" for what, verb in told.items() if counts.get(what))
    waited = f"; {counts['wait']:,} times it waited for more lists" if counts.get("wait") else ""
    return (made or "decided nothing yet") + waited


def _times(times: Percentiles) -> str:
    return "–" if times.p50 is None else f"p50 {times.p50:.1f} ms, p99 {times.p99:.1f} ms"


def _degraded(counts: dict[str, int]) -> str:
    if not counts:
        return "every one complete"
    said = {"model": "before the first model", "features": "without features"}
    return ", ".join(f"{n:,} {said.get(what, what)}" for what, n in counts.items())
