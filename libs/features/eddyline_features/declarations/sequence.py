"""Sequence: when a person last did something, for how long they have, and what it has in common with the candidate."""

from __future__ import annotations

from collections.abc import Sequence as Members
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import (
    read_actions,
    read_by_person,
    read_item_or_field,
    read_some_of,
    read_within,
)
from eddyline_features.yaml_reader import Section

SEQUENCE_OUTPUTS = ("since", "since_same", "length", "duration", "match")
_OF_A_FIELD = ("since_same", "match")
MAX_LAST = 100


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """What this person did last: how long ago, how much in all, and how far the candidate is like it.

    Outputs: ``since`` = hours since the newest action, ``since_same`` = since the newest on an item that shares a
    value with the candidate; ``length`` = number of actions, ``duration`` = hours since the first of them; ``match``
    = one column for each of the last items acted on, the newest first: the share of the candidate's values that it
    has too.
    """

    name: str
    by: str
    """``user`` or ``session``."""
    field: str | None
    """An item field, or `THE_ITEM`; None where no output compares."""
    actions: tuple[str, ...]
    """That count; none named are all with a weight above 0."""
    last: int
    """Actions that ``match`` compares with."""
    within: int
    """ms; what is older counts for nothing. 0 is no bound."""
    outputs: tuple[str, ...]

    @property
    def n_acted(self) -> int:
        return self.last if "match" in self.outputs else 0

    @property
    def columns(self) -> list[str]:
        found = []
        for output in self.outputs:
            if output == "match":
                found += [f"{self.name}_match_{1 + back}" for back in range(self.last)]
            else:
                found.append(f"{self.name}_{output}")
        return found


def _sequence(section: Section, name: str, actions: Members[str]) -> Sequence:
    outputs = read_some_of(section, "outputs", SEQUENCE_OUTPUTS, ("since", "length"))
    field = None
    if any(output in _OF_A_FIELD for output in outputs):
        field = read_item_or_field(section, section.word("field", example="item.genres"), "field")
    elif section.has("field"):
        section.problems.add(
            section.line_of("field"),
            f"`{section.at('field')}` is for the outputs `since_same` and `match`: "
            "add one of them to `outputs`, or leave it out",
        )
    if "match" not in outputs and section.has("last"):
        section.problems.add(
            section.line_of("last"),
            f"`{section.at('last')}` is for the output `match`: add that to `outputs`, or leave it out",
        )
    return Sequence(
        name=name,
        by=read_by_person(section),
        field=field,
        actions=read_actions(section, "actions", actions) if section.has("actions") else (),
        last=section.integer("last", 3, 1, MAX_LAST),
        within=read_within(section),
        outputs=outputs,
    )


READERS: dict[str, Reader] = {"sequence": _sequence}
