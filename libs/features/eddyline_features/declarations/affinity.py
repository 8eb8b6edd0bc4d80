"""Affinity: what a person acted on and what they left, among things like the candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import (
    read_actions,
    read_by_person,
    read_half_lives,
    read_item_or_field,
    read_some_of,
    read_within,
)
from eddyline_features.durations import spell
from eddyline_features.yaml_reader import Section

AFFINITY_OUTPUTS = ("acted", "passed", "rate", "best", "share", "lift")


@dataclass(frozen=True, kw_only=True)
class Affinity:
    """What this person acted on, and what was shown but left, among things that have this field value too.

    Outputs, over the values of the candidate: ``acted`` and ``passed`` = mean decayed weight; ``rate`` = mean
    smoothed share acted / (acted + passed), ``best`` = the largest of these; ``share`` = part of all that was acted
    on, summed over the values; ``lift`` = mean of how much more was acted on than those items' own rates (the view's
    prior) let expect, for each impression: taste, cleared of what everybody likes.
    """

    name: str
    by: str
    """``user`` or ``session``."""
    field: str
    """An item field, or `THE_ITEM`."""
    actions: tuple[str, ...]
    half_lives: tuple[int, ...]
    strength: float
    """So many impressions at the person's own rate are added to ``rate`` and ``best``."""
    within: int
    """ms; what is older counts for nothing. 0 is no bound."""
    outputs: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{spell(h)}_{output}" for h in self.half_lives for output in self.outputs]


def _affinity(section: Section, name: str, actions: Sequence[str]) -> Affinity:
    return Affinity(
        name=name,
        by=read_by_person(section),
        field=read_item_or_field(section, section.word("field", example="item.genres"), "field"),
        actions=read_actions(section, "actions", actions),
        half_lives=read_half_lives(section),
        strength=section.number("strength", 2.0, 0.001, 1e6),
        within=read_within(section),
        outputs=read_some_of(section, "outputs", AFFINITY_OUTPUTS, ("acted", "passed")),
    )


READERS: dict[str, Reader] = {"affinity": _affinity}
