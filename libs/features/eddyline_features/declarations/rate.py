"""Rate: weighted actions for each impression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions, read_half_lives
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
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Weighted actions for each impression (or other action), smoothed towards the rate of all items together."""

    name: str
    by: str
    """One of ``scopes``."""
    field: str | None
    """Whose values are counted, where it is by a field."""
    actions: tuple[str, ...]
    per: tuple[str, ...]
    """``impression``, or actions: for each of which the rate is."""
    half_lives: tuple[int, ...]
    strength: float
    """So many impressions (or of ``per``) at the overall rate are added."""
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
        if self.by != OF_VALUES:
            return [f"{self.name}_{spell(h)}" for h in self.half_lives]
        return [f"{self.name}_{spell(h)}_{how}" for h in self.half_lives for how in self.reduce]


def _rate(section: Section, name: str, actions: Sequence[str]) -> Rate:
    by, field = read_scope(section, EVERY_SCOPE)
    return Rate(
        name=name,
        by=by,
        field=field,
        actions=read_actions(section, "actions", actions),
        per=read_per(section, actions),
        half_lives=read_half_lives(section),
        strength=section.number("strength", 10.0, 0.001, 1e6),
        reduce=read_reduce(section, by),
        value=read_flag(section, "value"),
        ttl_ms=read_silence(section, by),
    )


READERS: dict[str, Reader] = {"rate": _rate}
