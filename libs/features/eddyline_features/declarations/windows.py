"""Window count and window rate: what happened in the last hours or days of the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import distinct, read_actions, read_offset
from eddyline_features.declarations.scopes import (
    EVERY_SCOPE,
    OF_VALUES,
    read_flag,
    read_per,
    read_reduce,
    read_scope,
    read_silence,
)
from eddyline_features.durations import spell
from eddyline_features.yaml_reader import Section, as_number

MOST_BUCKETS = 366
_DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True)
class _Window:
    name: str
    by: str
    """One of ``scopes``."""
    field: str | None
    """Whose values are counted, where it is by a field."""
    bucket_ms: int
    """Length of a bucket, as a day."""
    offset_ms: int
    """How far local time, by which buckets begin, is ahead of UTC."""
    periods: tuple[int, ...]
    """Of how many buckets, the current one included; one column each."""
    reduce: tuple[str, ...]
    """Over an item's values: ``mean``, ``max``."""
    value: bool
    """Whether an interaction's value multiplies its weight."""
    ttl_ms: int
    """After so long without an event it is unknown; 0 is never."""

    @property
    def counted_fields(self) -> tuple[str, ...]:
        return (self.field,) if self.field is not None and self.by == OF_VALUES else ()

    @property
    def columns(self) -> list[str]:
        names = [f"{self.name}_{spell(n * self.bucket_ms)}" for n in self.periods]
        return names if self.by != OF_VALUES else [f"{name}_{how}" for name in names for how in self.reduce]


@dataclass(frozen=True, kw_only=True)
class WindowCount(_Window):
    """How often in the last buckets of the calendar, as today and the six days before."""

    of: tuple[str, ...]
    """Actions, or ``impression``."""


@dataclass(frozen=True, kw_only=True)
class WindowRate(_Window):
    """Weighted actions for each impression in the last buckets, smoothed towards everybody's in the same ones."""

    actions: tuple[str, ...]
    per: tuple[str, ...]
    """``impression``, or actions: for each of which the rate is."""
    strength: float
    """So many impressions (or of ``per``) at the overall rate are added."""


def _window_count(section: Section, name: str, actions: Sequence[str]) -> WindowCount:
    by, field = read_scope(section, EVERY_SCOPE)
    return WindowCount(
        name=name,
        by=by,
        field=field,
        of=read_actions(section, "of", actions, impressions=True),
        bucket_ms=section.duration("bucket", _DAY_MS, example="1d") or _DAY_MS,
        offset_ms=read_offset(section),
        periods=_read_periods(section),
        reduce=read_reduce(section, by),
        value=read_flag(section, "value"),
        ttl_ms=read_silence(section, by),
    )


def _window_rate(section: Section, name: str, actions: Sequence[str]) -> WindowRate:
    by, field = read_scope(section, EVERY_SCOPE)
    return WindowRate(
        name=name,
        by=by,
        field=field,
        actions=read_actions(section, "actions", actions),
        per=read_per(section, actions),
        bucket_ms=section.duration("bucket", _DAY_MS, example="1d") or _DAY_MS,
        offset_ms=read_offset(section),
        periods=_read_periods(section),
        strength=section.number("strength", 10.0, 0.001, 1e6),
        reduce=read_reduce(section, by),
        value=read_flag(section, "value"),
        ttl_ms=read_silence(section, by),
    )


def _read_periods(section: Section) -> tuple[int, ...]:
    nodes = section.members("periods")
    if section.take("periods") is None:
        section.need("periods", "[1, 7, 30]")
    found = []
    for node in nodes:
        n = as_number(node)
        if n is not None and n.is_integer() and 1 <= n <= MOST_BUCKETS:
            found.append(int(n))
        else:
            section.problems.add(
                node,
                f"`{section.at('periods')}` holds something else than whole numbers from 1 to {MOST_BUCKETS}: "
                "say how many buckets, as [1, 7, 30]; for longer times take longer buckets",
            )
    return distinct(section, nodes, found, section.at("periods"))


READERS: dict[str, Reader] = {"window_count": _window_count, "window_rate": _window_rate}
