"""Word count: how long a text is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_path, read_ttl
from eddyline_features.declarations.paths import FieldPath
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class WordCount:
    """How many words a text has, or the texts of a list have together; NaN where there is no text."""

    name: str
    field: FieldPath
    ttl_ms: int = 0
    """How long a value is known after it was written; 0 is for ever."""

    @property
    def columns(self) -> list[str]:
        return [self.name]


def _word_count(section: Section, name: str, actions: Sequence[str]) -> WordCount:
    field = read_path(section)
    return WordCount(name=name, field=field, ttl_ms=read_ttl(section, field))


READERS: dict[str, Reader] = {"word_count": _word_count}
