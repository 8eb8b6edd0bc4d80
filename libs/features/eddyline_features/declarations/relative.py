"""Relative: a number against the other candidates', against what a person acts on, and against its category's mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import (
    read_actions,
    read_by_person,
    read_item_field,
    read_path,
    read_some_of,
)
from eddyline_features.declarations.paths import COLUMN, ITEM, SLATE, FieldPath
from eddyline_features.durations import FOREVER
from eddyline_features.yaml_reader import Section

RELATIVE_OUTPUTS = (
    "slate_diff",
    "slate_z",
    "slate_rank",
    "slate_minmax",
    "user_diff",
    "user_ratio",
    "category_diff",
    "category_ratio",
)


@dataclass(frozen=True, kw_only=True)
class Relative:
    """A number beside others: those of the slate, the person's own mean, the mean of the item's category.

    Outputs: ``slate_diff`` = less the mean of the request's candidates, ``slate_z`` = that in standard deviations,
    ``slate_rank`` = share of the others that are below (equal ones half), ``slate_minmax`` = place between the
    smallest (0) and the largest (1); ``user_diff`` = less the decayed mean over the items that the person acted on,
    ``user_ratio`` = divided by it; ``category_diff``, ``category_ratio`` = as these, by the mean over the items with
    the same value of ``category``.
    """

    name: str
    field: FieldPath
    """Of the item, of the candidate in the request, or ``column.<name>``: a column that another feature gives."""
    category: str | None
    """An item field, whose values have means; None where no output needs it."""
    by: str
    """``user`` or ``session``: whose mean the outputs ``user_…`` take."""
    actions: tuple[str, ...]
    """That count for the person's mean; none named are all with a weight above 0."""
    half_life: int
    """Of the person's mean, in ms; 0 never decays."""
    outputs: tuple[str, ...]

    @property
    def relative(self) -> bool:
        return any(output.startswith("slate_") for output in self.outputs)

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{output}" for output in self.outputs]


def _relative(section: Section, name: str, actions: Sequence[str]) -> Relative:
    field = read_path(section, scopes=(ITEM, SLATE, COLUMN))
    outputs = read_some_of(
        section, "outputs", RELATIVE_OUTPUTS, ("slate_diff", "slate_z", "slate_rank", "slate_minmax")
    )
    others = [output for output in outputs if not output.startswith("slate_")]
    if field.scope != ITEM and others:
        section.problems.add(
            section.line_of("outputs"),
            f"`{section.at('outputs')}`: `{others[0]}` needs a number that items have at any time: "
            "use item.<field>, or leave it out",
        )
    by_person = any(output.startswith("user_") for output in outputs)
    for key in ("by", "actions", "half_life"):
        if section.has(key) and not by_person:
            section.problems.add(
                section.line_of(key),
                f"`{section.at(key)}` is for the outputs `user_diff` and `user_ratio`: "
                "add one of them to `outputs`, or leave it out",
            )
    by_category = any(output.startswith("category_") for output in outputs)
    category = None
    if by_category:
        category = read_item_field(section, section.word("category", example="item.brand"), "category")
    elif section.has("category"):
        section.problems.add(
            section.line_of("category"),
            f"`{section.at('category')}` is for the outputs `category_diff` and `category_ratio`: "
            "add one of them to `outputs`, or leave it out",
        )
    half_life = section.take("half_life")
    return Relative(
        name=name,
        field=field,
        category=category,
        by=read_by_person(section),
        actions=read_actions(section, "actions", actions) if section.has("actions") else (),
        half_life=FOREVER
        if half_life is None
        else section.as_duration(half_life, section.at("half_life"), forever=True) or FOREVER,
        outputs=outputs,
    )


READERS: dict[str, Reader] = {"relative": _relative}
