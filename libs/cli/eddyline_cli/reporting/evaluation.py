"""What `eddyline evaluate --json` printed, read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from eddyline_cli.refusals import Refused
from eddyline_cli.reporting.off_policy import PROTOCOL as OFF_POLICY
from eddyline_cli.reporting.off_policy import OffPolicyFile, OffPolicyTold
from eddyline_cli.reporting.told import CycleTold, DecisionTold, VersionTold

CHAMPION = "champion"
"""Under this name stand the answer's own metrics."""


Milliseconds = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
"""Since the Unix epoch, up to the year 9999: what a calendar can show."""


class Value(Struct, frozen=True):
    """A metric."""

    mean: float | None = None
    se: float | None = None
    n: int = 0


Metrics = dict[str, Value]


class Stretch(Struct, frozen=True):
    """Of the timeline."""

    at_ms: Milliseconds
    n: int
    metrics: dict[str, Value | float | None]
    until_ms: Milliseconds | None = None
    baselines: dict[str, dict[str, Value | float | None]] = {}

    @property
    def middle_ms(self) -> float:
        """Where it is drawn."""
        return (self.at_ms + (self.at_ms if self.until_ms is None else self.until_ms)) / 2

    def value(self, who: str, metric: str) -> Value | None:
        """None where it was not measured."""
        of = self.metrics if who == CHAMPION else self.baselines.get(who, {})
        found = of.get(metric)
        return Value(mean=found) if isinstance(found, int | float) else found


class Decision(Struct, frozen=True):
    """Of the gate."""

    challenger: str = ""
    opponent: str = ""
    outcome: str = ""
    reason: str = ""
    n: int = 0
    mean: float | None = None
    lower: float | None = None
    upper: float | None = None
    delta: float | None = None


class Cost(Struct, frozen=True):
    """Of a cycle: what is drawn of it."""

    joules: float | None = None
    joules_by: str | None = None


class Cycle(Struct, frozen=True):
    """A cut."""

    at_ms: Milliseconds = 0
    outcome: str = ""
    strategy: str | None = None
    model: str | None = None
    champion: str | None = None
    decisions: list[Decision] = []
    slates: int = 0
    loss: float | None = None
    drifts: int = 0
    importance: dict[str, float] = {}
    seconds: dict[str, float] = {}
    cost: Cost = Cost()


class Synced(Struct, frozen=True):
    """One interval of the table of what delay costs."""

    interval: str
    """As it was written."""
    interval_ms: int
    metrics: Metrics
    baselines: dict[str, Metrics] = {}
    seconds: float = 0.0


class _File(Struct, frozen=True):
    metrics: Metrics
    protocol: str = "rerank"
    events: int = 0
    scored: int = 0
    seconds: float = 0.0
    baselines: dict[str, Metrics] = {}
    timeline: list[Stretch] = []
    calibration: list[dict[str, float | int | None]] = []
    cycles: list[Cycle] = []
    sync: list[Synced] = []


@dataclass(frozen=True, kw_only=True)
class EvaluationTold:
    """One evaluation."""

    name: str
    """Of the file, without its ending."""
    protocol: str
    events: int
    scored: int
    seconds: float
    metrics: dict[str, Metrics]
    """By who ordered: `CHAMPION` and the baselines."""
    timeline: list[Stretch]
    calibration: list[dict[str, float | int | None]]
    cycles: list[CycleTold] = field(default_factory=list)
    decisions: list[DecisionTold] = field(default_factory=list)
    versions: list[VersionTold] = field(default_factory=list)
    """Those that served, in the order in which they did."""
    syncs: list[Synced] = field(default_factory=list)
    """Where what delay costs was asked for."""

    @property
    def unit(self) -> str:
        """What is scored: a ``list``, an ``interaction`` or a ``rating``."""
        return {"next-item": "interaction", "predict": "rating"}.get(self.protocol, "list")


class _Protocol(Struct, frozen=True):
    protocol: str = ""


def read_evaluation(path: Path) -> EvaluationTold | OffPolicyTold:
    """Read a file.

    Raises
    ------
    Refused
        If it cannot be read, or is something else.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refused(
            f"--evaluation {path} cannot be read: {error.strerror or error}; give what "
            "`eddyline evaluate … --json` wrote"
        ) from error
    try:
        return evaluation_of(raw, path.stem)
    except msgspec.MsgspecError as error:
        raise Refused(
            f"--evaluation {path} is not what `eddyline evaluate … --json` prints ({error}): write it with "
            f"`eddyline evaluate EVENTS --json > {path.name}`"
        ) from error


def evaluation_of(printed: bytes, name: str) -> EvaluationTold | OffPolicyTold:
    """Of what was printed.

    Raises
    ------
    msgspec.MsgspecError
        If it is something else.
    """
    if msgspec.json.decode(printed, type=_Protocol).protocol == OFF_POLICY:
        return OffPolicyTold(name, msgspec.json.decode(printed, type=OffPolicyFile))
    told = msgspec.json.decode(printed, type=_File)
    if not told.metrics:
        raise msgspec.ValidationError("it holds no metric - at `$.metrics`")
    return _in_our_words(told, name)


def _in_our_words(told: _File, name: str) -> EvaluationTold:
    """In the words that figures take."""
    cycles, decisions, versions = [], [], list[VersionTold]()
    made: dict[str, Cycle] = {}
    drifts = 0
    champion: str | None = None
    for number, cycle in enumerate(told.cycles, 1):
        cycles.append(
            CycleTold(
                number=number,
                at_ms=cycle.at_ms,
                outcome=cycle.outcome,
                strategy=cycle.strategy,
                model=cycle.model,
                seconds=cycle.seconds,
                joules=cycle.cost.joules,
                joules_by=cycle.cost.joules_by or "",
                slates=cycle.slates,
                loss=cycle.loss,
                drift=cycle.drifts > drifts,
            )
        )
        drifts = cycle.drifts
        decisions += [_decision(each, cycle.at_ms, champion) for each in cycle.decisions]
        if cycle.model is not None:
            made[cycle.model] = cycle
        if cycle.champion is not None and cycle.champion != champion:
            champion = cycle.champion
            own = made.get(champion, cycle)
            versions.append(
                VersionTold(
                    model=champion,
                    role="former",
                    made_at=own.at_ms,
                    promoted_at=cycle.at_ms,
                    strategy=own.strategy,
                    importance=own.importance,
                )
            )
    return EvaluationTold(
        name=name,
        protocol=told.protocol,
        events=told.events,
        scored=told.scored,
        seconds=told.seconds,
        metrics={CHAMPION: told.metrics, **told.baselines},
        timeline=told.timeline,
        calibration=told.calibration,
        cycles=cycles,
        decisions=decisions,
        versions=versions,
        syncs=told.sync,
    )


def _decision(told: Decision, at_ms: int, champion: str | None) -> DecisionTold:
    return DecisionTold(
        at_ms=at_ms,
        challenger=told.challenger,
        opponent=told.opponent,
        outcome=told.outcome,
        reason=told.reason,
        n=told.n,
        mean=told.mean if told.n else None,
        lower=told.lower,
        upper=told.upper,
        delta=told.delta,
        against_champion=told.opponent == champion,
    )
