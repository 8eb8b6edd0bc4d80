"""Trend: what is on the rise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions
from eddyline_features.declarations.scopes import OF_ITEMS, read_reduce, read_scope
from eddyline_features.durations import FOREVER
from eddyline_features.yaml_reader import Section

RATE, COUNT = "rate", "count"


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The rate (or count) of lately over that of longer, smoothed: above 1 it rises, below 1 it falls."""

    name: str
    by: str
    """``item``, or ``values`` of a field."""
    field: str | None
    """The item's field, where it is by one."""
    measure: str
    """``rate`` or ``count``."""
    actions: tuple[str, ...]
    short: int
    """Half-life of lately, ms."""
    long: int
    """Half-life of longer, ms; 0 never decays."""
    strength: float
    """So many impressions (of a count: actions) without any trend are added."""
    reduce: tuple[str, ...]
    """Over an item's values: ``mean``, ``max``."""

    @property
    def counted_fields(self) -> tuple[str, ...]:
        return () if self.field is None else (self.field,)

    @property
    def columns(self) -> list[str]:
        return [self.name] if self.field is None else [f"{self.name}_{how}" for how in self.reduce]


def _trend(section: Section, name: str, actions: Sequence[str]) -> Trend:
    by, field = read_scope(section, OF_ITEMS)
    measure = section.choice("measure", (RATE, COUNT), default=RATE) or RATE
    short = section.duration("short", example="1h") or 0
    node = section.need("long", "7d")
    long = None if node is None else section.as_duration(node, section.at("long"), forever=measure == RATE)
    if short and long is not None and long != FOREVER and short >= long:
        section.problems.add(
            section.line_of("short"),
            f"`{section.at('short')}` is not shorter than `long`: a trend is lately over longer",
        )
    return Trend(
        name=name,
        by=by,
        field=field,
        measure=measure,
        actions=read_actions(section, "actions", actions),
        short=short,
        long=long or 0,
        strength=section.number("strength", 10.0, 0.001, 1e6),
        reduce=read_reduce(section, by),
    )


READERS: dict[str, Reader] = {"trend": _trend}
