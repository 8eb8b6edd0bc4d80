"""Interacted with: how often a person lately acted on things that share the candidate's values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import (
    distinct,
    read_actions,
    read_by_person,
    read_item_or_field,
    read_within,
)
from eddyline_features.yaml_reader import Section, as_text

MAX_FIELDS = 50


@dataclass(frozen=True, kw_only=True)
class InteractedWith:
    """How often this person's last actions were on items with the candidate's values: one column for each field.

    The sum, over the candidate's values, of how many of those actions were on an item that has the value too.
    """

    name: str
    by: str
    """``user`` or ``session``."""
    fields: tuple[str, ...]
    """Item fields, or `THE_ITEM`."""
    actions: tuple[str, ...]
    """That count; none named are all with a weight above 0."""
    last: int
    """So many of the newest of them; 0 is as many as are kept."""
    within: int
    """ms; what is older counts for nothing. 0 is no bound."""

    @property
    def n_acted(self) -> int:
        return self.last

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{field}" for field in self.fields]


def _interacted_with(section: Section, name: str, actions: Sequence[str]) -> InteractedWith:
    nodes = section.members("fields")
    if section.take("fields") is None:
        section.need("fields", "[item.brand, item.tags]")
    fields = [read_item_or_field(section, as_text(node) or "", "fields") for node in nodes]
    if len(fields) > MAX_FIELDS:
        section.problems.add(
            section.line_of("fields"), f"`{section.at('fields')}` has more than {MAX_FIELDS}: name fewer"
        )
    return InteractedWith(
        name=name,
        by=read_by_person(section),
        fields=distinct(section, nodes, fields, section.at("fields")),
        actions=read_actions(section, "actions", actions) if section.has("actions") else (),
        last=section.integer("last", 0, 1, 100_000),
        within=read_within(section),
    )


READERS: dict[str, Reader] = {"interacted_with": _interacted_with}
