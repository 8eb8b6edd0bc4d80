"""Co-interaction: items that the same people act on, learnt as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import read_actions, read_some_of
from eddyline_features.yaml_reader import Section

CO_INTERACTION_OUTPUTS = ("sum", "best", "lift", "cosine")
_DAY = 86_400_000


@dataclass(frozen=True, kw_only=True)
class CoInteraction:
    """How often people who acted on what this person acted on lately acted on the candidate too."""

    name: str
    by: str
    """``user`` or ``session``: whose newest interactions are looked at."""
    actions: tuple[str, ...]
    """Of positive weight; others are no part of a pair."""
    last: int
    """So many of the newest interactions."""
    within: int
    """ms; two interactions further apart are no pair."""
    half_life: int
    """ms, of a pair's weight and of the person's interactions; 0 never decays."""
    neighbours: int
    """Kept for each item."""
    outputs: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{output}" for output in self.outputs]


def _co_interaction(section: Section, name: str, actions: Sequence[str]) -> CoInteraction:
    within = section.duration("within", _DAY, example="1d")
    node = section.take("half_life")
    half_life = 30 * _DAY
    if node is not None:
        half_life = section.as_duration(node, section.at("half_life"), forever=True) or 0
    return CoInteraction(
        name=name,
        by=section.choice("by", ("user", "session"), default="user") or "",
        actions=read_actions(section, "actions", actions),
        last=section.integer("last", 10, 1, 100),
        within=within or _DAY,
        half_life=half_life,
        neighbours=section.integer("neighbours", 32, 1, 1_000),
        outputs=read_some_of(section, "outputs", CO_INTERACTION_OUTPUTS, ("sum", "lift")),
    )


READERS: dict[str, Reader] = {"co_interaction": _co_interaction}
