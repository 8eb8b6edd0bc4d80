"""The section ``exploration`` of eddyline.yaml: for whom chance has a say in the order, so that orders can be compared.

None of it shapes state, vectors or models, so it may change at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

from eddyline_features.yaml_reader import Section


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """A share of the people gets the first places of its slates in random order: the unbiased reference of the gate."""

    share: float = 0.0
    """Of the people, chosen by a hash of the user (without one, the session). 0: none; figures are of 0.05."""
    places: int = 10
    """The first so many places are drawn, every order of what the model put there being equally likely."""


def read_exploration(root: Section) -> Exploration:
    """Read the section; what it does not name has its default."""
    section = root.section("exploration")
    default = Exploration()
    if section is None:
        return default
    exploration = Exploration(
        share=section.number("share", default.share, 0.0, 1.0),
        places=section.integer("places", default.places, 2, 1_000),
    )
    section.close()
    return exploration


NO_EXPLORATION = Exploration()
