"""Count: how often, lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions, read_half_lives
from eddyline_features.durations import spell
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Count:
    """How often, lately: decayed counts of actions or impressions of an item, a user or a session."""

    name: str
    by: str
    of: tuple[str, ...]
    """Actions, or ``impression``."""
    half_lives: tuple[int, ...]
    """ms; 0 never decays."""

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{spell(h)}" for h in self.half_lives]


def _count(section: Section, name: str, actions: Sequence[str]) -> Count:
    by = section.choice("by", ("item", "user", "session"), default="item")
    of = read_actions(section, "of", actions, impressions=True)
    return Count(name=name, by=by or "", of=of, half_lives=read_half_lives(section))


READERS: dict[str, Reader] = {"count": _count}
