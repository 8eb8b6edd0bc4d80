"""Diversity: how far a candidate is unlike the others of its request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_item_field
from eddyline_features.yaml_reader import Section

HOW = ("number", "values")


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """How far a candidate is unlike the others of its request.

    Of a number, what it is above the median of all candidates; of values (words or lists of them), 1 less the share
    of the other candidates that have a value too, the mean over the candidate's values.
    """

    name: str
    field: str
    """An item field."""
    compare: str
    """``number`` or ``values``: what the field holds."""

    relative = True

    @property
    def columns(self) -> list[str]:
        return [self.name]


def _diversity(section: Section, name: str, actions: Sequence[str]) -> Diversity:
    return Diversity(
        name=name,
        field=read_item_field(section, section.word("field", example="item.brand"), "field"),
        compare=section.choice("compare", HOW) or "",
    )


READERS: dict[str, Reader] = {"diversity": _diversity}
