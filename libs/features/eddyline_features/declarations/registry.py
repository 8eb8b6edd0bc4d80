"""Every kind of feature by the word that stands for it in eddyline.yaml."""

from __future__ import annotations

from collections.abc import Sequence

from eddyline_features.declarations import (
    affinity,
    chance,
    co_interaction,
    content,
    count,
    cross_rate,
    diversity,
    fatigue,
    field_match,
    fields,
    interacted_with,
    item_age,
    local_time,
    online,
    position,
    rate,
    referer,
    relative,
    relevancy,
    sequence,
    trend,
    uncertainty,
    user_agent,
    vector,
    windows,
    word_count,
)
from eddyline_features.declarations.declaration import Declaration, Reader
from eddyline_features.declarations.forms import read_name
from eddyline_features.yaml_reader import Section

READERS: dict[str, Reader] = {
    **fields.READERS,
    **vector.READERS,
    **word_count.READERS,
    **relevancy.READERS,
    **local_time.READERS,
    **chance.READERS,
    **user_agent.READERS,
    **referer.READERS,
    **field_match.READERS,
    **count.READERS,
    **rate.READERS,
    **cross_rate.READERS,
    **windows.READERS,
    **trend.READERS,
    **uncertainty.READERS,
    **affinity.READERS,
    **co_interaction.READERS,
    **online.READERS,
    **content.READERS,
    **interacted_with.READERS,
    **sequence.READERS,
    **fatigue.READERS,
    **relative.READERS,
    **diversity.READERS,
    **position.READERS,
    **item_age.READERS,
}
KINDS = tuple(READERS)


def read_feature(section: Section, actions: Sequence[str]) -> Declaration | None:
    """Read one member of ``features``; None when something about it is wrong and was reported."""
    before = len(section.problems.found)
    kind = section.choice("kind", list(READERS))
    if kind is None:
        return None
    name = read_name(section, "name", example="price")
    feature = READERS[kind](section, name or "", actions)
    section.close()
    return feature if len(section.problems.found) == before else None
