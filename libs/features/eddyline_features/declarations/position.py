"""Position: the place in the slate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Position:
    """Place in the slate: set by the trainer (0 is the top), constant in serving."""

    name: str
    serving: float

    @property
    def columns(self) -> list[str]:
        return [self.name]


def _position(section: Section, name: str, actions: Sequence[str]) -> Position:
    return Position(name=name, serving=section.number("serving", 0.0, 0.0, 1e6))


READERS: dict[str, Reader] = {"position": _position}
