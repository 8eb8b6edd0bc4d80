"""Random: a number that nothing determines but who asks, for what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Random:
    """A number in [0, 1) drawn for this person, item and moment: equal when asked again, another for each feature."""

    name: str

    @property
    def columns(self) -> list[str]:
        return [self.name]


def _random(section: Section, name: str, actions: Sequence[str]) -> Random:
    return Random(name=name)


READERS: dict[str, Reader] = {"random": _random}
