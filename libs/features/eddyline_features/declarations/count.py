"""Count: how often, lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions, read_half_lives
from eddyline_features.declarations.scopes import (
    EVERY_SCOPE,
    OF_VALUES,
    read_flag,
    read_reduce,
    read_scope,
    read_silence,
)
from eddyline_features.durations import spell
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Count:
    """How often, lately: decayed counts of actions or impressions of an item, a person, a field's value, or all."""

    name: str
    by: str
    """One of ``scopes``."""
    field: str | None
    """Whose values are counted, where it is by a field."""
    of: tuple[str, ...]
    """Actions, or ``impression``."""
    half_lives: tuple[int, ...]
    """ms; 0 never decays."""
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


def _count(section: Section, name: str, actions: Sequence[str]) -> Count:
    by, field = read_scope(section, EVERY_SCOPE)
    return Count(
        name=name,
        by=by,
        field=field,
        of=read_actions(section, "of", actions, impressions=True),
        half_lives=read_half_lives(section),
        reduce=read_reduce(section, by),
        value=read_flag(section, "value"),
        ttl_ms=read_silence(section, by),
    )


READERS: dict[str, Reader] = {"count": _count}
