"""Uncertainty: how little is known of a rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions, read_half_lives
from eddyline_features.declarations.scopes import OF_ITEMS, read_reduce, read_scope
from eddyline_features.durations import spell
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """Posterior standard deviation of a rate: large where little was shown, which exploration needs to know."""

    name: str
    by: str
    """``item``, or ``values`` of a field."""
    field: str | None
    """The item's field, where it is by one."""
    actions: tuple[str, ...]
    half_lives: tuple[int, ...]
    strength: float
    """So many impressions at the overall rate are what is believed before anything is known."""
    reduce: tuple[str, ...]
    """Over an item's values: ``mean``, ``max``."""

    @property
    def counted_fields(self) -> tuple[str, ...]:
        return () if self.field is None else (self.field,)

    @property
    def columns(self) -> list[str]:
        if self.field is None:
            return [f"{self.name}_{spell(h)}" for h in self.half_lives]
        return [f"{self.name}_{spell(h)}_{how}" for h in self.half_lives for how in self.reduce]


def _uncertainty(section: Section, name: str, actions: Sequence[str]) -> Uncertainty:
    by, field = read_scope(section, OF_ITEMS)
    return Uncertainty(
        name=name,
        by=by,
        field=field,
        actions=read_actions(section, "actions", actions),
        half_lives=read_half_lives(section),
        strength=section.number("strength", 10.0, 0.001, 1e6),
        reduce=read_reduce(section, by),
    )


READERS: dict[str, Reader] = {"uncertainty": _uncertainty}
