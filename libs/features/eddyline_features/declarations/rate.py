"""Rate: weighted actions for each impression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions, read_half_lives, read_item_field, read_some_of
from eddyline_features.durations import spell
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Weighted actions for each impression, smoothed towards the rate of all items together."""

    name: str
    by: str
    """``item``, ``user``, ``session``, or ``values``: each value of ``field``."""
    field: str | None
    """The item field whose values are counted."""
    actions: tuple[str, ...]
    half_lives: tuple[int, ...]
    strength: float
    """So many impressions at the overall rate are added."""
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


def _rate(section: Section, name: str, actions: Sequence[str]) -> Rate:
    by = section.word("by", default="item", example="item.genres")
    field = None
    if by is not None and by not in ("item", "user", "session"):
        field = read_item_field(section, by, "by")
        by = "values"
    reduce = read_some_of(section, "reduce", ("mean", "max"), ("mean",))
    if field is None and section.take("reduce") is not None:
        section.problems.add(
            section.line_of("reduce"),
            f"`{section.at('reduce')}` is for fields with several values: "
            "use it with `by: item.<field>`, or leave it out",
        )
    return Rate(
        name=name,
        by=by or "",
        field=field,
        actions=read_actions(section, "actions", actions),
        half_lives=read_half_lives(section),
        strength=section.number("strength", 10.0, 0.001, 1e6),
        reduce=reduce,
    )


READERS: dict[str, Reader] = {"rate": _rate}
