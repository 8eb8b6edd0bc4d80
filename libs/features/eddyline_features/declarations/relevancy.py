"""Relevancy: how well a search engine thinks that a candidate fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_path
from eddyline_features.declarations.paths import SLATE, FieldPath
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Relevancy:
    """A search engine's score of the candidate, that came with the request: a number of ``slate.relevancy``."""

    name: str
    field: FieldPath

    @property
    def columns(self) -> list[str]:
        return [self.name]


def _relevancy(section: Section, name: str, actions: Sequence[str]) -> Relevancy:
    field = read_path(section) if section.has("field") else FieldPath(scope=SLATE, name="relevancy")
    return Relevancy(name=name, field=field)


READERS: dict[str, Reader] = {"relevancy": _relevancy}
