"""Item age: days since an item appeared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_item_field
from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class ItemAge:
    """Days since the item first appeared, or since the time in one of its fields; never negative."""

    name: str
    field: str | None

    @property
    def columns(self) -> list[str]:
        return [self.name]


def _item_age(section: Section, name: str, actions: Sequence[str]) -> ItemAge:
    field = (
        read_item_field(section, section.word("field", example="item.published"), "field")
        if section.has("field")
        else None
    )
    return ItemAge(name=name, field=field)


READERS: dict[str, Reader] = {"item_age": _item_age}
