"""Fatigue: how often something was shown to a person who did nothing about it, and how long ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import (
    read_by_person,
    read_half_lives,
    read_item_or_field,
    read_some_of,
    read_within,
)
from eddyline_features.durations import spell
from eddyline_features.yaml_reader import Section

FATIGUE_OUTPUTS = ("times", "since")


@dataclass(frozen=True, kw_only=True)
class Fatigue:
    """How often this person was shown the item, or others with its field value, and left it; and how long ago.

    Outputs: ``times`` = decayed number of impressions that no action followed, the mean over the candidate's values;
    ``since`` = hours since the newest impression, acted on or not, of any of them.
    """

    name: str
    by: str
    """``user`` or ``session``."""
    field: str
    """An item field, or `THE_ITEM`."""
    half_lives: tuple[int, ...]
    """Of ``times``, in ms; 0 never decays."""
    within: int
    """ms; what is older counts for nothing. 0 is no bound."""
    outputs: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        times = [f"{self.name}_{spell(h)}_times" for h in self.half_lives]
        return [*times, f"{self.name}_since"] if "since" in self.outputs else times


def _fatigue(section: Section, name: str, actions: Sequence[str]) -> Fatigue:
    outputs = read_some_of(section, "outputs", FATIGUE_OUTPUTS, FATIGUE_OUTPUTS)
    if "times" not in outputs and section.has("half_lives"):
        section.problems.add(
            section.line_of("half_lives"),
            f"`{section.at('half_lives')}` is for the output `times`: add that to `outputs`, or leave it out",
        )
    return Fatigue(
        name=name,
        by=read_by_person(section),
        field=read_item_or_field(section, section.word("field", default="item"), "field"),
        half_lives=read_half_lives(section) if "times" in outputs else (),
        within=read_within(section),
        outputs=outputs,
    )


READERS: dict[str, Reader] = {"fatigue": _fatigue}
