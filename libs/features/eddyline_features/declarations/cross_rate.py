"""Cross rate: what people of a kind do with things of a kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yaml.nodes import SequenceNode

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions, read_half_lives
from eddyline_features.declarations.scopes import (
    OF_CONTEXT,
    OF_ITEM,
    OF_ITEMS,
    OF_USER_FIELD,
    OF_VALUES,
    read_flag,
    read_reduce,
    read_scope_of,
    read_silence,
)
from eddyline_features.durations import spell
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class CrossRate:
    """Rate of a pair: a user's or request's field with the item or its field, smoothed towards the item's side."""

    name: str
    by: tuple[str, str]
    """Scopes: ``user_field`` or ``context``, and ``item`` or ``values``."""
    left: str
    """The field of the user or the context."""
    right: str | None
    """The field of the item; none where it is the item itself."""
    actions: tuple[str, ...]
    half_lives: tuple[int, ...]
    strength: float
    """So many impressions at the rate of the item (or of its field's value) are added, to which as many at the overall
    rate were."""
    reduce: tuple[str, ...]
    """Over an item's values: ``mean``, ``max``."""
    value: bool
    """Whether an interaction's value multiplies its weight."""
    ttl_ms: int
    """After so long without an event of the pair it is unknown; 0 is never."""

    @property
    def counted_fields(self) -> tuple[str, ...]:
        return () if self.right is None else (self.right,)

    @property
    def columns(self) -> list[str]:
        if self.right is None:
            return [f"{self.name}_{spell(h)}" for h in self.half_lives]
        return [f"{self.name}_{spell(h)}_{how}" for h in self.half_lives for how in self.reduce]


def _cross_rate(section: Section, name: str, actions: Sequence[str]) -> CrossRate:
    node = section.need("by", "[user.country, item.genres]")
    left_by, left, right_by, right = OF_USER_FIELD, None, OF_ITEM, None
    if isinstance(node, SequenceNode) and len(node.value) == 2:
        left_by, left = read_scope_of(section, node.value[0], (OF_USER_FIELD, OF_CONTEXT), "by")
        right_by, right = read_scope_of(section, node.value[1], OF_ITEMS, "by")
    elif node is not None:
        section.problems.add(
            node,
            f"`{section.at('by')}` needs two: whose rate, and of what: as [user.country, item.genres] or "
            "[context.device, item]",
        )
    return CrossRate(
        name=name,
        by=(left_by, right_by),
        left=left or "",
        right=right if right_by == OF_VALUES else None,
        actions=read_actions(section, "actions", actions),
        half_lives=read_half_lives(section),
        strength=section.number("strength", 10.0, 0.001, 1e6),
        reduce=read_reduce(section, right_by),
        value=read_flag(section, "value"),
        ttl_ms=read_silence(section, right_by),
    )


READERS: dict[str, Reader] = {"cross_rate": _cross_rate}
